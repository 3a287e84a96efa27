// SPDX-License-Identifier: Apache-2.0
// com.microsoft's attentions, built from `attention` and rotary embeddings.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

Values ms_attention(const OnnxNode& node, OnnxContext& context);
Values multi_head_attention(const OnnxNode& node, OnnxContext& context);
Values ms_rotary_embedding(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("com.microsoft::Attention", ms_attention)
TENREC_ONNX("com.microsoft::MultiHeadAttention", multi_head_attention)
TENREC_ONNX("com.microsoft::RotaryEmbedding", ms_rotary_embedding)

}  // namespace tenrec
