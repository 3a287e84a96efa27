// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "ir/op_decl.h"

namespace tenrec {

// Inputs: data, pads (begins then ends; negative ones crop), constant_value (optional scalar), axes
// (optional, which axes `pads` speaks of).
struct Pad {
  std::string mode = "constant";  // constant, reflect, edge, wrap
  static auto fields(auto& s) { return std::tuple{field(1, "mode", s.mode)}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = input_bit(0) | input_bit(2);
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Pad, "pad")

}  // namespace tenrec
