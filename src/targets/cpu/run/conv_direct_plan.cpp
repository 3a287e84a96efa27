// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_direct_plan.h"

#include <cstring>
#include <limits>

namespace tenrec::cpu {

const char* conv_direct_unsupported(const ConvDirect& p, Isa isa) {
  const Conv& c = p.conv;
  const int block = block_of(isa);
  if (c.d.kernel != 1 || c.d.in != 1 || c.d.out != 1) return "3-D convolution";
  if (c.groups > 1 && (c.in_channels / c.groups % block || c.out_channels / c.groups % block)) {
    return "group channels are not a multiple of the vector width";
  }
  const auto fits = [&](const View& v, int channels, int height) {
    const int64_t blocks = ceil_div(channels, block);
    return v.plane * blocks + v.row * height < std::numeric_limits<int>::max();
  };
  if (!fits(p.in, c.in_channels, c.h.in) || !fits(p.out, c.out_channels, c.h.out) ||
      (p.has_residual && !fits(p.residual, c.out_channels - p.residual_lacks, c.h.out))) {
    return "an image of 2^31 floats or more";
  }
  return nullptr;
}

std::vector<ConvDirectTactic> conv_direct_tactics(const ConvDirect& p, Isa isa, int threads) {
  const Conv& c = p.conv;
  const int block = block_of(isa);
  const int in_blocks = ceil_div(c.in_channels / c.groups, block);
  const int out_blocks = ceil_div(c.out_channels / c.groups, block);
  const int kernel = c.h.kernel * c.w.kernel;
  const int64_t weights = int64_t{out_blocks} * in_blocks * block * block * kernel;
  const int64_t input = int64_t{in_blocks} * block * c.h.in * c.w.in;
  // Small maps with large weights: each core then reads half the weights instead of all.
  const bool by_channel = threads > 1 && weights > input;
  // The weights of a chunk, for one panel, stay in L1 while they meet the pixels of a band.
  const auto chunk_of = [&](int bytes, int vectors) {
    return std::clamp(bytes / (kernel * block * block * vectors * 4), 1, std::max(in_blocks, 1));
  };
  const int tile = block == 16 ? 14 : 6;
  const int vectors = out_blocks % 2 == 0 || out_blocks > 8 ? 2
                      : out_blocks % 3 == 0                 ? 3
                      : out_blocks == 1                     ? 1
                                                            : 2;
  std::vector<ConvDirectTactic> list;
  const auto add = [&](ConvDirectTactic t) {
    if (std::find(list.begin(), list.end(), t) == list.end()) list.push_back(t);
  };
  const int band = 16 * tile;
  for (const bool split : {by_channel, !by_channel}) {
    if (split && threads == 1) continue;
    add({vectors, band, chunk_of(16384, vectors), split});
    add({vectors, band, chunk_of(32768, vectors), split});
    add({vectors, band / 2, chunk_of(16384, vectors), split});
    add({vectors, band * 2, chunk_of(16384, vectors), split});
    add({vectors, band / 4, chunk_of(32768, vectors), split});
    add({vectors, band * 4, chunk_of(8192, vectors), split});
    if (out_blocks >= 3) add({3, band, chunk_of(16384, 3), split});
    if (out_blocks >= 3 && vectors != 2) add({2, band, chunk_of(16384, 2), split});
  }
  return list;
}

size_t conv_direct_packed_size(const ConvDirect& p, const ConvDirectTactic& t, Isa isa) {
  const auto block = static_cast<size_t>(block_of(isa));
  const ConvDirectPlan plan(p, t, block_of(isa));
  const size_t outputs =
      static_cast<size_t>(p.conv.groups) * static_cast<size_t>(plan.out_blocks) * block;
  return outputs + outputs * static_cast<size_t>(plan.in_blocks * plan.kernel) * block;
}

void conv_direct_pack(const ConvDirect& p, const ConvDirectTactic& t, Isa isa, const float* weights,
                      const float* bias, float* packed) {
  const Conv& c = p.conv;
  const int block = block_of(isa);
  const ConvDirectPlan plan(p, t, block);
  std::memset(packed, 0, conv_direct_packed_size(p, t, isa) * sizeof(float));
  if (bias) std::copy_n(bias, c.out_channels, packed);
  float* group_base = packed + int64_t{c.groups} * plan.out_blocks * block;
  const int inputs = c.in_channels / c.groups, outputs = c.out_channels / c.groups;
  const int64_t rows = int64_t{plan.in_blocks} * block * plan.kernel;
  const int64_t panel_size = rows * t.vectors * block;
  const int64_t group_size = rows * plan.out_blocks * block;
  for (int g = 0; g < c.groups; g++, group_base += group_size) {
    for (int o = 0; o < outputs; o++, weights += int64_t{inputs} * plan.kernel) {
      const int panel = o / block / t.vectors;
      const int line = std::min(t.vectors, plan.out_blocks - panel * t.vectors) * block;
      float* to = group_base + panel * panel_size + o - panel * t.vectors * block;
      for (int i = 0; i < inputs; i++) {
        for (int k = 0; k < plan.kernel; k++) {
          const int64_t tap = int64_t{i / kTapChannels} * plan.kernel + k;
          to[(tap * kTapChannels + i % kTapChannels) * line] =
              weights[int64_t{i} * plan.kernel + k];
        }
      }
    }
  }
}

size_t conv_direct_scratch_size(const ConvDirect& p, const ConvDirectTactic& t, Isa isa,
                                int threads) {
  return ConvDirectPlan(p, t, block_of(isa)).scratch(threads).total;
}

}  // namespace tenrec::cpu
