// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Rotates pairs of features by angles that depend on the position: inputs X ([batch, heads, steps,
// features] or [batch, steps, heads * features]), cosines, sines, positions (optional).
Values rotary_embedding(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("RotaryEmbedding", rotary_embedding)

}  // namespace tenrec
