// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// -input[n, target[n, ...], ...] * weight[target[n, ...]], reduced as the attribute says.
Values negative_log_likelihood_loss(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("NegativeLogLikelihoodLoss", negative_log_likelihood_loss)

// The same of log(softmax(input)), which is the second output.
Values softmax_cross_entropy_loss(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("SoftmaxCrossEntropyLoss", softmax_cross_entropy_loss)

}  // namespace tenrec
