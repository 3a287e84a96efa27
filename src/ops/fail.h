// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Fails with `message` when it runs. Takes the place of a branch that cannot work at a profile's
// sizes: only the value of the If's condition, known when run, can say that it is not taken.
struct Fail {
  std::string message;
  // One entry an output; `sizes` are those of all outputs in turn, -1: any.
  std::vector<DType> dtypes;
  std::vector<int64_t> ranks, sizes;
  static auto fields(auto& s) {
    return std::tuple{field(1, "message", s.message), field(2, "dtypes", s.dtypes),
                      field(3, "ranks", s.ranks), field(4, "sizes", s.sizes)};
  }
  static constexpr std::string_view onnx_name = "";
  static constexpr Accuracy accuracy = exact();
  static constexpr bool side_effect = true;
  static constexpr bool data_dependent = true;
  Types infer(const Types&) const;
  Tensors eval(const Tensors&) const;
};
TENREC_OP(Fail, "fail")

}  // namespace tenrec
