// SPDX-License-Identifier: Apache-2.0
// First layers: input plain [image][channel][height][width] with few channels (a picture), output
// blocked. A blocked input would be mostly pad lanes. One tap is a kernel row of one channel, whose
// floats are neighbours in memory.
//
//   out = activation(conv(in, weights) + bias), then the epilogue hook
#pragma once

#include <vector>

#include "targets/cpu/run/conv.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

struct ConvStem {
  Conv conv = {};  // 2-D, one group; the input is dense
  View out = {};   // blocked
  Activation activation = {};
};

struct ConvStemTactic {
  int vectors = 2;          // output channel blocks of the register tile: 1, 2 or 3
  int band = 384;           // output pixels per copy of the input
  bool by_channel = false;  // threads share output channels instead of pixels
  auto operator<=>(const ConvStemTactic&) const = default;
};

struct ConvStemBuffers {
  const float* in = nullptr;
  const float* packed = nullptr;  // from pack()
  float* out = nullptr;
  void* scratch = nullptr;  // conv_stem_scratch_size() bytes, 64-byte aligned, any content
  Epilogue epilogue = {};
};

// nullptr, or why this kernel cannot run it.
const char* conv_stem_unsupported(const ConvStem&, Isa);

// Best guess first, few.
std::vector<ConvStemTactic> conv_stem_tactics(const ConvStem&, Isa, int threads);

// Floats: [bias, padded to B][panel][channel][h][w][vectors * B]; `bias` may be null.
size_t conv_stem_packed_size(const ConvStem&, Isa);
void conv_stem_pack(const ConvStem&, const ConvStemTactic&, Isa, const float* weights,
                    const float* bias, float* packed);

// Bytes.
size_t conv_stem_scratch_size(const ConvStem&, const ConvStemTactic&, Isa, int threads);

using ConvStemRun = void (*)(const ConvStem&, const ConvStemTactic&, const ConvStemBuffers&,
                             const Threads&);
ConvStemRun conv_stem(Isa);

}  // namespace tenrec::cpu
