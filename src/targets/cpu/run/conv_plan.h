// SPDX-License-Identifier: Apache-2.0
// Internal: arithmetic that planning and running of the blocked convolutions must agree on.
#pragma once

#include <algorithm>
#include <numeric>

#include "targets/cpu/run/conv.h"

namespace tenrec::cpu {

// Input positions that output [first, last] of an axis reads, in input coordinates (may lie
// outside).
struct Span {
  int begin, end;
  constexpr int size() const { return end - begin; }
};
constexpr Span reads(const Axis& a, int first, int last) {
  return {first * a.stride - a.pad, last * a.stride - a.pad + (a.kernel - 1) * a.dilation + 1};
}
constexpr bool reads_outside(const Axis& a, int halo) {
  const Span s = reads(a, 0, a.out - 1);
  return s.begin < -halo || s.end > a.in + halo;
}

// Taps of an axis that lie inside the input for output `at`: kernel positions [begin, end).
constexpr Span taps_inside(const Axis& a, int at) {
  const int first = at * a.stride - a.pad;
  const int begin = first >= 0 ? 0 : (-first + a.dilation - 1) / a.dilation;
  const int end = first >= a.in ? 0 : (a.in - 1 - first) / a.dilation + 1;
  return {std::min(begin, a.kernel), std::clamp(end, std::min(begin, a.kernel), a.kernel)};
}

// Channel blocks of the output that a residual, if there is one, adds to.
template <class Problem>
constexpr int residual_blocks(const Problem& p, int block) {
  return p.has_residual ? ceil_div(p.conv.out_channels - p.residual_lacks, block) : 0;
}

// How a layer's work is cut for the threads. Only outputs are shared out, never a sum.
struct Split {
  int pixel_parts = 1, channel_parts = 1;
  constexpr int parts() const { return pixel_parts * channel_parts; }
};
// A small layer (`work` multiply-adds in all) is done before a second thread has come. Large ones
// are cut finer than there are threads, so that a slow one can leave some to others; each part has
// enough work and, where pixels are shared, enough of them to be worth reading all weights for.
inline Split split_work(int outer, int panels, bool by_channel, int threads, int pixels,
                        double work) {
  constexpr double small = 2e5, part_work = 2e6;
  constexpr int part_pixels = 64;
  if (threads == 1 || outer % threads == 0 || outer >= 4 * threads || work < small) return {1, 1};
  const int most = std::clamp(static_cast<int>(work / part_work) / threads, 1, 4);
  if (!by_channel) return {threads * std::clamp(pixels / part_pixels / threads, 1, most), 1};
  if (panels >= 8 * threads * most) return {1, threads * most};
  // Three panels on two threads would leave one idle for a third of the time.
  const int c = panels >= 8 * threads ? threads : std::gcd(panels, threads);
  return {threads / c, c};
}

// The same for depthwise convolutions, which wait for memory: parts of `rows` rows in all.
inline int depthwise_parts(const Conv& c, int rows, int threads) {
  const double work = flops(c) / 2;
  const int finer = std::clamp(static_cast<int>(work / 5e5) / threads, 1, 4);
  return work < 1e5 ? 1 : std::min(threads * finer, rows);
}

// Input channels that one tap of a register tile takes. Half of AVX-512's block: 24 channels are
// three taps there, not two blocks with a quarter of padding.
constexpr int kTapChannels = 8;

// A slice of the scratch, at 64-byte boundaries.
struct ScratchLayout {
  size_t bytes = 0;
  size_t add(size_t size) {
    const size_t at = bytes;
    bytes += (size + 63) / 64 * 64;
    return at;
  }
};

}  // namespace tenrec::cpu
