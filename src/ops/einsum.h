// SPDX-License-Identifier: Apache-2.0
// Einsum: sums of products over named axes, with broadcasting ellipses and repeated names.
#pragma once
#include <string>

#include "ir/op_decl.h"

namespace tenrec {

struct Einsum {
  std::string equation = {};
  static auto fields(auto& s) { return std::tuple{field(1, "equation", s.equation)}; }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
};
TENREC_OP(Einsum, "einsum")

// The equation with every axis named. The axes of an ellipsis get names of their own below 'A'
// (broadcast like numpy: aligned at their end).
struct EinsumPlan {
  std::vector<std::string> inputs = {};
  std::string output = {};
};
EinsumPlan parse_einsum(const std::string& equation, const std::vector<int64_t>& ranks);

}  // namespace tenrec
