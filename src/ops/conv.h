// SPDX-License-Identifier: Apache-2.0
// x [N, C, spatial...], weight [O, C / group, kernel...], optional bias [O] -> [N, O, spatial...].
#pragma once
#include "ir/op_decl.h"
#include "ops/dense.h"
#include "ops/window.h"

namespace tenrec {

struct Conv {
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
  static constexpr uint32_t narrowable = all_inputs;
  Window window() const { return {auto_pad, strides, dilations, pads, false}; }

  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Conv, "conv")

// The output of a convolution of `x` with `weight`; the quantised convolutions share it.
Shape conv_output_shape(const Conv& op, const Type& x, const Type& weight);
Convolution conv_geometry(const Conv& op, const Dims& x, const Dims& weight);
// Attributes of Conv, ConvInteger and QLinearConv; checks kernel_shape against the weight.
Conv read_conv(const OnnxNode& node, OnnxContext& context, const Value* x, const Value* weight);

}  // namespace tenrec
