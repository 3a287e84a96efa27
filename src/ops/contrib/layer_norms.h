// SPDX-License-Identifier: Apache-2.0
// com.microsoft's layer normalisations with a residual or embeddings built in.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

Values simplified_layer_norm(const OnnxNode& node, OnnxContext& context);
Values skip_layer_norm(const OnnxNode& node, OnnxContext& context);
Values skip_simplified_layer_norm(const OnnxNode& node, OnnxContext& context);
Values embed_layer_norm(const OnnxNode& node, OnnxContext& context);
// onnxruntime writes the first into ONNX's own domain.
TENREC_ONNX("SimplifiedLayerNormalization", simplified_layer_norm)
TENREC_ONNX("com.microsoft::SimplifiedLayerNormalization", simplified_layer_norm)
TENREC_ONNX("com.microsoft::SkipLayerNormalization", skip_layer_norm)
TENREC_ONNX("com.microsoft::SkipSimplifiedLayerNormalization", skip_simplified_layer_norm)
TENREC_ONNX("com.microsoft::EmbedLayerNormalization", embed_layer_norm)

}  // namespace tenrec
