// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ops/elementwise.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Cast to the type of the second input.
inline Values cast_like(const OnnxNode& node, OnnxContext& context) {
  Value* input = context.input(0);
  Value* like = context.input(1);
  TENREC_CHECK(input && like, invalid_model, "CastLike takes 2 inputs");
  Cast op;
  op.to = like->type.dtype;
  TENREC_CHECK((op.to == DType::string) == (input->type.dtype == DType::string), unsupported,
               "CastLike between strings and numbers; do it outside the model");
  TENREC_CHECK(node.integer("saturate", 1) != 0 || !is_float(op.to) || bit_width(op.to) > 8,
               unsupported, "CastLike with saturate=0; use saturate=1");
  return context.add(op, {input});
}
TENREC_ONNX("CastLike", cast_like)

}  // namespace tenrec
