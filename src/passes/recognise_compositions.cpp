// SPDX-License-Identifier: Apache-2.0
// Operators that are others put together, which have kernels: Einsum, Hardmax, BatchNormalization
// whose statistics are computed, DynamicQuantizeLinear.
#include <algorithm>
#include <cmath>

#include "ops/arg_reduce.h"
#include "ops/batch_normalization.h"
#include "ops/constant_of_shape.h"
#include "ops/dims.h"
#include "ops/einsum.h"
#include "ops/elementwise.h"
#include "ops/eye_like.h"
#include "ops/matmul.h"
#include "ops/one_hot.h"
#include "ops/quantize.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/softmax.h"
#include "ops/squeeze.h"
#include "ops/transpose.h"
#include "passes/recognise.h"

namespace tenrec {
namespace {

bool has(const std::string& names, char name) { return names.find(name) != names.npos; }

Value* cast(Rewriter& rw, const Node& node, Value* value, DType to) {
  return value->type.dtype == to ? value : rw.insert(node, Cast{.to = to}, {value});
}

// A tensor and the names of its axes.
struct Named {
  Value* value = nullptr;
  std::string names;
};

class Contraction {
 public:
  Contraction(Rewriter& rw, const Node& node) : rw_(rw), node_(node) {}

  // Null where sizes may be 1 or something else.
  Value* run(const EinsumPlan& plan) {
    std::vector<Named> operands;
    for (size_t i = 0; i < plan.inputs.size(); ++i)
      operands.push_back({multipliable(node_.input(i)), plan.inputs[i]});
    for (const Named& operand : operands)
      if (!note_sizes(operand)) return nullptr;
    for (Named& operand : operands) operand = diagonals(without_ones(operand));
    Named all = operands[0];
    for (size_t i = 1; i < operands.size(); ++i) {
      std::string wanted = plan.output;
      for (size_t k = i + 1; k < operands.size(); ++k) wanted += operands[k].names;
      all = product(all, operands[i], wanted);
    }
    all = summed(all, plan.output);
    return cast(rw_, node_, transposed(all, plan.output).value, node_.output()->type.dtype);
  }

 private:
  bool note_sizes(const Named& operand) {
    for (size_t i = 0; i < operand.names.size(); ++i) {
      const Dim& size = operand.value->type.shape[i];
      const auto [at, is_new] = sizes_.emplace(operand.names[i], size);
      if (at->second == Dim(1)) at->second = size;
      else if (!(at->second == size) && !(size == Dim(1))) return false;
    }
    return true;
  }

  // Without axes of size 1 that others have at full size.
  Named without_ones(const Named& from) {
    Named left{from.value, ""};
    Shape shape;
    for (size_t i = 0; i < from.names.size(); ++i) {
      const Dim& size = from.value->type.shape[i];
      if (!(size == sizes_.at(from.names[i]))) continue;
      left.names += from.names[i];
      shape.push_back(size);
    }
    left.value = reshaped(left.value, shape);
    return left;
  }

  // Of two axes of one name what lies on their diagonal: the rest becomes 0, and one axis is
  // summed.
  Named diagonals(Named from) {
    for (auto axes = repeated(from.names); axes; axes = repeated(from.names)) {
      const auto [first, second] = *axes;
      const Dim size = sizes_.at(from.names[first]);
      Value* value = turned(from, first, second);
      const DimsValue square{.values = {size, size}, .shape = {2}};
      Value* ones = rw_.insert(node_, ConstantOfShape{}, {rw_.insert(node_, square, {})});
      Value* eye = rw_.insert(node_, EyeLike{.dtype = DType::boolean}, {ones});
      Value* zero =
          rw_.constant(node_, Tensor::from_doubles(value->type.dtype, {}, std::vector{0.0}));
      Value* kept = rw_.insert(node_, Where{}, {eye, value, zero});
      Value* last = rw_.constant(node_, Tensor::of({1}, std::vector<int64_t>{-1}));
      std::string names = from.names;
      names.erase(second, 1);
      names.erase(first, 1);
      from = {rw_.insert(node_, Reduce{.keepdims = false}, {kept, last}),
              names + from.names[first]};
    }
    return from;
  }

  static std::optional<std::pair<size_t, size_t>> repeated(const std::string& names) {
    for (size_t i = 0; i < names.size(); ++i) {
      const size_t other = names.find(names[i], i + 1);
      if (other != names.npos) return std::pair{i, other};
    }
    return std::nullopt;
  }

  // With two axes moved to the end.
  Value* turned(const Named& from, size_t a, size_t b) {
    Transpose turn;
    for (size_t i = 0; i < from.names.size(); ++i)
      if (i != a && i != b) turn.perm.push_back(static_cast<int64_t>(i));
    turn.perm.push_back(static_cast<int64_t>(a));
    turn.perm.push_back(static_cast<int64_t>(b));
    return rw_.insert(node_, turn, {from.value});
  }

  Shape sizes(const std::string& names) const {
    Shape shape;
    for (const char name : names) shape.push_back(sizes_.at(name));
    return shape;
  }

  // Without the axes that nobody wants.
  Named summed(Named from, const std::string& wanted) {
    std::vector<int64_t> axes;
    std::string left;
    for (size_t i = 0; i < from.names.size(); ++i) {
      if (has(wanted, from.names[i])) left += from.names[i];
      else axes.push_back(static_cast<int64_t>(i));
    }
    if (axes.empty()) return from;
    const auto count = static_cast<int64_t>(axes.size());
    Value* list = rw_.constant(node_, Tensor::of({count}, axes));
    return {rw_.insert(node_, Reduce{.keepdims = false}, {from.value, list}), left};
  }

  Named transposed(Named from, const std::string& names) {
    if (from.names == names) return from;
    Transpose turn;
    for (const char name : names) turn.perm.push_back(static_cast<int64_t>(from.names.find(name)));
    return {rw_.insert(node_, turn, {from.value}), names};
  }

  Value* reshaped(Value* value, const Shape& shape) {
    if (value->type.shape == shape) return value;
    const DimsValue dims{.values = shape, .shape = {static_cast<int64_t>(shape.size())}};
    return rw_.insert(node_, Reshape{}, {value, rw_.insert(node_, dims, {})});
  }

  // [batch, rows, columns] of what has the axes of `batch`, `rows` and `columns`.
  Value* matrix(const Named& from, const std::string& batch, const std::string& rows,
                const std::string& columns) {
    Shape shape = sizes(batch);
    shape.push_back(tenrec::product(sizes(rows)));
    shape.push_back(tenrec::product(sizes(columns)));
    return reshaped(transposed(from, batch + rows + columns).value, shape);
  }

  // MatMul takes no narrow integers; wider ones wrap to the same in the end.
  Value* multipliable(Value* value) {
    const DType dtype = value->type.dtype;
    const bool is_narrow = is_integer(dtype) && bit_width(dtype) < 32;
    return is_narrow ? cast(rw_, node_, value, DType::i32) : value;
  }

  Named product(Named a, Named b, const std::string& wanted) {
    a = summed(a, b.names + wanted);
    b = summed(b, a.names + wanted);
    std::string batch, rows, columns, inner;
    for (const char name : a.names) {
      if (!has(b.names, name)) rows += name;
      else (has(wanted, name) ? batch : inner) += name;
    }
    for (const char name : b.names) {
      if (!has(a.names, name)) columns += name;
    }
    const bool multiplies = inner.empty();
    const Values operands{matrix(a, batch, rows, inner), matrix(b, batch, inner, columns)};
    Value* result =
        multiplies ? rw_.insert(node_, Mul{}, operands) : rw_.insert(node_, MatMul{}, operands);
    const std::string names = batch + rows + columns;
    return {reshaped(result, sizes(names)), names};
  }

  Rewriter& rw_;
  const Node& node_;
  std::map<char, Dim> sizes_;
};

bool compose_einsum(Rewriter& rw, const Node& node, const Einsum& op) {
  std::vector<int64_t> ranks;
  for (const Value* input : node.inputs()) {
    if (!input->type.ranked) return false;
    ranks.push_back(input->type.rank());
  }
  Value* out = Contraction(rw, node).run(parse_einsum(op.equation, ranks));
  if (!out || !same_type(*out, *node.output())) return false;
  rw.replace(node, {out});
  return true;
}

bool compose_hardmax(Rewriter& rw, const Node& node, const Hardmax& op) {
  const Type& x = node.input(0)->type;
  if (!x.ranked || x.rank() == 0) return false;
  const int64_t axis = normalise_axis(op.axis, x.rank());
  // Nothing has a largest element of nothing, but a Hardmax.
  if (x.shape[static_cast<size_t>(axis)].lower() < 1) return false;
  Value* at = rw.insert(node, ArgReduce{.axis = axis, .keepdims = false}, {node.input(0)});
  const DimsValue size{.values = {x.shape[static_cast<size_t>(axis)]}, .shape = {1}};
  Value* depth = rw.insert(node, size, {});
  Value* values = rw.constant(node, Tensor::from_doubles(x.dtype, {2}, std::vector{0.0, 1.0}));
  Value* out = rw.insert(node, OneHot{.axis = axis}, {at, depth, values});
  if (!same_type(*out, *node.output())) return false;
  rw.replace(node, {out});
  return true;
}

bool compose_batch_normalization(Rewriter& rw, const Node& node, const BatchNormalization& op) {
  const Type& x = node.input(0)->type;
  if (!x.ranked || x.rank() < 2) return false;
  bool computed = false;
  DType dtype = x.dtype;  // where they are of several types, one that holds all
  for (size_t i = 1; i < 5; ++i) {
    const Type& type = node.input(i)->type;
    if (!type.ranked) return false;
    if (type.dtype != dtype)
      dtype = dtype == DType::f64 || type.dtype == DType::f64 ? DType::f64 : DType::f32;
    computed |= node.input(i)->constant() == nullptr || type.dtype != x.dtype;
  }
  if (!computed) return false;
  std::vector<int64_t> axes;
  for (int64_t axis = 1; axis < x.rank() - 1; ++axis) axes.push_back(axis);
  std::vector<Value*> by_channel(5);
  for (size_t i = 1; i < 5; ++i) {
    by_channel[i] = cast(rw, node, node.input(i), dtype);
    if (axes.empty()) continue;
    const auto count = static_cast<int64_t>(axes.size());
    by_channel[i] =
        rw.insert(node, Unsqueeze{}, {by_channel[i], rw.constant(node, Tensor::of({count}, axes))});
  }
  Value* epsilon = rw.constant(
      node, Tensor::from_doubles(dtype, {}, std::vector{static_cast<double>(op.epsilon)}));
  Value* deviation = rw.insert(node, Sqrt{}, {rw.insert(node, Add{}, {by_channel[4], epsilon})});
  Value* factor = rw.insert(node, Div{}, {by_channel[1], deviation});
  Value* centred = rw.insert(node, Sub{}, {cast(rw, node, node.input(0), dtype), by_channel[3]});
  Value* scaled = rw.insert(node, Mul{}, {centred, factor});
  Value* out = cast(rw, node, rw.insert(node, Add{}, {scaled, by_channel[2]}), x.dtype);
  if (!same_type(*out, *node.output())) return false;
  rw.replace(node, {out});
  return true;
}

bool compose_dynamic_quantize_linear(Rewriter& rw, const Node& node, const DynamicQuantizeLinear&) {
  Value* x = node.input(0);
  if (x->type.dtype != DType::f32) return false;
  const auto number = [&](float value) { return rw.constant(node, Tensor::scalar(value)); };
  const auto extreme = [&](ReduceKind kind) {
    return rw.insert(node, Reduce{.kind = kind, .keepdims = false}, {x});
  };
  Value* low = rw.insert(node, Min{}, {extreme(ReduceKind::min), number(0)});
  Value* high = rw.insert(node, Max{}, {extreme(ReduceKind::max), number(0)});
  Value* step = rw.insert(node, Div{}, {rw.insert(node, Sub{}, {high, low}), number(255)});
  Value* flat = rw.insert(node, Equal{}, {high, low});
  Value* scale = rw.insert(node, Where{}, {flat, number(1), step});
  Value* at_zero = rw.insert(node, Div{}, {rw.insert(node, Neg{}, {low}), scale});
  Value* rounded = rw.insert(node, Round{}, {at_zero});
  Value* inside =
      rw.insert(node, Min{}, {rw.insert(node, Max{}, {rounded, number(0)}), number(255)});
  Value* zero = rw.insert(node, Cast{.to = DType::u8}, {inside});
  Value* quantised = rw.insert(node, QuantizeLinear{}, {x, scale, zero});
  if (!same_type(*quantised, *node.output())) return false;
  rw.replace(node, {quantised, scale, zero});
  return true;
}

}  // namespace

std::vector<Rule> composition_rules() {
  return {rule<Einsum>("compose_einsum", compose_einsum),
          rule<Hardmax>("compose_hardmax", compose_hardmax),
          rule<BatchNormalization>("compose_batch_normalization", compose_batch_normalization),
          rule<DynamicQuantizeLinear>("compose_dynamic_quantize_linear",
                                      compose_dynamic_quantize_linear)};
}

}  // namespace tenrec
