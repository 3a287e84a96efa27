// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Rotates pairs of features by angles that depend on the position: inputs X ([batch, heads, steps,
// features] or [batch, steps, heads * features]), cosines, sines, positions (optional).
Values rotary_embedding(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("RotaryEmbedding", rotary_embedding)

struct RotaryOptions {
  bool interleaved = false;  // pairs of neighbours instead of halves
  int64_t turned = 0;        // features of a head that turn; 0: all
  int64_t heads = 0;         // of an input that has no axis for them
};
Value* rotary(OnnxContext& context, Value* input, Value* cosines, Value* sines, Value* positions,
              const RotaryOptions& options);

}  // namespace tenrec
