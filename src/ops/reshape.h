// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// The same elements in another shape. Inputs: data, shape (i64); in it -1 takes what is left, and 0
// keeps the input's size unless `allowzero`.
struct Reshape {
  bool allowzero = false;
  static auto fields(auto& s) { return std::tuple{field(1, "allowzero", s.allowzero)}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = input_bit(0);
  static constexpr bool is_view = true;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Reshape, "reshape")

// The shape that Reshape gives to `from` elements for a known `target`.
Shape reshaped_shape(const Type& from, const std::vector<Dim>& target, bool allowzero);

}  // namespace tenrec
