// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/bodies.h"

namespace tenrec {

// Inputs: trip count and condition (both optional), `carried` initial values, captures. The body
// takes iteration number, condition, carried values, captures; it gives condition, carried values,
// and one tensor an iteration for each collected output.
struct Loop {
  int64_t carried = 0;
  std::vector<EmptyOutput> collected;
  static auto fields(auto& s) {
    return std::tuple{field(1, "carried", s.carried), field(2, "collected", s.collected)};
  }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in, const std::vector<const Graph*>& bodies) const;
  Data eval_bodies(const Data& in, const BodyRunner& run) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Loop, "loop")

}  // namespace tenrec
