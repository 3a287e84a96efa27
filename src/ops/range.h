// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// start, start + delta, ... while before limit; three scalar inputs.
struct Range {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr auto without_effect = "stash_type";  // every element is rounded just once
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(Range, "range")

}  // namespace tenrec
