// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_plain_plan.h"

#include <cstring>

namespace tenrec::cpu {

std::vector<ConvPlainTactic> conv_plain_tactics(const ConvPlain& p, Isa isa, int threads) {
  const Conv& c = p.conv;
  const int outputs = c.out_channels / c.groups, inputs = c.in_channels / c.groups;
  const int tile = block_of(isa) == 16 ? 14 : 6;
  const int64_t weights = int64_t{outputs} * inputs * c.d.kernel * c.h.kernel * c.w.kernel;
  const int64_t input = int64_t{inputs} * c.d.in * c.h.in * c.w.in;
  const bool by_channel = threads > 1 && c.images * c.groups < threads && weights > input &&
                          outputs >= 2 * tile * threads;
  std::vector<ConvPlainTactic> list;
  list.push_back({.by_channel = by_channel});
  list.push_back({.columns = 192, .by_channel = by_channel});
  list.push_back({.columns = 96, .chunk = 512, .by_channel = by_channel});
  list.push_back({.vectors = 3, .by_channel = by_channel});
  if (threads > 1) list.push_back({.by_channel = !by_channel});
  return list;
}

size_t conv_plain_packed_size(const ConvPlain& p) {
  const Conv& c = p.conv;
  return static_cast<size_t>(c.out_channels) + static_cast<size_t>(c.out_channels) *
                                                   static_cast<size_t>(c.in_channels / c.groups) *
                                                   static_cast<size_t>(plain_taps(p));
}

void conv_plain_pack(const ConvPlain& p, const float* weights, const float* bias, float* packed) {
  const Conv& c = p.conv;
  const int inputs = c.in_channels / c.groups, outputs = c.out_channels / c.groups;
  for (int o = 0; o < c.out_channels; o++) *packed++ = bias ? bias[o] : 0.0f;
  const int64_t taps = int64_t{c.d.kernel} * c.h.kernel * c.w.kernel;
  if (p.fold != Fold::none) {
    const int rows = c.out_channels * inputs, half = plain_taps(p), size = c.w.kernel;
    const float sign = p.fold == Fold::same ? 0.5f : -0.5f;
    for (int row = 0; row < rows; row++, weights += size) {
      for (int k = 0; k < half; k++) *packed++ = 0.5f * weights[k] + sign * weights[size - 1 - k];
      if (size % 2 != 0) packed[-1] *= 0.5f;  // its input is added to itself
    }
    return;
  }
  if (!p.transposed) {
    std::memcpy(packed, weights,
                static_cast<size_t>(c.out_channels * inputs * taps) * sizeof(float));
    return;
  }
  for (int index = 0; index < ConvPhase::count(c, true); index++) {
    const ConvPhase phase(c, true, index);
    for (int g = 0; g < c.groups; g++) {
      for (int o = 0; o < outputs; o++) {
        for (int i = 0; i < inputs; i++) {
          const float* from = weights + ((int64_t{g} * inputs + i) * outputs + o) * taps;
          for (int z = 0; z < c.d.kernel; z++) {
            for (int y = 0; y < c.h.kernel; y++) {
              for (int x = 0; x < c.w.kernel; x++, from++) {
                if (phase.d.has(z) && phase.h.has(y) && phase.w.has(x)) *packed++ = *from;
              }
            }
          }
        }
      }
    }
  }
}

size_t conv_plain_scratch_size(const ConvPlain& p, const ConvPlainTactic& t, Isa isa, int threads) {
  return ConvPlainPlan(p, t, block_of(isa)).scratch(threads).total;
}

}  // namespace tenrec::cpu
