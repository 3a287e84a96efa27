// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Removes axes of size 1: those of the optional input 1, or all there are.
struct Squeeze {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = input_bit(0);
  static constexpr bool is_view = true;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Squeeze, "squeeze")

// Adds axes of size 1 at the places that input 1 names in the output.
struct Unsqueeze {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = input_bit(0);
  static constexpr bool is_view = true;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Unsqueeze, "unsqueeze")

}  // namespace tenrec
