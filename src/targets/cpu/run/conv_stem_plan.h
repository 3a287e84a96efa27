// SPDX-License-Identifier: Apache-2.0
// Internal to conv_stem: sizes derived from parameters and tactic, the same for planning and run.
#pragma once

#include "targets/cpu/run/conv_plan.h"
#include "targets/cpu/run/conv_stem.h"

namespace tenrec::cpu {

struct ConvStemPlan {
  ConvStemPlan(const ConvStem& p, const ConvStemTactic& t, int block)
      : out_blocks(ceil_div(p.conv.out_channels, block)), panels(ceil_div(out_blocks, t.vectors)) {
    const Axis &h = p.conv.h, &w = p.conv.w;
    // Without dilation a tap is a whole kernel row, else one value.
    values = w.dilation == 1 ? w.kernel : 1;
    taps = p.conv.in_channels * h.kernel * w.kernel / values;
    const int band = std::max(t.band, 1);
    rows = std::clamp(band / std::max(w.out, 1), 1, std::max(h.out, 1));
    pixels = w.out <= band ? rows * w.out : band;
    copy_cols = reads(w, 0, std::min(w.out, std::max(pixels, 1)) - 1).size();
    copy_rows = reads(h, 0, rows - 1).size();
  }
  int out_blocks, panels;
  int values, taps;  // floats of a tap, taps of a sum
  int rows, pixels;  // of a band, at most
  int copy_cols, copy_rows;

  struct Scratch {
    size_t taps, in_at, out_at, copy, worker_size, total;  // bytes; all but total per worker
  };
  Scratch scratch(const ConvStem& p, int threads) const {
    Scratch s{};
    ScratchLayout worker;
    s.taps = worker.add(static_cast<size_t>(taps) * sizeof(int));
    s.in_at = worker.add(static_cast<size_t>(pixels) * sizeof(int));
    s.out_at = worker.add(static_cast<size_t>(pixels) * sizeof(int));
    s.copy = worker.add(static_cast<size_t>(p.conv.in_channels) * static_cast<size_t>(copy_rows) *
                        static_cast<size_t>(copy_cols) * sizeof(float));
    s.worker_size = worker.bytes;
    s.total = worker.bytes * static_cast<size_t>(threads);
    return s;
  }
};

}  // namespace tenrec::cpu
