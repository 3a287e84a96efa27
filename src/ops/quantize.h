// SPDX-License-Identifier: Apache-2.0
// Between real numbers and integers (or fp8): x ~ (q - zero_point) * scale. Scale and zero point
// are single (per tensor), one for every element of `axis`, or one for every `block_size` elements
// of it.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// x, scale, optional zero point. The quotient is rounded in float32, half to even.
struct QuantizeLinear {
  int64_t axis = 1;
  int64_t block_size = 0;
  DType output_dtype = DType::undefined;  // undefined: the zero point's, else u8
  bool saturate = true;                   // fp8 only
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "block_size", s.block_size),
                      field(3, "output_dtype", s.output_dtype), field(4, "saturate", s.saturate)};
  }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(QuantizeLinear, "quantize_linear")

// x, scale, optional zero point.
struct DequantizeLinear {
  int64_t axis = 1;
  int64_t block_size = 0;
  DType output_dtype = DType::undefined;  // undefined: the scale's
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "block_size", s.block_size),
                      field(3, "output_dtype", s.output_dtype)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(DequantizeLinear, "dequantize_linear")

// x -> u8, and the scale and zero point that span its range and 0.
struct DynamicQuantizeLinear {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(DynamicQuantizeLinear, "dynamic_quantize_linear")

// 8-bit a, b, optional zero points (single, by row of a, by column of b) -> i32.
struct MatMulInteger {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
};
TENREC_OP(MatMulInteger, "matmul_integer")

// The value that one element of a quantised tensor takes its scale from.
std::vector<size_t> quantization_elements(const Dims& x, const Dims& scale, int64_t axis,
                                          int64_t block_size);

Values qlinear_matmul(const OnnxNode& node, OnnxContext& context);
Values qlinear_conv(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("QLinearMatMul", qlinear_matmul)
TENREC_ONNX("QLinearConv", qlinear_conv)

}  // namespace tenrec
