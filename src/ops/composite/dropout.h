// SPDX-License-Identifier: Apache-2.0
// Dropout at inference gives its input back, and a mask that keeps everything. In training mode it
// draws the mask.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

Values dropout(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("Dropout", dropout)

}  // namespace tenrec
