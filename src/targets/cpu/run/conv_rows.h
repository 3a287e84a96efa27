// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution on plain tensors, for channels so few that blocks of them would be mostly
// padding: groups == in_channels == out_channels, stride 1 along rows. A vector is neighbouring
// pixels of a row.
//
//   out = activation(conv(in, weights) + bias + residual), then the epilogue hook
#pragma once

#include <vector>

#include "targets/cpu/run/conv.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

struct ConvRows {
  Conv conv = {};
  bool has_residual = false;  // laid out like the output; may be the output itself
  Activation activation = {};
};

struct ConvRowsTactic {
  int vectors = 4;  // of a row at once: 4 or 8
  auto operator<=>(const ConvRowsTactic&) const = default;
};

struct ConvRowsBuffers {
  const float* in = nullptr;
  const float* packed = nullptr;  // from pack()
  const float* residual = nullptr;
  float* out = nullptr;
  void* scratch = nullptr;  // none is needed
  Epilogue epilogue = {};   // pieces: rows of one channel, count in floats
};

// nullptr, or why this kernel cannot run it.
const char* conv_rows_unsupported(const ConvRows&);

// Best guess first, few.
std::vector<ConvRowsTactic> conv_rows_tactics();

// Floats: [bias][channel][tap], the same for all tactics and instruction sets. `bias` may be null.
size_t conv_rows_packed_size(const ConvRows&);
void conv_rows_pack(const ConvRows&, const float* weights, const float* bias, float* packed);

using ConvRowsRun = void (*)(const ConvRows&, const ConvRowsTactic&, const ConvRowsBuffers&,
                             const Threads&);
ConvRowsRun conv_rows(Isa);

}  // namespace tenrec::cpu
