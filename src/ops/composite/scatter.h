// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ops/onnx_context.h"
#include "ops/scatter.h"

namespace tenrec {

// The name that ScatterElements had before opset 11.
inline Values scatter(const OnnxNode& node, OnnxContext& context) {
  ScatterElements op;
  op.axis = node.integer("axis", 0);
  return context.add(op, context.inputs());
}
TENREC_ONNX("Scatter", scatter)

}  // namespace tenrec
