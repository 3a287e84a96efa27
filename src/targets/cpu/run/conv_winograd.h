// SPDX-License-Identifier: Apache-2.0
// Winograd convolution F(2x2, 3x3) and F(4x4, 3x3) on the blocked layout: 3x3 kernels of stride 1
// and dilation 1, one group, any padding. 16 products make 4 outputs where direct needs 36; 36 make
// 16 where it needs 144.
//
//   out = activation(conv(in, weights) + bias + residual), then the epilogue hook
//
// Rounding, worst |error| / rms of the output, ResNet-50 shapes: direct 3e-6 to 9e-6, F(2,3) 1e-6
// to 2e-6 (shorter sums), F(4,3) 1.5e-5 to 3.6e-5. A tactic that breaks a tolerance must be dropped
// by whoever chooses; an output next to much larger ones loses relative accuracy with any Winograd.
#pragma once

#include <vector>

#include "targets/cpu/run/conv.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

struct ConvWinograd {
  Conv conv = {};
  View in = {}, out = {};  // blocked
  View residual = {};      // blocked, read only if has_residual; may be the output itself
  bool has_residual = false;
  int residual_lacks = 0;  // so many of the last channels, to which nothing is added
  Activation activation = {};
};

struct ConvWinogradTactic {
  int outputs = 2;          // 2 or 4: F(2,3) or F(4,3)
  int vectors = 2;          // output channel blocks of the register tile: 1, 2 or 3
  int band = 24;            // tiles of outputs transformed at a time
  bool by_channel = false;  // threads share output channels (and the transformed input)
  auto operator<=>(const ConvWinogradTactic&) const = default;
};

struct ConvWinogradBuffers {
  const float* in = nullptr;
  const float* packed = nullptr;  // from pack()
  const float* residual = nullptr;
  float* out = nullptr;
  void* scratch = nullptr;  // conv_winograd_scratch_size() bytes, 64-byte aligned, any content
  Epilogue epilogue = {};
};

// nullptr, or why this kernel cannot run it.
const char* conv_winograd_unsupported(const ConvWinograd&, Isa);

// Best guess first, few.
std::vector<ConvWinogradTactic> conv_winograd_tactics(const ConvWinograd&, Isa, int threads);

// Floats: [bias, padded to B][panel][(outputs + 2)^2][in channels, padded][vectors * B],
// transformed in double. `bias` may be null.
size_t conv_winograd_packed_size(const ConvWinograd&, const ConvWinogradTactic&, Isa);
void conv_winograd_pack(const ConvWinograd&, const ConvWinogradTactic&, Isa, const float* weights,
                        const float* bias, float* packed);

// Bytes.
size_t conv_winograd_scratch_size(const ConvWinograd&, const ConvWinogradTactic&, Isa, int threads);

using ConvWinogradRun = void (*)(const ConvWinograd&, const ConvWinogradTactic&,
                                 const ConvWinogradBuffers&, const Threads&);
ConvWinogradRun conv_winograd(Isa);

}  // namespace tenrec::cpu
