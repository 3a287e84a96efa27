// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// A tensor known at build time. Initialisers and ONNX Constant nodes both become one.
struct Constant {
  Tensor value;
  static auto fields(auto& s) { return std::tuple{field(1, "value", s.value)}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types&) const { return {Type::of_constant(value)}; }
  Tensors eval(const Tensors&) const { return {value}; }
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Constant, "constant")

}  // namespace tenrec
