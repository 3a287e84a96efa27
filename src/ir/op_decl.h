// SPDX-License-Identifier: Apache-2.0
// What operator headers include. TENREC_OP declares the operator's identity; the matching
// definition is generated from the same line (cmake/operators.cmake).
#pragma once
#include <tuple>

#include "base/error.h"
#include "base/fields.h"
#include "ir/op.h"

// The ONNX name is the struct's name unless it has `onnx_name` ("" = not an ONNX operator).
#define TENREC_OP(Type, text) const OpInfo& op_info_of(const Type*);

// TENREC_ONNX("Gemm", gemm) or ("com.microsoft::Gelu", ms_gelu): a function
// Values f(const OnnxNode&, OnnxContext&) that builds an ONNX operator from existing ones.
#define TENREC_ONNX(name, function)
