// SPDX-License-Identifier: Apache-2.0
// ArgMax and ArgMin: where along an axis the greatest or least element is, as i64.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

struct ArgReduce {
  bool largest = true;
  int64_t axis = 0;
  bool keepdims = true;
  bool select_last_index = false;  // of equal elements
  static auto fields(auto& s) {
    return std::tuple{field(1, "largest", s.largest), field(2, "axis", s.axis),
                      field(3, "keepdims", s.keepdims),
                      field(4, "select_last_index", s.select_last_index)};
  }
  static constexpr std::string_view onnx_name = "";
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(ArgReduce, "arg_reduce")

Values arg_max(const OnnxNode& node, OnnxContext& context);
Values arg_min(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("ArgMax", arg_max)
TENREC_ONNX("ArgMin", arg_min)

}  // namespace tenrec
