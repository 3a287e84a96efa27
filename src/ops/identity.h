// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// The input itself, of any kind.
struct Identity {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = all_inputs;
  static constexpr bool is_view = true;
  Types infer(const Types& in) const {
    TENREC_CHECK(in.size() == 1, invalid_model, "Identity takes 1 input, got {}", in.size());
    return in;
  }
  Data eval_data(const Data& in) const { return in; }
};
TENREC_OP(Identity, "identity")

}  // namespace tenrec
