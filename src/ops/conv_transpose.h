// SPDX-License-Identifier: Apache-2.0
// x [N, C, spatial...], weight [C, O / group, kernel...], optional bias [O] -> [N, O, spatial...].
#pragma once
#include "ir/op_decl.h"
#include "ops/dense.h"
#include "ops/window.h"

namespace tenrec {

struct ConvTranspose {
  AutoPad auto_pad = AutoPad::notset;
  std::vector<int64_t> dilations = {};
  int64_t group = 1;
  std::vector<int64_t> output_padding = {};
  std::vector<int64_t> output_shape = {};  // spatial sizes; empty: computed from pads
  std::vector<int64_t> pads = {};
  std::vector<int64_t> strides = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "auto_pad", s.auto_pad),
                      field(2, "dilations", s.dilations),
                      field(3, "group", s.group),
                      field(4, "output_padding", s.output_padding),
                      field(5, "output_shape", s.output_shape),
                      field(6, "pads", s.pads),
                      field(7, "strides", s.strides)};
  }
  static constexpr uint32_t narrowable = all_inputs;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  double flops(const Types& in, const Types& out) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);

  // The spatial axes of the convolution that this transposes: `in` is our output, `out` our input.
  std::vector<WindowAxis> axes(const Dims& in_spatial, const Dims& kernel) const;

 private:
  Dim output_size(size_t axis, const Dim& in, const Dim& kernel) const;
};
TENREC_OP(ConvTranspose, "conv_transpose")

}  // namespace tenrec
