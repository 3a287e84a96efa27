// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Inputs joined along an axis.
struct Concat {
  int64_t axis = 0;
  static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Concat, "concat")

}  // namespace tenrec
