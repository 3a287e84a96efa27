// SPDX-License-Identifier: Apache-2.0
// x / norm(x, axis), and 0 where the norm is 0.
#pragma once
#include "ops/composite/helpers.h"
#include "ops/elementwise.h"
#include "ops/reduce.h"

namespace tenrec {

inline Values lp_normalization(const OnnxNode& node, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  const int64_t p = node.integer("p", 2);
  TENREC_CHECK(p == 1 || p == 2, invalid_model, "p is {}, expected 1 or 2", p);
  const ReduceKind kind = p == 1 ? ReduceKind::l1 : ReduceKind::l2;
  Value* norm = add_reduce(context, kind, x, {node.integer("axis", -1)});
  Value* is_zero = context.one(Equal{}, {norm, number(context, 0, x->type.dtype)});
  Value* divisor = context.one(Where{}, {is_zero, number(context, 1, x->type.dtype), norm});
  return context.add(Div{}, {x, divisor});
}
TENREC_ONNX("LpNormalization", lp_normalization)

}  // namespace tenrec
