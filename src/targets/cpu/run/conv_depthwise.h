// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution on the blocked layout: groups == in_channels == out_channels. Any kernel,
// stride, dilation and padding in 2-D (1-D as height 1).
//
//   out = activation(conv(in, weights) + bias + residual), then the epilogue hook
#pragma once

#include <vector>

#include "targets/cpu/run/conv.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

struct ConvDepthwise {
  Conv conv = {};
  View in = {}, out = {};  // blocked
  View residual = {};      // blocked, read only if has_residual; may be the output itself
  bool has_residual = false;
  Activation activation = {};
};

struct ConvDepthwiseTactic {
  bool copies =
      false;       // rows are copied to where zeros surround them, instead of edge pixels apart
  int pixels = 8;  // most pixels of a row at once, 4 to 8
  auto operator<=>(const ConvDepthwiseTactic&) const = default;
};

struct ConvDepthwiseBuffers {
  const float* in = nullptr;
  const float* packed = nullptr;  // from pack()
  const float* residual = nullptr;
  float* out = nullptr;
  void* scratch = nullptr;  // conv_depthwise_scratch_size() bytes, 64-byte aligned, any content
  Epilogue epilogue = {};
};

// nullptr, or why this kernel cannot run it.
const char* conv_depthwise_unsupported(const ConvDepthwise&);

// Best guess first, few.
std::vector<ConvDepthwiseTactic> conv_depthwise_tactics(const ConvDepthwise&, Isa, int threads);

// Floats: [bias, padded to B][block][tap][B], the same for all tactics. Weights come as [channel]
// [1][h][w]; `bias` may be null.
size_t conv_depthwise_packed_size(const ConvDepthwise&, Isa);
void conv_depthwise_pack(const ConvDepthwise&, Isa, const float* weights, const float* bias,
                         float* packed);

// Bytes.
size_t conv_depthwise_scratch_size(const ConvDepthwise&, const ConvDepthwiseTactic&, Isa,
                                   int threads);

using ConvDepthwiseRun = void (*)(const ConvDepthwise&, const ConvDepthwiseTactic&,
                                  const ConvDepthwiseBuffers&, const Threads&);
ConvDepthwiseRun conv_depthwise(Isa);

}  // namespace tenrec::cpu
