// SPDX-License-Identifier: Apache-2.0
// Parameters of family "conv_stem_sm90": a convolution with few channels, and the one over patches
// (space to depth) that it becomes.
#pragma once
#include "targets/cuda/run/gemm_params.h"

namespace tenrec::cuda {

struct StemParams {
  GemmParams conv;   // as the model has it
  GemmParams inner;  // kernel [taps, 1], in_channels = taps of a row times the patch
  static auto fields(auto& s) {
    return std::tuple{field(1, "conv", s.conv), field(2, "inner", s.inner)};
  }

  // Elements of a patch: channels times stride by stride, to whole 16 bytes.
  int64_t patch() const {
    const int64_t chunk = 128 / bit_width(conv.type);
    const int64_t elements = conv.in_channels * conv.strides[0] * conv.strides[1];
    return (elements + chunk - 1) / chunk * chunk;
  }
  // Input position of the first patch's corner along an axis, at or before the first tap.
  int64_t start(size_t axis) const {
    const int64_t pad = conv.pads[axis], stride = conv.strides[axis];
    return -(pad + stride - 1) / stride * stride;
  }
  // Patches that a filter reaches over along an axis.
  int64_t taps(size_t axis) const {
    const int64_t before = -start(axis) - conv.pads[axis];
    return (conv.kernel[axis] + before + conv.strides[axis] - 1) / conv.strides[axis];
  }
};

}  // namespace tenrec::cuda
