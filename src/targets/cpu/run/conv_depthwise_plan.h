// SPDX-License-Identifier: Apache-2.0
// Internal to conv_depthwise: sizes derived from parameters and tactic, for planning and run.
#pragma once

#include "targets/cpu/run/conv_depthwise.h"
#include "targets/cpu/run/conv_plan.h"

namespace tenrec::cpu {

// A row of outputs in equal tiles: the first `longer` have one more than `low`.
struct DepthwiseCuts {
  DepthwiseCuts(const Axis& w, int most)
      : parts(ceil_div(w.out, most)),
        low(w.out / std::max(parts, 1)),
        longer(w.out - low * parts),
        inner{0, parts} {
    while (inner.begin < parts && reads(w, at(inner.begin), at(inner.begin)).begin < 0)
      inner.begin++;
    while (inner.end > inner.begin && reads(w, 0, at(inner.end) - 1).end > w.in) inner.end--;
  }
  int at(int i) const { return i * low + std::min(i, longer); }
  int size(int i) const { return low + (i < longer ? 1 : 0); }
  int alike(int i) const { return i < longer ? std::min(longer, inner.end) : inner.end; }

  int parts, low, longer;
  Span inner;  // the tiles that read nothing outside the input
};

// Every `dilation`-th pixel of a row, from `first` on: an axis without dilation, if the pads are
// even.
constexpr Axis phase_of(const Axis& w, int first) {
  const int d = w.dilation;
  return {.in = ceil_div(w.in - first, d),
          .out = ceil_div(w.out - first, d),
          .kernel = w.kernel,
          .stride = w.stride,
          .pad = w.pad / d};
}

// Has tiles of its own, whose edges cost little: no output lies in the padding altogether.
constexpr bool is_tiled(const Axis& w) {
  const bool steps =
      w.dilation == 1 ? w.stride <= 2 : w.dilation == 2 && w.stride == 1 && w.pad % 2 == 0;
  if (!steps || (w.kernel != 3 && w.kernel != 5)) return false;
  for (int first = 0; first < w.dilation; first++) {
    const Axis a = phase_of(w, first);
    if (a.pad >= a.kernel || reads(a, 0, a.out - 1).end >= a.in + a.kernel) return false;
  }
  return true;
}

// The taps of an axis that lie inside the input, output after output: without the divisions of
// taps_inside().
struct TapSteps {
  TapSteps(const Axis& a, int at)
      : stride(a.stride),
        apart(a.dilation),
        in(a.in),
        begin(0),
        end(a.kernel),
        first(at * stride - a.pad),
        behind(first + end * apart) {
    for (; begin < end && first < 0; first += apart) begin++;
    for (; end > begin && behind - apart >= in; behind -= apart) end--;
  }
  void next() {
    first += stride, behind += stride;
    for (; begin > 0 && first >= apart; first -= apart) begin--;
    for (; end > begin && behind - apart >= in; behind -= apart) end--;
  }

  int stride, apart, in;
  int begin, end;     // taps
  int first, behind;  // input positions of taps `begin` and `end`
};

struct ConvDepthwisePlan {
  ConvDepthwisePlan(const ConvDepthwise& p, const ConvDepthwiseTactic& t, int block)
      : blocks(ceil_div(p.conv.out_channels, block)),
        most(std::clamp(t.pixels, 1, 8)),
        tiled(is_tiled(p.conv.w)),
        copies(t.copies && !tiled && (reads_outside(p.conv.h, 0) || reads_outside(p.conv.w, 0))),
        phases{phase_of(p.conv.w, 0), phase_of(p.conv.w, tiled ? p.conv.w.dilation - 1 : 0)},
        cuts{DepthwiseCuts(phases[0], most), DepthwiseCuts(phases[1], most)} {
    const Axis &h = p.conv.h, &w = p.conv.w;
    // Pieces of at most 16 KiB, which the hook finds in L1, but at least a row; copies the same.
    constexpr int piece = 16384;
    const auto row_bytes = [&](int pixels) { return std::max(pixels * block * 4, 1); };
    rows = std::clamp(piece / row_bytes(w.out), 1, std::max(h.out, 1));
    if (!copies) return;
    copy_cols = reads(w, 0, w.out - 1).size();
    while (rows > 1 && reads(h, 0, rows - 1).size() * row_bytes(copy_cols) > piece) rows--;
    copy_floats = int64_t{reads(h, 0, rows - 1).size()} * copy_cols * block;
  }
  int blocks, most;  // most pixels at once
  bool tiled, copies;
  Axis phases[2];  // of tiled rows; one if there is no dilation
  DepthwiseCuts cuts[2];
  int rows = 1;  // output rows done at a time
  int copy_cols = 0;
  int64_t copy_floats = 0;

  size_t worker_size() const {
    return (static_cast<size_t>(copy_floats) * sizeof(float) + 63) / 64 * 64;
  }
};

}  // namespace tenrec::cpu
