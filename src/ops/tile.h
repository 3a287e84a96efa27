// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// The input repeated: input 1 says how often along each axis.
struct Tile {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = input_bit(0);
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Tile, "tile")

}  // namespace tenrec
