// SPDX-License-Identifier: Apache-2.0
// Convolution and transposed convolution on plain tensors [image][channel][depth][height][width]:
// everything that exists (1-D, 2-D, 3-D, any groups, strides, dilations, paddings), by copying
// patches of the input into a matrix and multiplying. The family that always works.
//
//   out = activation(conv(in, weights) + bias + residual), then the epilogue hook
//
// A transposed convolution with stride s is s ordinary ones per axis, one for each remainder of the
// output position: no scatter-add, so threads never share a sum.
#pragma once

#include <vector>

#include "targets/cpu/run/conv.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

// Filters along one axis (dilation 1) that read the same from both ends, or the same negated: the
// two ends of the input are added or subtracted first, so that half of the taps remain.
enum class Fold : uint8_t { none = 0, same = 1, negated = 2 };  // permanent: engine files hold them
constexpr bool is_valid(Fold fold) { return fold <= Fold::negated; }

struct ConvPlain {
  // Transposed: in is the smaller side, out position o = i * stride + k * dilation - pad, weights
  // come as [in_channels][out_channels / groups][d][h][w].
  Conv conv = {};
  bool transposed = false;
  Fold fold = Fold::none;
  bool has_residual = false;  // laid out like the output; may be the output itself
  Activation activation = {};
};

struct ConvPlainTactic {
  int vectors = 2;          // pixels of the register tile, in vectors: 1, 2 or 3
  int columns = 96;         // pixels of a patch matrix
  int chunk = 256;          // rows of it, that is part of channels x kernel summed at a time
  bool by_channel = false;  // threads share output channels instead of pixels
  auto operator<=>(const ConvPlainTactic&) const = default;
};

struct ConvPlainBuffers {
  const float* in = nullptr;
  const float* packed = nullptr;  // from pack()
  const float* residual = nullptr;
  float* out = nullptr;
  void* scratch = nullptr;  // conv_plain_scratch_size() bytes, 64-byte aligned, any content
  Epilogue epilogue = {};   // pieces: rows or parts of rows of one channel, count in floats
};

// Best guess first, few.
std::vector<ConvPlainTactic> conv_plain_tactics(const ConvPlain&, Isa, int threads);

// Floats: [bias][phase][group][out channel][in channel][tap of the phase]; not transposed: the
// weights as they come, or the first half of them where they fold. The same for all tactics, sizes
// of pictures and instruction sets.
size_t conv_plain_packed_size(const ConvPlain&);
void conv_plain_pack(const ConvPlain&, const float* weights, const float* bias, float* packed);

// Bytes.
size_t conv_plain_scratch_size(const ConvPlain&, const ConvPlainTactic&, Isa, int threads);

using ConvPlainRun = void (*)(const ConvPlain&, const ConvPlainTactic&, const ConvPlainBuffers&,
                              const Threads&);
ConvPlainRun conv_plain(Isa);

}  // namespace tenrec::cpu
