// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Runs body 0 (then) or body 1 (else) on the inputs after the condition.
struct If {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in, const std::vector<const Graph*>& bodies) const;
  Data eval_bodies(const Data& in, const BodyRunner& run) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(If, "if")

}  // namespace tenrec
