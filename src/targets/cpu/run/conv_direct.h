// SPDX-License-Identifier: Apache-2.0
// Direct convolution on the blocked layout; with a 1x1 kernel it is a packed matrix product.
// Any kernel, stride, dilation and padding; groups whose channels (in and out) are multiples of B.
//
//   out = activation(conv(in, weights) + bias + residual), then the epilogue hook
//
// Use: choose a tactic, pack() once, run() as often as wanted. Packed weights depend only on
// channels, kernel size and tactic, never on images or picture size.
#pragma once

#include <vector>

#include "targets/cpu/run/conv.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

struct ConvDirect {
  Conv conv = {};
  View in = {}, out = {};            // blocked
  View residual = {};                // blocked, read only if has_residual; may be the output itself
  int in_halo_h = 0, in_halo_w = 0;  // rows and columns of zeros that lie around every input plane
  bool has_residual = false;
  int residual_lacks = 0;  // so many of the last channels, to which nothing is added
  Activation activation = {};
};

struct ConvDirectTactic {
  int vectors = 2;          // output channel blocks of the register tile: 1, 2 or 3
  int band = 96;            // output pixels that go through all channels while they are in cache
  int chunk = 16;           // input channel blocks summed before the next panel of outputs
  bool by_channel = false;  // threads share output channels instead of pixels
  auto operator<=>(const ConvDirectTactic&) const = default;
};

struct ConvDirectBuffers {
  const float* in = nullptr;
  const float* packed = nullptr;  // from pack()
  const float* residual = nullptr;
  float* out = nullptr;
  void* scratch = nullptr;  // conv_direct_scratch_size() bytes, 64-byte aligned, any content
  Epilogue epilogue = {};
};

// nullptr, or why this kernel cannot run it.
const char* conv_direct_unsupported(const ConvDirect&, Isa);

// Best guess first, few.
std::vector<ConvDirectTactic> conv_direct_tactics(const ConvDirect&, Isa, int threads);

// Floats. The packed form is [bias, padded to B][group][panel][tap][kTapChannels][vectors * B].
size_t conv_direct_packed_size(const ConvDirect&, const ConvDirectTactic&, Isa);
// `bias` may be null. Fills all of `packed`, pad lanes with 0.
void conv_direct_pack(const ConvDirect&, const ConvDirectTactic&, Isa, const float* weights,
                      const float* bias, float* packed);

// Bytes.
size_t conv_direct_scratch_size(const ConvDirect&, const ConvDirectTactic&, Isa, int threads);

using ConvDirectRun = void (*)(const ConvDirect&, const ConvDirectTactic&, const ConvDirectBuffers&,
                               const Threads&);
ConvDirectRun conv_direct(Isa);

}  // namespace tenrec::cpu
