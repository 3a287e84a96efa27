// SPDX-License-Identifier: Apache-2.0
// Gemm: alpha * A' * B' + beta * C. With constant operands the transposes fold away.
#pragma once
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/onnx_context.h"
#include "ops/transpose.h"

namespace tenrec {

inline Values gemm(const OnnxNode& node, OnnxContext& context) {
  const auto operand = [&](size_t i, std::string_view flag) {
    Value* value = context.input(i);
    TENREC_CHECK(value != nullptr, invalid_model, "input {} is missing", i);
    TENREC_CHECK(!value->type.ranked || value->type.rank() == 2, invalid_model,
                 "input {} is {}, expected a matrix", i, value->type.str());
    if (node.integer(flag, 0) == 0) return value;
    return context.one(Transpose{.perm = {1, 0}}, {value});
  };
  const auto scaled_by = [&](Value* value, float factor) {
    if (factor == 1) return value;
    const double number[] = {factor};
    Value* scale = context.constant(Tensor::from_doubles(value->type.dtype, {}, number));
    return context.one(Mul{}, {value, scale});
  };
  if (node.opset() < 7) node.integer("broadcast", 0);  // of c, which broadcasts anyway
  Value* a = operand(0, "transA");
  Value* b = operand(1, "transB");
  const float alpha = node.number("alpha", 1);
  const float beta = node.number("beta", 1);
  TENREC_CHECK(
      (alpha == 1 && beta == 1) || is_float(a->type.dtype), unsupported,
      "alpha {} and beta {} of an integer product: only 1 and 1 are exact; convert its operands to "
      "float",
      alpha, beta);
  Value* product = scaled_by(context.one(MatMul{}, {a, b}), alpha);
  Value* c = context.input(2);
  TENREC_CHECK(c || node.opset() >= 11, invalid_model, "c (input 2) is missing");
  if (!c || beta == 0) return {product};
  return context.add(Add{}, {product, scaled_by(c, beta)});
}
TENREC_ONNX("Gemm", gemm)

}  // namespace tenrec
