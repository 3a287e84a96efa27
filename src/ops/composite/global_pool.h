// SPDX-License-Identifier: Apache-2.0
// Global pools are reductions over all spatial axes.
#pragma once
#include <numeric>

#include "ops/elementwise.h"
#include "ops/onnx_context.h"
#include "ops/reduce.h"

namespace tenrec {

inline Value* reduce_spatial(OnnxContext& context, ReduceKind kind, Value* value) {
  TENREC_CHECK(value != nullptr, invalid_model, "the input is missing");
  const int64_t rank = value->type.rank();
  TENREC_CHECK(rank >= 2, invalid_model, "the input is {}, expected batch and channels at least",
               value->type.str());
  std::vector<int64_t> axes(static_cast<size_t>(rank - 2));
  std::iota(axes.begin(), axes.end(), int64_t{2});
  return add_reduce(context, kind, value, std::move(axes));
}

inline Values global_average_pool(const OnnxNode&, OnnxContext& context) {
  return {reduce_spatial(context, ReduceKind::mean, context.input(0))};
}
inline Values global_max_pool(const OnnxNode&, OnnxContext& context) {
  return {reduce_spatial(context, ReduceKind::max, context.input(0))};
}
inline Values global_lp_pool(const OnnxNode& node, OnnxContext& context) {
  // Opset 1 had a float p.
  const double p =
      node.opset() < 2 ? node.number("p", 2) : static_cast<double>(node.integer("p", 2));
  Value* x = context.input(0);
  if (p == 1) return {reduce_spatial(context, ReduceKind::l1, x)};
  if (p == 2) return {reduce_spatial(context, ReduceKind::l2, x)};
  TENREC_CHECK(p > 0 && x, invalid_model, "p is {}, expected a positive number", p);
  const auto number = [&](double value) {
    const double one[] = {value};
    return context.constant(Tensor::from_doubles(x->type.dtype, {}, one));
  };
  Value* powers = context.one(Pow{}, {context.one(Abs{}, {x}), number(p)});
  return context.add(Pow{}, {reduce_spatial(context, ReduceKind::sum, powers), number(1 / p)});
}
TENREC_ONNX("GlobalAveragePool", global_average_pool)
TENREC_ONNX("GlobalMaxPool", global_max_pool)
TENREC_ONNX("GlobalLpPool", global_lp_pool)

}  // namespace tenrec
