// SPDX-License-Identifier: Apache-2.0
// Inputs x and k (one integer); outputs the k greatest (or least) elements along the axis and where
// they were. Equal elements come in order of their index; the result is always sorted.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

struct TopK {
  int64_t axis = -1;
  bool largest = true;
  bool sorted = true;
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "largest", s.largest),
                      field(3, "sorted", s.sorted)};
  }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(TopK, "topk")

}  // namespace tenrec
