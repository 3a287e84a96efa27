// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// softmax(scale * q k') v with the node's own graphs between product and softmax, and behind it.
Values flex_attention(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("ai.onnx.preview::FlexAttention", flex_attention)

}  // namespace tenrec
