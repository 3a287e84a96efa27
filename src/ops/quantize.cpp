// SPDX-License-Identifier: Apache-2.0
#include "ops/quantize.h"

#include <algorithm>
#include <cmath>

#include "ops/conv_integer.h"
#include "ops/dense.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/reshape.h"
#include "ops/support.h"

namespace tenrec {
namespace {

struct Range {
  double lowest = 0, highest = 0;
};

Range integer_range(DType dtype) {
  const int bits = bit_width(dtype);
  if (!is_signed(dtype)) return {0, std::ldexp(1.0, bits) - 1};
  return {-std::ldexp(1.0, bits - 1), std::ldexp(1.0, bits - 1) - 1};
}

// Shapes of scale and zero point against x.
void check_parameters(const Types& in, int64_t axis, int64_t block_size) {
  const Type& x = required(in, 0, "the input");
  const Type& scale = required(in, 1, "the scale");
  TENREC_CHECK(block_size >= 0, invalid_model, "block_size is {}", block_size);
  // A single number comes as a scalar or as [1], and scale and zero point need not agree which.
  const auto is_single = [](const Type& type) { return product(type.shape) == Dim(1); };
  if (present(in, 2) && in[2].ranked && scale.ranked && !(is_single(scale) && is_single(in[2]))) {
    TENREC_CHECK(in[2].rank() == scale.rank(), invalid_model,
                 "scale {} and zero point {} have different shapes", scale.str(), in[2].str());
    for (size_t i = 0; i < scale.shape.size(); ++i) {
      check_same_size(scale.shape[i], in[2].shape[i], "scale and zero point");
    }
  }
  if (!x.ranked || !scale.ranked || scale.rank() == 0) return;
  if (block_size == 0) {
    TENREC_CHECK(scale.rank() == 1, invalid_model,
                 "the scale is {}, expected one number or one for each element of an axis",
                 scale.str());
    if (scale.shape[0] == Dim(1)) return;
    const auto at = static_cast<size_t>(normalise_axis(axis, x.rank()));
    check_same_size(scale.shape[0], x.shape[at], "scale and quantised axis");
    return;
  }
  TENREC_CHECK(scale.rank() == x.rank(), invalid_model,
               "the scale {} of blocks must have as many axes as the input {}", scale.str(),
               x.str());
  const auto at = static_cast<size_t>(normalise_axis(axis, x.rank()));
  for (size_t i = 0; i < x.shape.size(); ++i) {
    check_same_size(scale.shape[i], i == at ? ceildiv(x.shape[i], block_size) : x.shape[i],
                    "scale and input");
  }
}

Type like(const Type& x, DType dtype) {
  return x.ranked ? Type::tensor(dtype, x.shape) : Type::unranked(dtype);
}

bool is_small_float(DType dtype) { return is_float(dtype) && bit_width(dtype) <= 8; }

// fp8 without saturation needs its own conversion; from_doubles saturates.
Tensor to_small_floats(DType dtype, const Dims& dims, const std::vector<double>& values,
                       bool saturate) {
  if (saturate || bit_width(dtype) < 8) return Tensor::from_doubles(dtype, dims, values);
  Tensor tensor(dtype, dims);
  const std::span<std::byte> to{tensor.mutable_data(), values.size()};
  for (size_t i = 0; i < values.size(); ++i) {
    to[i] =
        static_cast<std::byte>(float_to_small_float(dtype, static_cast<float>(values[i]), false));
  }
  return tensor;
}

}  // namespace

std::vector<size_t> quantization_elements(const Dims& x, const Dims& scale, int64_t axis,
                                          int64_t block_size) {
  const size_t count = element_count(x);
  std::vector<size_t> elements(count, 0);
  if (element_count(scale) <= 1 || count == 0) return elements;
  const auto at = static_cast<size_t>(normalise_axis(axis, static_cast<int64_t>(x.size())));
  const auto inner = static_cast<size_t>(elements_between(x, at + 1, x.size()));
  const auto length = static_cast<size_t>(x[at]);
  for (size_t i = 0; i < count; ++i) {
    const size_t along = i / inner % length;
    if (block_size == 0) {
      elements[i] = along;
      continue;
    }
    const size_t block = along / static_cast<size_t>(block_size);
    elements[i] =
        (i / (inner * length) * static_cast<size_t>(scale[at]) + block) * inner + i % inner;
  }
  return elements;
}

Types QuantizeLinear::infer(const Types& in) const {
  check_parameters(in, axis, block_size);
  DType dtype = output_dtype;
  if (present(in, 2)) {
    TENREC_CHECK(dtype == DType::undefined || dtype == in[2].dtype, invalid_model,
                 "output_dtype is {}, the zero point {}", name(dtype), in[2].str());
    dtype = in[2].dtype;
  }
  return {like(in[0], dtype == DType::undefined ? DType::u8 : dtype)};
}

Tensors QuantizeLinear::eval(const Tensors& in) const {
  const DType dtype = actual_outputs(*this, in)[0].dtype;
  const Dims& dims = in[0].dims();
  const std::vector<size_t> at = quantization_elements(dims, in[1].dims(), axis, block_size);
  const std::vector<double> scale = in[1].to_doubles();
  const std::vector<double> zero =
      present(in, 2) ? in[2].to_doubles() : std::vector<double>(scale.size(), 0.0);
  std::vector<double> x = in[0].to_doubles();
  if (is_small_float(dtype)) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = x[i] / scale[at[i]] + zero[at[i]];
    return {to_small_floats(dtype, dims, x, saturate)};
  }
  const Range range = integer_range(dtype);
  for (size_t i = 0; i < x.size(); ++i) {
    const float quotient = static_cast<float>(x[i]) / static_cast<float>(scale[at[i]]);
    x[i] = std::clamp(std::nearbyint(static_cast<double>(quotient)) + zero[at[i]], range.lowest,
                      range.highest);
  }
  return {Tensor::from_doubles(dtype, dims, x)};
}

Values QuantizeLinear::from_onnx(const OnnxNode& node, OnnxContext& context) {
  const int64_t precision = node.integer("precision", 0);  // of the quotient; 0: the scale's
  TENREC_CHECK(precision == 0 || node.dtype("precision") == DType::f32 ||
                   (context.input(1) && node.dtype("precision") == context.input(1)->type.dtype),
               unsupported, "precision is {}, expected that of the scale or float32",
               name(node.dtype("precision")));
  return context.add(QuantizeLinear{.axis = node.integer("axis", 1),
                                    .block_size = node.integer("block_size", 0),
                                    .output_dtype = node.dtype("output_dtype", DType::undefined),
                                    .saturate = node.integer("saturate", 1) != 0},
                     context.inputs());
}

Types DequantizeLinear::infer(const Types& in) const {
  check_parameters(in, axis, block_size);
  return {like(in[0], output_dtype == DType::undefined ? in[1].dtype : output_dtype)};
}

Tensors DequantizeLinear::eval(const Tensors& in) const {
  const DType dtype = actual_outputs(*this, in)[0].dtype;
  const Dims& dims = in[0].dims();
  const std::vector<size_t> at = quantization_elements(dims, in[1].dims(), axis, block_size);
  const std::vector<double> scale = in[1].to_doubles();
  const std::vector<double> zero =
      present(in, 2) ? in[2].to_doubles() : std::vector<double>(scale.size(), 0.0);
  std::vector<double> x = in[0].to_doubles();
  for (size_t i = 0; i < x.size(); ++i) x[i] = (x[i] - zero[at[i]]) * scale[at[i]];
  return {Tensor::from_doubles(dtype, dims, x)};
}

Types DynamicQuantizeLinear::infer(const Types& in) const {
  return {like(required_float(in, 0, "the input"), DType::u8), Type::tensor(DType::f32, {}),
          Type::tensor(DType::u8, {})};
}

Tensors DynamicQuantizeLinear::eval(const Tensors& in) const {
  const std::vector<double> x = in[0].to_doubles();
  float lowest = 0;
  float highest = 0;
  for (const double value : x) {
    lowest = std::min(lowest, static_cast<float>(value));
    highest = std::max(highest, static_cast<float>(value));
  }
  const float scale = highest == lowest ? 1.0F : (highest - lowest) / 255.0F;
  const float zero = std::clamp(std::nearbyint(-lowest / scale), 0.0F, 255.0F);
  std::vector<double> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const float quotient = std::nearbyint(static_cast<float>(x[i]) / scale);
    y[i] = static_cast<double>(std::clamp(quotient + zero, 0.0F, 255.0F));
  }
  return {Tensor::from_doubles(DType::u8, in[0].dims(), y), Tensor::scalar<float>(scale),
          Tensor::scalar<uint8_t>(static_cast<uint8_t>(zero))};
}

Types MatMulInteger::infer(const Types& in) const {
  const Type& a = required(in, 0, "the left operand");
  const Type& b = required(in, 1, "the right operand");
  if (!a.ranked || !b.ranked) return {Type::unranked(DType::i32)};
  const auto check_zero = [&](size_t i, const Dim& lines, std::string_view what) {
    if (!present(in, i) || !in[i].ranked || in[i].rank() != 1 || in[i].shape[0] == Dim(1)) return;
    check_same_size(in[i].shape[0], lines, what);
  };
  Shape shape = matmul_shape(a, b);
  check_zero(2, a.rank() > 1 ? a.shape[a.shape.size() - 2] : Dim(1), "zero points and rows");
  check_zero(3, b.shape.back(), "zero points and columns");
  return {Type::tensor(DType::i32, std::move(shape))};
}

Tensors MatMulInteger::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const MatMulPlan plan = plan_matmul(in[0].dims(), in[1].dims());
  std::vector<double> a = in[0].to_doubles();
  std::vector<double> b = in[1].to_doubles();
  const auto width = [](int64_t size) { return static_cast<size_t>(std::max<int64_t>(size, 1)); };
  if (present(in, 2)) {
    // One number, or one for each row (of every matrix, when given as [..., M, 1]).
    const std::vector<double> zero = in[2].to_doubles();
    for (size_t i = 0; i < a.size(); ++i) a[i] -= zero[i / width(plan.k) % zero.size()];
  }
  if (present(in, 3)) {
    const std::vector<double> zero = in[3].to_doubles();
    const size_t columns = width(plan.n);
    const size_t depth = width(plan.k);
    for (size_t i = 0; i < b.size(); ++i) {
      const size_t matrix = i / (columns * depth);
      b[i] -= zero.size() == 1 ? zero[0] : zero[(matrix * columns + i % columns) % zero.size()];
    }
  }
  std::vector<double> c(element_count(out), 0.0);
  double* to = c.data();
  for (const auto& [a_matrix, b_matrix] : plan.products) {
    multiply_add(plan.m, plan.n, plan.k, a.data() + a_matrix * plan.m * plan.k, plan.k,
                 b.data() + b_matrix * plan.k * plan.n, plan.n, to, plan.n);
    to += plan.m * plan.n;
  }
  return {Tensor::from_doubles(DType::i32, out, c)};
}

namespace {

Value* reshaped(OnnxContext& context, Value* value, std::vector<int64_t> dims) {
  const auto count = static_cast<int64_t>(dims.size());
  return context.one(Reshape{}, {value, context.constant(Tensor::of<int64_t>({count}, dims))});
}

bool is_vector(const Value* value) {
  return value->type.ranked && value->type.rank() == 1 && value->type.shape[0] != Dim(1);
}

// A one-element vector as a scalar, so that it broadcasts to anything.
Value* as_scalar(OnnxContext& context, Value* value) {
  return value->type.ranked && value->type.rank() == 0 ? value : reshaped(context, value, {});
}

// The exact integer product scaled back to real numbers and quantised again.
Values requantized(OnnxContext& context, Value* product, Value* left_scale, Value* right_scale,
                   Value* scale, Value* zero) {
  Value* both = context.one(Mul{}, {left_scale, right_scale});
  Value* numbers = context.one(Cast{.to = both->type.dtype}, {product});
  Value* real = context.one(Mul{}, {numbers, both});
  return context.add(QuantizeLinear{}, {real, as_scalar(context, scale), as_scalar(context, zero)});
}

// A float8 operand less its zero point, as a number; `by_row`: one zero point a row, not a column.
Value* shifted(OnnxContext& context, Value* value, Value* zero, bool by_row) {
  if (by_row && is_vector(zero)) zero = reshaped(context, zero, {-1, 1});
  else if (!is_vector(zero) && zero->type.ranked && zero->type.rank() <= 1)
    zero = as_scalar(context, zero);
  Value* number = context.one(Cast{.to = DType::f32}, {value});
  return context.one(Sub{}, {number, context.one(Cast{.to = DType::f32}, {zero})});
}

// Of integers the product is exact; float8 has fractions, which an integer product would drop.
Value* quantised_product(OnnxContext& context) {
  Value *a = context.input(0), *b = context.input(3);
  Value *a_zero = context.input(2), *b_zero = context.input(5);
  if (!is_float(a->type.dtype) && !is_float(b->type.dtype))
    return context.one(MatMulInteger{}, {a, b, a_zero, b_zero});
  return context.one(MatMul{},
                     {shifted(context, a, a_zero, true), shifted(context, b, b_zero, false)});
}

void check_inputs(OnnxContext& context, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    TENREC_CHECK(context.input(i) != nullptr, invalid_model, "input {} is missing", i);
  }
}

}  // namespace

Values qlinear_matmul(const OnnxNode&, OnnxContext& context) {
  check_inputs(context, 8);
  Value* product = quantised_product(context);
  Value* a_scale = context.input(1);
  a_scale = is_vector(a_scale) ? reshaped(context, a_scale, {-1, 1}) : a_scale;
  Value* b_scale = context.input(4);
  if (!is_vector(b_scale) && b_scale->type.ranked && b_scale->type.rank() == 1) {
    b_scale = as_scalar(context, b_scale);
  }
  if (a_scale->type.ranked && a_scale->type.rank() == 1) a_scale = as_scalar(context, a_scale);
  return requantized(context, product, a_scale, b_scale, context.input(6), context.input(7));
}

Values qlinear_conv(const OnnxNode& node, OnnxContext& context) {
  check_inputs(context, 8);
  const Conv conv = read_conv(node, context, context.input(0), context.input(3));
  Value* product =
      context.one(ConvInteger{conv.auto_pad, conv.dilations, conv.group, conv.pads, conv.strides},
                  {context.input(0), context.input(3), context.input(2), context.input(5)});
  // [O] -> [O, 1, ...], which broadcasts along the channels.
  std::vector<int64_t> by_channel(static_cast<size_t>(product->type.rank() - 1), 1);
  by_channel[0] = -1;
  if (context.input(8)) {
    product = context.one(Add{}, {product, reshaped(context, context.input(8), by_channel)});
  }
  Value* w_scale = context.input(4);
  w_scale =
      is_vector(w_scale) ? reshaped(context, w_scale, by_channel) : as_scalar(context, w_scale);
  return requantized(context, product, as_scalar(context, context.input(1)), w_scale,
                     context.input(6), context.input(7));
}

double MatMulInteger::flops(const Types& in, const Types& out) const {
  return MatMul{}.flops(in, out);
}

}  // namespace tenrec
