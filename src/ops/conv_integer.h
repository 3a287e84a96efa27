// SPDX-License-Identifier: Apache-2.0
// 8-bit x and weight, optional zero points (x: single; weight: single or by output channel) -> i32.
#pragma once
#include "ir/op_decl.h"
#include "ops/conv.h"

namespace tenrec {

struct ConvInteger {
  AutoPad auto_pad = AutoPad::notset;
  std::vector<int64_t> dilations = {};
  int64_t group = 1;
  std::vector<int64_t> pads = {};
  std::vector<int64_t> strides = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "auto_pad", s.auto_pad), field(2, "dilations", s.dilations),
                      field(3, "group", s.group), field(4, "pads", s.pads),
                      field(5, "strides", s.strides)};
  }
  static constexpr Accuracy accuracy = exact();
  Conv conv() const { return {auto_pad, dilations, group, pads, strides}; }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const { return conv().flops(in, out); }
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(ConvInteger, "conv_integer")

}  // namespace tenrec
