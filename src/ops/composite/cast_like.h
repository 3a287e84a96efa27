// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ops/elementwise.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Cast to the type of the second input.
inline Values cast_like(const OnnxNode&, OnnxContext& context) {
  Value* like = context.input(1);
  TENREC_CHECK(context.input(0) && like, invalid_model, "CastLike takes 2 inputs");
  Cast op;
  op.to = like->type.dtype;
  return context.add(op, {context.input(0)});
}
TENREC_ONNX("CastLike", cast_like)

}  // namespace tenrec
