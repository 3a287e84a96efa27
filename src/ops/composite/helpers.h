// SPDX-License-Identifier: Apache-2.0
// What the composites build constants with.
#pragma once
#include <vector>

#include "ops/onnx_context.h"

namespace tenrec {

// A scalar of type `dtype`.
inline Value* number(OnnxContext& context, double value, DType dtype) {
  const double one[] = {value};
  return context.constant(Tensor::from_doubles(dtype, {}, one));
}

// An i64 vector.
inline Value* index_vector(OnnxContext& context, const std::vector<int64_t>& values) {
  return context.constant(Tensor::of({static_cast<int64_t>(values.size())}, values));
}

inline Value* needed_input(OnnxContext& context, size_t i, std::string_view what) {
  Value* value = context.input(i);
  TENREC_CHECK(value != nullptr, invalid_model, "{} (input {}) is missing", what, i);
  return value;
}

}  // namespace tenrec
