// SPDX-License-Identifier: Apache-2.0
#include "ops/elementwise.h"

#include "ops/convert.h"
#include "ops/onnx_context.h"
#include "ops/reshape.h"

namespace tenrec {
namespace {

// `value` with `trailing` axes of size 1 appended, so that numpy's right-aligned broadcasting puts
// it at the axis that old opsets named.
Value* append_axes(OnnxContext& context, Value* value, int64_t trailing) {
  std::vector<int64_t> shape;
  for (const Dim& dim : value->type.shape) {
    TENREC_CHECK(dim.is_const(), unsupported,
                 "broadcasting by axis (opset < 7) needs an operand of known shape, got {}",
                 value->type.str());
    shape.push_back(dim.value());
  }
  shape.insert(shape.end(), static_cast<size_t>(trailing), 1);
  const Dims dims{static_cast<int64_t>(shape.size())};
  return context.one(Reshape{}, {value, context.constant(Tensor::of(dims, shape))});
}

}  // namespace

Values numpy_operands(const OnnxNode& node, OnnxContext& context) {
  Values inputs = context.inputs();
  if (node.opset() >= 7 || inputs.size() != 2 || node.integer("broadcast", 0) == 0) return inputs;
  TENREC_CHECK(inputs[0] && inputs[1], invalid_model, "takes 2 inputs, one is missing");
  const int64_t rank = inputs[0]->type.rank();
  const int64_t own = inputs[1]->type.rank();
  if (own == 0) return inputs;  // a number meets every element
  const int64_t axis = normalise_axis(node.integer("axis", rank - own), std::max<int64_t>(rank, 1));
  const int64_t trailing = rank - own - axis;
  TENREC_CHECK(trailing >= 0, invalid_model, "axis {} does not fit operands of rank {} and {}",
               axis, rank, own);
  if (trailing > 0) inputs[1] = append_axes(context, inputs[1], trailing);
  return inputs;
}

Values PRelu::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Values inputs = context.inputs();
  TENREC_CHECK(inputs.size() == 2 && inputs[0] && inputs[1], invalid_model, "PRelu takes 2 inputs");
  const Type& x = inputs[0]->type;
  const Type& slope = inputs[1]->type;
  if (node.opset() < 7 && slope.rank() == 1 && x.rank() > 2) {
    inputs[1] = append_axes(context, inputs[1], x.rank() - 2);
  }
  return context.add(PRelu{}, inputs);
}

Values Clip::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Value* x = context.input(0);
  if (node.opset() < 11) {
    Clip op;
    if (node.has("min")) op.min = static_cast<double>(node.number("min", 0));
    if (node.has("max")) op.max = static_cast<double>(node.number("max", 0));
    return context.add(op, {x});
  }
  const auto constant = [&](Value* value) -> std::optional<double> {
    const Tensor* tensor = value ? context.constant_of(value) : nullptr;
    // 64-bit integers do not fit a double; they take the general path below.
    if (!tensor || tensor->elements() != 1 || bit_width(tensor->dtype()) == 64) return std::nullopt;
    return tensor->to_doubles()[0];
  };
  Value* low = context.input(1);
  Value* high = context.input(2);
  const std::optional<double> fixed_low = constant(low);
  const std::optional<double> fixed_high = constant(high);
  Clip op;
  if (fixed_low) op.min = *fixed_low;
  if (fixed_high) op.max = *fixed_high;
  Value* result = x;
  if (low && !fixed_low) result = context.one(Max{}, {result, low});
  if (op.min != Clip{}.min || op.max != Clip{}.max || (!low && !high)) {
    // A constant low with a run-time high must be applied first: max wins only where low > high.
    result = context.one(op, {result});
  }
  if (high && !fixed_high) result = context.one(Min{}, {result, high});
  return {result};
}

Values Cast::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Value* x = context.input(0);
  TENREC_CHECK(x != nullptr, invalid_model, "Cast needs an input");
  DType to = DType::undefined;
  // Opset 1 to 5 wrote the type's name.
  static const std::map<std::string, DType> by_name{
      {"FLOAT", DType::f32},    {"DOUBLE", DType::f64}, {"FLOAT16", DType::f16},
      {"INT8", DType::i8},      {"INT16", DType::i16},  {"INT32", DType::i32},
      {"INT64", DType::i64},    {"UINT8", DType::u8},   {"UINT16", DType::u16},
      {"UINT32", DType::u32},   {"UINT64", DType::u64}, {"BOOL", DType::boolean},
      {"STRING", DType::string}};
  if (node.opset() < 6) {
    const auto found = by_name.find(node.text("to", ""));
    TENREC_CHECK(found != by_name.end(), invalid_model, "Cast to unknown type '{}'",
                 node.text("to", ""));
    to = found->second;
  } else {
    to = node.dtype("to");
  }
  return add_cast(node, context, x, to);
}

}  // namespace tenrec
