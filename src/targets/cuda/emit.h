// SPDX-License-Identifier: Apache-2.0
// Scalar expressions as CUDA text. The text is a function of the program alone: same program, same
// text. Helpers stand in device/scalar.cuh.
#pragma once
#include <string>

#include "ir/expr.h"

namespace tenrec::cuda {

// How an element lies in memory, and what it is computed in: floats narrower than f64 in float,
// integers as themselves, bool as bool. Elements of less than a byte lie in bytes that they share.
std::string storage_type(DType dtype);
std::string compute_type(DType dtype);
// Whether kernels can read and write elements of this type.
bool is_supported(DType dtype);
// `text`, an element as it lies in memory, as a value, and back.
std::string load_text(DType dtype, const std::string& text);
std::string store_text(DType dtype, const std::string& text);

// "" or the reason why a program has no text.
std::string unsupported(const ExprProgram& program);
// A function `name(inputs..., outputs&...)` on compute types; inputs and outputs in order.
std::string emit_function(const ExprProgram& program, const std::string& name);

// An exact literal of a compute type.
std::string literal(DType dtype, double value, int64_t integer);

}  // namespace tenrec::cuda
