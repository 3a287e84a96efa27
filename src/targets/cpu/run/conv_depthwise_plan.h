// SPDX-License-Identifier: Apache-2.0
// Internal to conv_depthwise: sizes derived from parameters and tactic, for planning and run.
#pragma once

#include "targets/cpu/run/conv_depthwise.h"
#include "targets/cpu/run/conv_plan.h"

namespace tenrec::cpu {

struct ConvDepthwisePlan {
  ConvDepthwisePlan(const ConvDepthwise& p, const ConvDepthwiseTactic& t, int block)
      : blocks(ceil_div(p.conv.out_channels, block)),
        copies(t.copies && (reads_outside(p.conv.h, 0) || reads_outside(p.conv.w, 0))) {
    const Axis &h = p.conv.h, &w = p.conv.w;
    // Pieces of 128 pixels or more for the hook, at least a row; copies of at most ~16 KiB, for L1.
    rows = std::clamp(128 / std::max(w.out, 1), 1, std::max(h.out, 1));
    if (!copies) return;
    copy_cols = reads(w, 0, w.out - 1).size();
    while (rows < h.out && reads(h, 0, rows).size() * copy_cols * block * 4 <= 16384) rows++;
    copy_floats = int64_t{reads(h, 0, rows - 1).size()} * copy_cols * block;
  }
  int blocks;
  bool copies;
  int rows = 1;  // output rows done at a time
  int copy_cols = 0;
  int64_t copy_floats = 0;

  size_t worker_size() const {
    return (static_cast<size_t>(copy_floats) * sizeof(float) + 63) / 64 * 64;
  }
};

}  // namespace tenrec::cpu
