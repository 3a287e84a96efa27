// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Each output element sits where its index does and reads the input at that place, with the
// coordinate on `axis` replaced by the index.
struct GatherElements {
  int64_t axis = 0;
  static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(GatherElements, "gather_elements")

// Input 1's last axis holds coordinates into the input, behind `batch_dims` axes that both share.
struct GatherND {
  int64_t batch_dims = 0;
  static auto fields(auto& s) { return std::tuple{field(1, "batch_dims", s.batch_dims)}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(GatherND, "gather_nd")

}  // namespace tenrec
