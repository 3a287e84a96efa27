// SPDX-License-Identifier: Apache-2.0
// (x - mean) / (standard deviation + 1e-9) over the given axes.
#pragma once
#include "ops/elementwise.h"
#include "ops/onnx_context.h"
#include "ops/reduce.h"

namespace tenrec {

inline Values mean_variance_normalization(const OnnxNode& node, OnnxContext& context) {
  Value* x = context.input(0);
  TENREC_CHECK(x != nullptr, invalid_model, "the input is missing");
  std::vector<int64_t> axes = node.integers("axes", {0, 2, 3});
  if (node.opset() < 9 && node.integer("across_channels", 0) != 0) axes = {0, 1, 2, 3};
  Value* centred = context.one(Sub{}, {x, add_reduce(context, ReduceKind::mean, x, axes)});
  Value* squares = context.one(Mul{}, {centred, centred});
  Value* deviation = context.one(Sqrt{}, {add_reduce(context, ReduceKind::mean, squares, axes)});
  const double epsilon[] = {1e-9};
  Value* shifted = context.one(
      Add{}, {deviation, context.constant(Tensor::from_doubles(x->type.dtype, {}, epsilon))});
  return context.add(Div{}, {centred, shifted});
}
TENREC_ONNX("MeanVarianceNormalization", mean_variance_normalization)

}  // namespace tenrec
