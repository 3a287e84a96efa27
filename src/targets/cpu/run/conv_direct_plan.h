// SPDX-License-Identifier: Apache-2.0
// Internal to conv_direct: sizes derived from parameters and tactic, the same for planning and run.
#pragma once

#include "targets/cpu/run/conv_direct.h"
#include "targets/cpu/run/conv_plan.h"

namespace tenrec::cpu {

struct ConvDirectPlan {
  ConvDirectPlan(const ConvDirect& p, const ConvDirectTactic& t, int block)
      : block(block),
        inputs(p.conv.in_channels / p.conv.groups),
        in_blocks(ceil_div(inputs, block)),
        out_blocks(ceil_div(p.conv.out_channels / p.conv.groups, block)),
        panels(ceil_div(out_blocks, t.vectors)),
        kernel(p.conv.h.kernel * p.conv.w.kernel),
        chunk(std::clamp(t.chunk, 1, std::max(in_blocks, 1))),
        copies(reads_outside(p.conv.h, p.in_halo_h) || reads_outside(p.conv.w, p.in_halo_w)) {
    const Axis &h = p.conv.h, &w = p.conv.w;
    const int band = std::max(t.band, 1);
    if (!copies) {
      pixels = std::min(band, h.out * w.out);
      return;
    }
    // Copied bands are whole rows, or part of one row where a row is long.
    rows = std::clamp(band / std::max(w.out, 1), 1, std::max(h.out, 1));
    pixels = w.out <= band ? rows * w.out : band;
    copy_cols = reads(w, 0, std::min(w.out, std::max(pixels, 1)) - 1).size();
    copy_rows = reads(h, 0, rows - 1).size();
    copy_row = int64_t{copy_cols} * block;
    copy_plane = copy_row * copy_rows;
  }

  int block;                          // channels
  int inputs;                         // channels of one group
  int in_blocks, out_blocks, panels;  // of one group
  int kernel;                         // taps of kTapChannels channels
  int chunk;                          // input blocks summed at a time
  bool copies;               // the input has no zeros around it: bands are copied to where it has
  int rows = 0, pixels = 0;  // of a band, at most
  int copy_cols = 0, copy_rows = 0;
  int64_t copy_row = 0, copy_plane = 0;  // strides of the copy, floats

  // Taps of the input blocks [begin, end): those of padding alone are left out.
  int taps(int begin, int end) const {
    return ceil_div(std::min(inputs, end * block) - begin * block, kTapChannels) * kernel;
  }

  struct Scratch {
    size_t taps, workers, worker_size, total;  // bytes
    size_t in_at, residual_at, out_at, copy;   // within a worker's part
  };
  Scratch scratch(int threads) const {
    Scratch s{};
    ScratchLayout all, worker;
    s.in_at = worker.add(static_cast<size_t>(pixels) * sizeof(int));
    s.residual_at = worker.add(static_cast<size_t>(pixels) * sizeof(int));
    s.out_at = worker.add(static_cast<size_t>(pixels) * sizeof(int));
    s.copy = worker.add(static_cast<size_t>(copy_plane * chunk) * sizeof(float));
    s.worker_size = worker.bytes;
    s.taps = all.add(static_cast<size_t>(chunk * block / kTapChannels * kernel) * sizeof(int));
    s.workers = all.add(worker.bytes * static_cast<size_t>(threads));
    s.total = all.bytes;
    return s;
  }
};

}  // namespace tenrec::cpu
