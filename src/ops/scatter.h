// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "ir/op_decl.h"

namespace tenrec {

// Inputs: data, indices, updates. A copy of data in which each update replaces, or is combined
// with, the element at its own place with the coordinate on `axis` replaced by its index.
struct ScatterElements {
  int64_t axis = 0;
  std::string reduction = "none";  // none, add, mul, min, max
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "reduction", s.reduction)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(ScatterElements, "scatter_elements")

// The same with coordinates in the last axis of indices and blocks as updates.
struct ScatterND {
  std::string reduction = "none";
  static auto fields(auto& s) { return std::tuple{field(1, "reduction", s.reduction)}; }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(ScatterND, "scatter_nd")

}  // namespace tenrec
