// SPDX-License-Identifier: Apache-2.0
// Inference only: (x - mean) / sqrt(variance + epsilon) * scale + bias, each by channel (axis 1).
// Inputs: x, scale, bias, mean, variance. Training mode is lowered to reductions on import.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

struct BatchNormalization {
  float epsilon = 1e-5F;
  static auto fields(auto& s) { return std::tuple{field(1, "epsilon", s.epsilon)}; }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(BatchNormalization, "batch_normalization")

}  // namespace tenrec
