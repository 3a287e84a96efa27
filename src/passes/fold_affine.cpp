// SPDX-License-Identifier: Apache-2.0
// Products and sums by channel move into the weights of the convolution or matrix product before
// them, batch normalisation among them; zero padding moves into the convolution behind it.
// Arithmetic is in double and rounds once.
#include <algorithm>
#include <cmath>

#include "ops/batch_normalization.h"
#include "ops/conv.h"
#include "ops/conv_transpose.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/pad.h"
#include "passes/match.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

using Numbers = std::vector<double>;

// A node whose output channels are sums weighted by a constant.
struct Linear {
  const Node* node = nullptr;
  const Tensor* weight = nullptr;
  int64_t channels = 0;
  size_t axis = 0;              // of the channels in the output
  std::vector<size_t> of;       // output channel of each weight element
  bool has_bias_input = false;  // a convolution: takes a bias
};

// Output channels of convolution weights: axis 0, or [in][out / group] for the transposed one.
std::vector<size_t> channel_of_conv(const Dims& dims) {
  const auto channels = static_cast<size_t>(dims[0]);
  const size_t each = element_count(dims) / std::max<size_t>(channels, 1);
  std::vector<size_t> of(channels * each);
  for (size_t i = 0; i < of.size(); ++i) of[i] = i / each;
  return of;
}

std::vector<size_t> channel_of_transposed(const Dims& dims, int64_t group) {
  size_t window = 1;
  for (size_t i = 2; i < dims.size(); ++i) window *= static_cast<size_t>(dims[i]);
  const auto inputs = static_cast<size_t>(dims[0]);
  const auto outputs = static_cast<size_t>(dims[1]);
  std::vector<size_t> of(inputs * outputs * window);
  for (size_t i = 0; i < of.size(); ++i) {
    const size_t input = i / (outputs * window);
    const size_t in_group = input * static_cast<size_t>(group) / inputs;
    of[i] = in_group * outputs + i / window % outputs;
  }
  return of;
}

std::vector<size_t> channel_of_matmul(const Dims& dims) {
  std::vector<size_t> of(element_count(dims));
  for (size_t i = 0; i < of.size(); ++i) of[i] = i % static_cast<size_t>(dims[1]);
  return of;
}

// Cheap part first: the channel map is made only when something will be folded.
Linear linear_of(const Value* value) {
  const Node* node = value->producer();
  if (!node || !used_once(value) || !value->type.ranked) return {};
  Linear linear{
      .node = node, .weight = nullptr, .channels = 0, .axis = 1, .of = {}, .has_bias_input = true};
  const bool conv = node->as<Conv>();
  const auto* transposed = node->as<ConvTranspose>();
  if (!conv && !transposed && !node->as<MatMul>()) return {};
  const Tensor* weight = node->input(1)->constant();
  if (!weight || !is_float(weight->dtype()) || weight->elements() == 0) return {};
  if (conv || transposed) {
    if (node->input(2) && !node->input(2)->constant()) return {};
    linear.channels = conv ? weight->dims()[0] : weight->dims()[1] * transposed->group;
  } else {
    if (weight->rank() != 2 || value->type.rank() < 1 || node->input(0)->type.rank() < 2) return {};
    linear.channels = weight->dims()[1];
    linear.axis = static_cast<size_t>(value->type.rank() - 1);
    linear.has_bias_input = false;
  }
  linear.weight = weight;
  return linear;
}

void map_channels(Linear& linear) {
  const Dims& dims = linear.weight->dims();
  if (linear.node->as<Conv>()) linear.of = channel_of_conv(dims);
  else if (const auto* op = linear.node->as<ConvTranspose>())
    linear.of = channel_of_transposed(dims, op->group);
  else linear.of = channel_of_matmul(dims);
}

// The constant as one number a channel, if it varies along the channel axis of `value` alone.
std::optional<Numbers> by_channel(const Tensor& constant, const Type& value, size_t axis,
                                  int64_t channels) {
  const Dims& dims = constant.dims();
  if (dims.size() > value.shape.size() || !is_float(constant.dtype())) return std::nullopt;
  const size_t shift = value.shape.size() - dims.size();
  for (size_t i = 0; i < dims.size(); ++i) {
    const bool here = i + shift == axis && dims[i] == channels;
    if (dims[i] != 1 && !here) return std::nullopt;
  }
  Numbers numbers = constant.to_doubles();
  if (numbers.size() == 1) numbers.assign(static_cast<size_t>(channels), numbers[0]);
  return numbers;
}

bool all_finite(const Numbers& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](double x) { return std::isfinite(x); });
}

// A weight with other readers would be stored twice; small ones may.
bool may_copy(const Value* weight) {
  constexpr uint64_t small_bytes = 1 << 20;
  return weight->uses().size() == 1 || weight->constant()->bytes() <= small_bytes;
}

// Null: not worth a copy.
Value* scaled_weight(Rewriter& rw, const Node& at, Linear& linear, const Numbers& scale) {
  if (std::all_of(scale.begin(), scale.end(), [](double x) { return x == 1; }))
    return linear.node->input(1);
  if (!may_copy(linear.node->input(1))) return nullptr;
  map_channels(linear);
  Numbers weight = linear.weight->to_doubles();
  for (size_t i = 0; i < weight.size(); ++i) weight[i] *= scale[linear.of[i]];
  return constant_like(rw, at, *linear.node->input(1), linear.weight->dims(), weight);
}

// node = linear * scale + shift.
bool fold_into(Rewriter& rw, const Node& node, Linear& linear, const Numbers& scale,
               const Numbers& shift) {
  if (!all_finite(scale) || !all_finite(shift)) return false;
  Values inputs = linear.node->inputs();
  const bool shifted = std::any_of(shift.begin(), shift.end(), [](double x) { return x != 0; });
  inputs[1] = scaled_weight(rw, node, linear, scale);
  if (!inputs[1]) return false;
  const Value& like = *linear.node->output();
  if (linear.has_bias_input) {
    Numbers bias = shift;
    if (linear.node->input(2)) {
      const Numbers before = linear.node->input(2)->constant()->to_doubles();
      for (size_t c = 0; c < bias.size(); ++c) bias[c] += before[c] * scale[c];
    }
    if (shifted || linear.node->input(2)) {
      inputs.resize(3);
      inputs[2] = constant_like(rw, node, like, {linear.channels}, bias);
    }
  }
  Value* result = rw.insert(node, linear.node->op(), inputs);
  if (!linear.has_bias_input && shifted) {
    result =
        rw.insert(node, Add{}, {result, constant_like(rw, node, like, {linear.channels}, shift)});
  }
  if (!same_type(*result, *node.output())) return false;
  rw.replace(node, {result});
  return true;
}

struct Affine {
  Numbers scale, shift;
};

// A batch normalisation of constants as scale and shift.
std::optional<Affine> affine_of(const Node& node, const BatchNormalization& op) {
  std::vector<Numbers> numbers;
  for (size_t i = 1; i < 5; ++i) {
    const Tensor* constant = node.input(i) ? node.input(i)->constant() : nullptr;
    if (!constant) return std::nullopt;
    numbers.push_back(constant->to_doubles());
  }
  Affine affine;
  for (size_t c = 0; c < numbers[0].size(); ++c) {
    const double scale = numbers[0][c] / std::sqrt(numbers[3][c] + static_cast<double>(op.epsilon));
    affine.scale.push_back(scale);
    affine.shift.push_back(numbers[1][c] - numbers[2][c] * scale);
  }
  if (!all_finite(affine.scale) || !all_finite(affine.shift)) return std::nullopt;
  return affine;
}

// matmul(x, w) + c with one reader, where the sum hides the product from what follows.
struct Biased {
  Linear linear;
  Numbers bias;
};
std::optional<Biased> biased_of(const Value* value) {
  const Node* add = producer_of<Add>(value);
  if (!add || !used_once(value) || !add->input(1)->constant()) return std::nullopt;
  Linear linear = linear_of(add->input(0));
  if (!linear.node || linear.has_bias_input || !same_type(*add->input(0), *value))
    return std::nullopt;
  auto bias = by_channel(*add->input(1)->constant(), value->type, linear.axis, linear.channels);
  if (!bias) return std::nullopt;
  return Biased{std::move(linear), std::move(*bias)};
}

// node = value * scale + shift, the factors by channel of the linear node that value comes from.
template <class MakeAffine>
bool fold_affine_into(Rewriter& rw, const Node& node, const Value* value, const MakeAffine& make) {
  if (Linear linear = linear_of(value); linear.node) {
    const std::optional<Affine> affine = make(linear);
    return affine && fold_into(rw, node, linear, affine->scale, affine->shift);
  }
  std::optional<Biased> biased = biased_of(value);
  if (!biased) return false;
  std::optional<Affine> affine = make(biased->linear);
  if (!affine) return false;
  for (size_t c = 0; c < biased->bias.size(); ++c)
    affine->shift[c] += biased->bias[c] * affine->scale[c];
  return fold_into(rw, node, biased->linear, affine->scale, affine->shift);
}

bool fold_batch_normalization(Rewriter& rw, const Node& node, const BatchNormalization& op) {
  const Type& type = node.output()->type;
  if (!type.ranked || type.rank() < 2) return false;
  const std::optional<Affine> affine = affine_of(node, op);
  if (!affine) return false;
  const auto make = [&](const Linear& linear) {
    const bool fits =
        linear.axis == 1 && linear.channels == static_cast<int64_t>(affine->scale.size());
    return fits ? affine : std::nullopt;
  };
  if (fold_affine_into(rw, node, node.input(0), make)) return true;
  // Nothing to fold into: a product and a sum, which fuse with their neighbours.
  Dims dims(static_cast<size_t>(type.rank() - 1), 1);
  dims[0] = static_cast<int64_t>(affine->scale.size());
  Value* x = node.input(0);
  Value* product = rw.insert(node, Mul{}, {x, constant_like(rw, node, *x, dims, affine->scale)});
  Value* sum = rw.insert(node, Add{}, {product, constant_like(rw, node, *x, dims, affine->shift)});
  if (!same_type(*sum, *node.output())) return false;
  rw.replace(node, {sum});
  return true;
}

// A product by a constant (`divide`: a quotient) behind a linear node.
bool fold_factor(Rewriter& rw, const Node& node, bool divide) {
  const Tensor* constant = node.input(1)->constant();
  if (!constant || !same_type(*node.input(0), *node.output())) return false;
  return fold_affine_into(
      rw, node, node.input(0), [&](const Linear& linear) -> std::optional<Affine> {
        auto scale = by_channel(*constant, node.output()->type, linear.axis, linear.channels);
        if (!scale) return std::nullopt;
        if (divide) {
          for (double& x : *scale) x = 1 / x;
        }
        const size_t count = scale->size();
        return Affine{std::move(*scale), Numbers(count, 0.0)};
      });
}

bool fold_mul(Rewriter& rw, const Node& node, const Mul&) { return fold_factor(rw, node, false); }
bool fold_div(Rewriter& rw, const Node& node, const Div&) { return fold_factor(rw, node, true); }

// A sum by channel becomes a convolution's bias; two sums behind a matrix product become one.
bool fold_add(Rewriter& rw, const Node& node, const Add&) {
  const Tensor* constant = node.input(1)->constant();
  if (!constant || !same_type(*node.input(0), *node.output())) return false;
  const Linear direct = linear_of(node.input(0));
  if (direct.node && !direct.has_bias_input) return false;
  return fold_affine_into(
      rw, node, node.input(0), [&](const Linear& linear) -> std::optional<Affine> {
        auto shift = by_channel(*constant, node.output()->type, linear.axis, linear.channels);
        if (!shift) return std::nullopt;
        const size_t count = shift->size();
        return Affine{Numbers(count, 1.0), std::move(*shift)};
      });
}

// A scalar factor of the data in front of a linear node: into the weights too. Very large ones stay
// the views into the model's file that they are.
template <class T>
bool fold_factor_before(Rewriter& rw, const Node& node, const T& op) {
  const Node* mul = producer_of<Mul>(node.input(0));
  if (!mul || !used_once(mul->output()) || !same_type(*mul->input(0), *mul->output())) return false;
  const std::optional<double> factor = uniform_value(mul->input(1));
  const Tensor* weight = node.input(1)->constant();
  if (!factor || !std::isfinite(*factor) || !weight || !is_float(weight->dtype())) return false;
  constexpr uint64_t most_elements = 1 << 22;
  if (!may_copy(node.input(1)) || weight->elements() > most_elements) return false;
  Numbers scaled = weight->to_doubles();
  for (double& x : scaled) x *= *factor;
  Values inputs = node.inputs();
  inputs[0] = mul->input(0);
  inputs[1] = constant_like(rw, node, *node.input(1), weight->dims(), scaled);
  rw.replace(node, op, inputs);
  return true;
}

// Begin and end pads of the spatial axes, when nothing else is padded and nothing is cropped.
std::optional<std::vector<int64_t>> spatial_pads(const Node& pad) {
  const auto pads = constant_ints(pad.input(1));
  const auto axes = constant_ints(pad.input(3));
  const auto rank = static_cast<size_t>(pad.output()->type.rank());
  if (!pads || (pad.input(3) && !axes) || rank < 3) return std::nullopt;
  const size_t count = axes ? axes->size() : rank;
  if (pads->size() != 2 * count) return std::nullopt;
  std::vector<int64_t> spatial(2 * (rank - 2), 0);
  for (size_t i = 0; i < count; ++i) {
    const auto axis = static_cast<size_t>(
        axes ? normalise_axis((*axes)[i], static_cast<int64_t>(rank)) : static_cast<int64_t>(i));
    const int64_t begin = (*pads)[i];
    const int64_t end = (*pads)[i + count];
    if (begin < 0 || end < 0 || (axis < 2 && (begin != 0 || end != 0))) return std::nullopt;
    if (axis < 2) continue;
    spatial[axis - 2] = begin;
    spatial[axis - 2 + rank - 2] = end;
  }
  return spatial;
}

bool fold_pad(Rewriter& rw, const Node& node, const Conv& conv) {
  const Node* pad = producer_of<Pad>(node.input(0));
  if (!pad || pad->as<Pad>()->mode != "constant" || conv.auto_pad != AutoPad::notset) return false;
  if (pad->input(2) && !is_uniform(pad->input(2), 0)) return false;
  if (!pad->output()->type.ranked || !pad->input(0)->type.ranked) return false;
  const auto pads = spatial_pads(*pad);
  if (!pads) return false;
  Conv padded = conv;
  padded.pads.resize(pads->size(), 0);
  for (size_t i = 0; i < pads->size(); ++i) padded.pads[i] += (*pads)[i];
  Values inputs = node.inputs();
  inputs[0] = pad->input(0);
  Value* result = rw.insert(node, padded, inputs);
  if (!same_type(*result, *node.output())) return false;
  rw.replace(node, {result});
  return true;
}

}  // namespace

void fold_affine(Graph& graph) {
  apply_rules(
      graph,
      {rule<BatchNormalization>("fold_batch_normalization", fold_batch_normalization),
       rule<Mul>("fold_mul", fold_mul), rule<Div>("fold_div", fold_div),
       rule<Add>("fold_add", fold_add), rule<Conv>("fold_factor_before", fold_factor_before<Conv>),
       rule<ConvTranspose>("fold_factor_before", fold_factor_before<ConvTranspose>),
       rule<MatMul>("fold_factor_before", fold_factor_before<MatMul>),
       rule<Conv>("fold_pad", fold_pad)});
}

}  // namespace tenrec
