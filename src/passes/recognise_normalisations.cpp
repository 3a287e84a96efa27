// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ops/elementwise.h"
#include "ops/normalization.h"
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "passes/recognise.h"

namespace tenrec {
namespace {

// A reduction that keeps its axes: which they are.
struct Reduction {
  const Value* input = nullptr;
  std::vector<int64_t> axes;
};

std::optional<Reduction> reduction_of(const Value* value, ReduceKind kind) {
  const Node* node = producer_of<Reduce>(value);
  if (!node || node->as<Reduce>()->kind != kind || !node->as<Reduce>()->keepdims)
    return std::nullopt;
  const Value* x = node->input(0);
  if (!x->type.ranked || (node->input(1) && !constant_ints(node->input(1)))) return std::nullopt;
  const auto given = constant_ints(node->input(1));
  const auto reduced = node->as<Reduce>()->reduced_axes(x->type.rank(), given.value_or(Dims{}));
  Reduction result{x, {}};
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (reduced[i]) result.axes.push_back(static_cast<int64_t>(i));
  }
  return result;
}

// exp(x) / sum(exp(x)), with or without the maximum taken off first.
bool recognise_softmax(Rewriter& rw, const Node& node, const Div&) {
  const Node* exp = producer_of<Exp>(node.input(0));
  const auto sum = reduction_of(node.input(1), ReduceKind::sum);
  if (!exp || !sum || sum->axes.size() != 1 || sum->input != exp->output()) return false;
  Value* x = exp->input(0);
  if (const Node* sub = producer_of<Sub>(x)) {
    const auto top = reduction_of(sub->input(1), ReduceKind::max);
    if (top && top->input == sub->input(0) && top->axes == sum->axes) x = sub->input(0);
  }
  if (!same_type(*x, *node.output())) return false;
  rw.replace(node, Softmax{.axis = sum->axes[0]}, {x});
  return true;
}

bool recognise_log_softmax(Rewriter& rw, const Node& node, const Log&) {
  const Node* softmax = producer_of<Softmax>(node.input(0));
  if (!softmax || !used_once(softmax->output())) return false;
  rw.replace(node, LogSoftmax{.axis = softmax->as<Softmax>()->axis}, {softmax->input(0)});
  return true;
}

// The mean of squares under a root: what is squared, over which axes, and epsilon.
struct Deviation {
  const Value* squared = nullptr;
  std::vector<int64_t> axes;
  float epsilon = 0;
};

// value = mean(y * y) + epsilon
std::optional<Deviation> variance_of(const Value* value) {
  const Node* add = producer_of<Add>(value);
  const std::optional<double> epsilon = add ? uniform_value(add->input(1)) : std::nullopt;
  const auto mean = epsilon ? reduction_of(add->input(0), ReduceKind::mean) : std::nullopt;
  const Node* square = mean ? producer_of<Mul>(mean->input) : nullptr;
  if (!square || square->input(0) != square->input(1)) return std::nullopt;
  return Deviation{square->input(0), mean->axes, static_cast<float>(*epsilon)};
}

// value = sqrt(variance)
std::optional<Deviation> root_of(const Value* value) {
  const Node* sqrt = producer_of<Sqrt>(value);
  if (sqrt) return variance_of(sqrt->input(0));
  const Node* pow = producer_of<Pow>(value);
  return pow && is_uniform(pow->input(1), 0.5) ? variance_of(pow->input(0)) : std::nullopt;
}

// value = 1 / sqrt(variance)
std::optional<Deviation> inverse_root_of(const Value* value) {
  if (const Node* reciprocal = producer_of<Reciprocal>(value)) return root_of(reciprocal->input(0));
  if (const Node* div = producer_of<Div>(value)) {
    return is_uniform(div->input(0), 1) ? root_of(div->input(1)) : std::nullopt;
  }
  const Node* pow = producer_of<Pow>(value);
  return pow && is_uniform(pow->input(1), -0.5) ? variance_of(pow->input(0)) : std::nullopt;
}

// x, if value = x - mean(x) over these axes.
Value* centred(const Value* value, const std::vector<int64_t>& axes) {
  const Node* sub = producer_of<Sub>(value);
  const auto mean = sub ? reduction_of(sub->input(1), ReduceKind::mean) : std::nullopt;
  return mean && mean->input == sub->input(0) && mean->axes == axes ? sub->input(0) : nullptr;
}

// All axes from the first one to the last.
bool are_trailing(const std::vector<int64_t>& axes, int64_t rank) {
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != rank - static_cast<int64_t>(axes.size() - i)) return false;
  }
  return !axes.empty();
}

// node = y * 1 / sqrt(mean(y * y) + epsilon): layer normalisation where y is centred, else by the
// root mean square. Scale is 1 for now; `absorb_scale` finds the real one.
bool normalise(Rewriter& rw, const Node& node, Value* y, const Deviation& deviation) {
  Value* x = centred(y, deviation.axes);
  const bool same =
      deviation.squared == y || (x && centred(deviation.squared, deviation.axes) == x);
  const Type& type = node.output()->type;
  if (!same || !same_type(*y, *node.output()) || !are_trailing(deviation.axes, type.rank()))
    return false;
  const int64_t axis = deviation.axes[0] - type.rank();
  const Shape normal(type.shape.begin() + deviation.axes[0], type.shape.end());
  if (!is_static(normal)) return false;
  const Dims dims = static_dims(normal);
  Value* ones = constant_like(rw, node, *y, dims, std::vector<double>(element_count(dims), 1.0));
  if (x)
    rw.replace(node, LayerNormalization{.axis = axis, .epsilon = deviation.epsilon}, {x, ones});
  else rw.replace(node, RMSNormalization{.axis = axis, .epsilon = deviation.epsilon}, {y, ones});
  return true;
}

bool recognise_quotient(Rewriter& rw, const Node& node, const Div&) {
  const auto deviation = root_of(node.input(1));
  return deviation && normalise(rw, node, node.input(0), *deviation);
}

bool recognise_product(Rewriter& rw, const Node& node, const Mul&) {
  for (const size_t i : {size_t{1}, size_t{0}}) {
    const auto deviation = inverse_root_of(node.input(i));
    if (deviation && normalise(rw, node, node.input(1 - i), *deviation)) return true;
  }
  return false;
}

// A parameter of exactly the normalised axes (leading ones aside): kernels read it element by
// element.
bool is_parameter(const Value* value, const Type& type, int64_t axis) {
  const Tensor* constant = value->constant();
  const auto first = static_cast<size_t>(normalise_axis(axis, type.rank()));
  const Shape normal(type.shape.begin() + static_cast<std::ptrdiff_t>(first), type.shape.end());
  return constant && is_static(normal) && constant->dims() == static_dims(normal) &&
         constant->dtype() == type.dtype;
}

template <class T>
bool absorb_scale(Rewriter& rw, const Node& node, const T& op, const Node& norm) {
  if (!used_once(norm.output()) || norm.input(2) || !is_uniform(norm.input(1), 1)) return false;
  if (!is_parameter(node.input(1), node.output()->type, op.axis)) return false;
  rw.replace(node, op, {norm.input(0), node.input(1)});
  return true;
}

bool absorb_factor(Rewriter& rw, const Node& node, const Mul&) {
  if (!same_type(*node.input(0), *node.output())) return false;
  if (const Node* layer = producer_of<LayerNormalization>(node.input(0))) {
    const LayerNormalization& op = *layer->as<LayerNormalization>();
    return !op.statistics && absorb_scale(rw, node, op, *layer);
  }
  const Node* rms = producer_of<RMSNormalization>(node.input(0));
  return rms && absorb_scale(rw, node, *rms->as<RMSNormalization>(), *rms);
}

bool absorb_bias(Rewriter& rw, const Node& node, const Add&) {
  const Node* layer = producer_of<LayerNormalization>(node.input(0));
  if (!layer || !used_once(layer->output()) || layer->input(2)) return false;
  const LayerNormalization& op = *layer->as<LayerNormalization>();
  if (op.statistics || !same_type(*node.input(0), *node.output())) return false;
  if (!is_parameter(node.input(1), node.output()->type, op.axis)) return false;
  rw.replace(node, op, {layer->input(0), layer->input(1), node.input(1)});
  return true;
}

}  // namespace

std::vector<Rule> normalisation_rules() {
  return {rule<Div>("recognise_softmax", recognise_softmax),
          rule<Log>("recognise_log_softmax", recognise_log_softmax),
          rule<Div>("recognise_quotient", recognise_quotient),
          rule<Mul>("recognise_product", recognise_product),
          rule<Mul>("absorb_factor", absorb_factor),
          rule<Add>("absorb_bias", absorb_bias)};
}

}  // namespace tenrec
