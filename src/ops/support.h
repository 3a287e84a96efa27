// SPDX-License-Identifier: Apache-2.0
// Checks and small tools that the operators' infer and eval share.
#pragma once
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/type.h"

namespace tenrec {

inline bool present(const Types& in, size_t i) { return i < in.size() && in[i].present(); }
inline bool present(const Tensors& in, size_t i) {
  return i < in.size() && static_cast<bool>(in[i]);
}

// Input `i`, which must be given and be a tensor; `what` is its role: "the weight".
inline const Type& required(const Types& in, size_t i, std::string_view what) {
  TENREC_CHECK(present(in, i), invalid_model, "{} (input {}) is missing", what, i);
  TENREC_CHECK(in[i].kind == Type::Kind::tensor, invalid_model, "{} (input {}) is not a tensor",
               what, i);
  return in[i];
}

inline const Type& required_float(const Types& in, size_t i, std::string_view what) {
  const Type& type = required(in, i, what);
  TENREC_CHECK(is_float(type.dtype), invalid_model, "{} (input {}) is {}, expected a float type",
               what, i, name(type.dtype));
  return type;
}

// Two sizes that must agree; only a contradiction between numbers is an error here.
inline void check_same_size(const Dim& a, const Dim& b, std::string_view what) {
  TENREC_CHECK(!a.is_const() || !b.is_const() || a == b, invalid_model, "{}: {} and {} differ",
               what, a.str(), b.str());
}

inline Types types_of(const Tensors& in) {
  Types types;
  types.reserve(in.size());
  for (const Tensor& tensor : in) types.push_back(tensor ? Type::of_constant(tensor) : Type{});
  return types;
}

// The types of the outputs for actual inputs; every output of these operators has a static shape
// then.
template <class T>
Types actual_outputs(const T& op, const Tensors& in) {
  return op.infer(types_of(in));
}

inline Dims dims_of(const Type& type) { return static_dims(type.shape); }

// Elements from axis `first` up to, not including, `last`.
inline int64_t elements_between(const Dims& dims, size_t first, size_t last) {
  int64_t count = 1;
  for (size_t i = first; i < last; ++i) count *= dims[i];
  return count;
}

// Steps `index` through `dims` in row-major order; false after the last.
inline bool next_index(Dims& index, const Dims& dims) {
  for (size_t i = dims.size(); i-- > 0;) {
    if (++index[i] < dims[i]) return true;
    index[i] = 0;
  }
  return false;
}

}  // namespace tenrec
