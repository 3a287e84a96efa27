// SPDX-License-Identifier: Apache-2.0
// com.microsoft's matrix products with transposes, factors or packed weights built in.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

Values fused_matmul(const OnnxNode& node, OnnxContext& context);
Values matmul_nbits(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("com.microsoft::FusedMatMul", fused_matmul)
TENREC_ONNX("com.microsoft::TransposeMatMul", fused_matmul)
TENREC_ONNX("com.microsoft::MatMulNBits", matmul_nbits)

}  // namespace tenrec
