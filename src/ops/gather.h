// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Entries of the input along `axis`, chosen by input 1 (of any shape, which replaces the axis).
struct Gather {
  int64_t axis = 0;
  static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = input_bit(0);
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(Gather, "gather")

}  // namespace tenrec
