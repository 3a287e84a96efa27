// SPDX-License-Identifier: Apache-2.0
// com.microsoft's operators on quantised tensors: the plain operator between a dequantisation and a
// quantisation, as they define themselves.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

Values ms_quantize_linear(const OnnxNode& node, OnnxContext& context);
Values ms_dequantize_linear(const OnnxNode& node, OnnxContext& context);
Values qlinear_add(const OnnxNode& node, OnnxContext& context);
Values qlinear_mul(const OnnxNode& node, OnnxContext& context);
Values qlinear_sigmoid(const OnnxNode& node, OnnxContext& context);
Values qlinear_leaky_relu(const OnnxNode& node, OnnxContext& context);
Values qlinear_softmax(const OnnxNode& node, OnnxContext& context);
Values qlinear_concat(const OnnxNode& node, OnnxContext& context);
Values qlinear_where(const OnnxNode& node, OnnxContext& context);
Values qlinear_average_pool(const OnnxNode& node, OnnxContext& context);
Values qlinear_global_average_pool(const OnnxNode& node, OnnxContext& context);
Values qlinear_reduce_mean(const OnnxNode& node, OnnxContext& context);
Values qgemm(const OnnxNode& node, OnnxContext& context);
Values dynamic_quantize_matmul(const OnnxNode& node, OnnxContext& context);
Values matmul_integer_to_float(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("com.microsoft::QuantizeLinear", ms_quantize_linear)
TENREC_ONNX("com.microsoft::DequantizeLinear", ms_dequantize_linear)
TENREC_ONNX("com.microsoft::QLinearAdd", qlinear_add)
TENREC_ONNX("com.microsoft::QLinearMul", qlinear_mul)
TENREC_ONNX("com.microsoft::QLinearSigmoid", qlinear_sigmoid)
TENREC_ONNX("com.microsoft::QLinearLeakyRelu", qlinear_leaky_relu)
TENREC_ONNX("com.microsoft::QLinearSoftmax", qlinear_softmax)
TENREC_ONNX("com.microsoft::QLinearConcat", qlinear_concat)
TENREC_ONNX("com.microsoft::QLinearWhere", qlinear_where)
TENREC_ONNX("com.microsoft::QLinearAveragePool", qlinear_average_pool)
TENREC_ONNX("com.microsoft::QLinearGlobalAveragePool", qlinear_global_average_pool)
TENREC_ONNX("com.microsoft::QLinearReduceMean", qlinear_reduce_mean)
TENREC_ONNX("com.microsoft::QGemm", qgemm)
TENREC_ONNX("com.microsoft::DynamicQuantizeMatMul", dynamic_quantize_matmul)
TENREC_ONNX("com.microsoft::MatMulIntegerToFloat", matmul_integer_to_float)

}  // namespace tenrec
