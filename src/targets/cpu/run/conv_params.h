// SPDX-License-Identifier: Apache-2.0
// Parameters of every convolution family, and the geometry they resolve to once sizes are known.
// Step inputs: x, weights (packed for the family), bias or none, then the epilogue's operands.
#pragma once
#include "ir/expr.h"
#include "ops/window.h"
#include "runtime/device.h"
#include "targets/cpu/run/conv_plain.h"

namespace tenrec::cpu {

struct ConvParams {
  AutoPad auto_pad = AutoPad::notset;
  std::vector<int64_t> kernel, strides, dilations, pads;
  int64_t groups = 1, in_channels = 1, out_channels = 1;
  ExprProgram epilogue;                 // no nodes: none; else input 0 is the convolution's result
  std::string weights_format;           // of oneDNN's packing
  bool transposed = false;              // weights are [in][out / groups][kernel]
  std::vector<int64_t> output_padding;  // of transposed ones; empty: 0
  Fold fold = Fold::none;               // of conv_plain
  static auto fields(auto& s) {
    return std::tuple{field(1, "auto_pad", s.auto_pad),
                      field(2, "kernel", s.kernel),
                      field(3, "strides", s.strides),
                      field(4, "dilations", s.dilations),
                      field(5, "pads", s.pads),
                      field(6, "groups", s.groups),
                      field(7, "in_channels", s.in_channels),
                      field(8, "out_channels", s.out_channels),
                      field(9, "epilogue", s.epilogue),
                      field(10, "weights_format", s.weights_format),
                      field(11, "transposed", s.transposed),
                      field(12, "output_padding", s.output_padding),
                      field(13, "fold", s.fold)};
  }
};

constexpr size_t conv_operands = 3;  // step inputs before the epilogue's

// Decodes and checks what no kernel could survive: list lengths, positive numbers, the epilogue.
ConvParams decode_conv_params(std::string_view bytes);
// The problem for these sizes; an invalid_engine Error when x or y contradict the parameters.
Conv conv_problem(const ConvParams& params, std::span<const int64_t> x, std::span<const int64_t> y);

}  // namespace tenrec::cpu
