// SPDX-License-Identifier: Apache-2.0
// One training step of ai.onnx.preview.training, for models that carry their optimiser with them.
// Inputs: learning rate, update count, then all tensors, all their gradients, all their states.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

Values momentum(const OnnxNode& node, OnnxContext& context);
Values adagrad(const OnnxNode& node, OnnxContext& context);
Values adam(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("ai.onnx.preview.training::Momentum", momentum)
TENREC_ONNX("ai.onnx.preview.training::Adagrad", adagrad)
TENREC_ONNX("ai.onnx.preview.training::Adam", adam)

}  // namespace tenrec
