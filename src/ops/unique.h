// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/op_decl.h"

namespace tenrec {

// The distinct elements, or entries along `axis`. Outputs: them (in order, or of first appearance
// unless `sorted`), the index of the first of each, which one each input entry is, their counts.
struct Unique {
  std::optional<int64_t> axis;
  bool sorted = true;
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "sorted", s.sorted)};
  }
  static constexpr Accuracy accuracy = exact();
  static constexpr bool data_dependent = true;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(Unique, "unique")

}  // namespace tenrec
