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

// Has tiles of its own, whose edges cost little: no output lies in the padding altogether.
constexpr bool is_tiled(const Axis& w) {
  return (w.kernel == 3 || w.kernel == 5) && w.dilation == 1 && w.stride <= 2 && w.pad < w.kernel &&
         reads(w, 0, w.out - 1).end < w.in + w.kernel;
}

struct ConvDepthwisePlan {
  ConvDepthwisePlan(const ConvDepthwise& p, const ConvDepthwiseTactic& t, int block)
      : blocks(ceil_div(p.conv.out_channels, block)),
        most(std::clamp(t.pixels, 1, 8)),
        tiled(is_tiled(p.conv.w)),
        copies(t.copies && !tiled && (reads_outside(p.conv.h, 0) || reads_outside(p.conv.w, 0))),
        cuts(p.conv.w, most) {
    const Axis &h = p.conv.h, &w = p.conv.w;
    // Pieces of 128 pixels or more for the hook, at least a row; copies of at most ~16 KiB, for L1.
    rows = std::clamp(128 / std::max(w.out, 1), 1, std::max(h.out, 1));
    if (!copies) return;
    copy_cols = reads(w, 0, w.out - 1).size();
    while (rows < h.out && reads(h, 0, rows).size() * copy_cols * block * 4 <= 16384) rows++;
    copy_floats = int64_t{reads(h, 0, rows - 1).size()} * copy_cols * block;
  }
  int blocks, most;  // most pixels at once
  bool tiled, copies;
  DepthwiseCuts cuts;
  int rows = 1;  // output rows done at a time
  int copy_cols = 0;
  int64_t copy_floats = 0;

  size_t worker_size() const {
    return (static_cast<size_t>(copy_floats) * sizeof(float) + 63) / 64 * 64;
  }
};

}  // namespace tenrec::cpu
