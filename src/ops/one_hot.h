// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Inputs: indices, depth (a scalar), values (off, on). A new axis of size depth, before which
// output axis `axis` says, holds `on` at the index and `off` elsewhere.
struct OneHot {
  int64_t axis = -1;
  static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(OneHot, "one_hot")

}  // namespace tenrec
