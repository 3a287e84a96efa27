// SPDX-License-Identifier: Apache-2.0
// Cast to the type of the second input.
#pragma once
#include "ops/composite/helpers.h"
#include "ops/convert.h"

namespace tenrec {

inline Values cast_like(const OnnxNode& node, OnnxContext& context) {
  Value* like = needed_input(context, 1, "the target type");
  return add_cast(node, context, needed_input(context, 0, "the input"), like->type.dtype);
}
TENREC_ONNX("CastLike", cast_like)

}  // namespace tenrec
