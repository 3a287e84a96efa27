// SPDX-License-Identifier: Apache-2.0
// swish(a) * b.
#pragma once
#include "ops/composite/helpers.h"
#include "ops/elementwise.h"

namespace tenrec {

inline Values swiglu(const OnnxNode& node, OnnxContext& context) {
  Value* gate = needed_input(context, 0, "the gate");
  Value* value = needed_input(context, 1, "the value");
  Swish swish;
  swish.alpha = node.number("alpha", 1);
  return context.add(Mul{}, {context.one(swish, {gate}), value});
}
TENREC_ONNX("SwiGLU", swiglu)

}  // namespace tenrec
