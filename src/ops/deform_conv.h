// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/window.h"

namespace tenrec {

// A convolution whose kernel elements read x at their place plus an offset of their own, linearly
// interpolated (0 outside), times a mask. Inputs: x [N, C, spatial...], weight
// [O, C / group, kernel...], offset [N, offset_group * kernel * axes, out...], optional bias [O],
// optional mask [N, offset_group * kernel, out...].
struct DeformConv {
  std::vector<int64_t> dilations = {};
  int64_t group = 1;
  int64_t offset_group = 1;
  std::vector<int64_t> pads = {};
  std::vector<int64_t> strides = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "dilations", s.dilations), field(2, "group", s.group),
                      field(3, "offset_group", s.offset_group), field(4, "pads", s.pads),
                      field(5, "strides", s.strides)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(DeformConv, "deform_conv")

}  // namespace tenrec
