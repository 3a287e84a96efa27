// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "ir/op_decl.h"

namespace tenrec {

// Inputs: cache, update, first index per batch entry (optional, 0). The cache with the update
// written along `axis` from there on; `circular` wraps around at the end.
struct TensorScatter {
  int64_t axis = -2;
  std::string mode = "linear";
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "mode", s.mode)};
  }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(TensorScatter, "tensor_scatter")

}  // namespace tenrec
