// SPDX-License-Identifier: Apache-2.0
// Internal to conv_plain: phases and sizes, the same for planning and run.
#pragma once

#include "targets/cpu/run/conv_plain.h"
#include "targets/cpu/run/conv_plan.h"

namespace tenrec::cpu {

// The outputs first, first + step, ... of one axis, each a sum over the same taps: output number j
// reads input j * in_step + offset(tap). An ordinary convolution has one such phase.
struct AxisPhase {
  const Axis* axis;
  bool transposed;
  int first, step, count, in_step;

  static constexpr int phases(const Axis& a, bool transposed) { return transposed ? a.stride : 1; }
  AxisPhase(const Axis& a, bool is_transposed, int phase)
      : axis(&a),
        transposed(is_transposed),
        first(is_transposed ? phase : 0),
        step(is_transposed ? a.stride : 1),
        count(std::max(0, ceil_div(a.out - first, step))),
        in_step(is_transposed ? 1 : a.stride) {}
  bool has(int tap) const {
    return !transposed || (first + axis->pad - tap * axis->dilation) % axis->stride == 0;
  }
  int offset(int tap) const {
    return transposed ? (first + axis->pad - tap * axis->dilation) / axis->stride
                      : tap * axis->dilation - axis->pad;
  }
  int taps() const {
    int n = 0;
    for (int k = 0; k < axis->kernel; k++) n += has(k);
    return n;
  }
};

struct ConvPhase {
  AxisPhase d, h, w;
  ConvPhase(const Conv& c, bool transposed, int index)
      : d(c.d, transposed,
          index / (AxisPhase::phases(c.h, transposed) * AxisPhase::phases(c.w, transposed))),
        h(c.h, transposed,
          index / AxisPhase::phases(c.w, transposed) % AxisPhase::phases(c.h, transposed)),
        w(c.w, transposed, index % AxisPhase::phases(c.w, transposed)) {}
  int taps() const { return d.taps() * h.taps() * w.taps(); }
  static int count(const Conv& c, bool transposed) {
    return AxisPhase::phases(c.d, transposed) * AxisPhase::phases(c.h, transposed) *
           AxisPhase::phases(c.w, transposed);
  }
};

constexpr int plain_taps(const ConvPlain& p) {
  const int width = p.fold == Fold::none ? p.conv.w.kernel : ceil_div(p.conv.w.kernel, 2);
  return p.conv.d.kernel * p.conv.h.kernel * width;
}

struct ConvPlainPlan {
  ConvPlainPlan(const ConvPlain& p, const ConvPlainTactic& t, int block)
      : inputs(p.conv.in_channels / p.conv.groups),
        outputs(p.conv.out_channels / p.conv.groups),
        phases(ConvPhase::count(p.conv, p.transposed)),
        spreads(p.transposed && p.conv.groups == 1 && !p.has_residual && spreads_along(p.conv.d) &&
                spreads_along(p.conv.h) && spreads_along(p.conv.w)),
        width(t.vectors * block),
        columns(round_up(std::max(t.columns, 1), width)),
        taps(plain_taps(p)),
        chunk(std::clamp(t.chunk, 1, std::max(1, inputs * taps))) {}

  int inputs, outputs;  // channels of a group
  int phases;
  bool spreads;  // every input pixel becomes outputs of its own, one for each tap
  int width;     // columns of a register tile
  int columns;   // of the patch matrix, a multiple of width
  int taps;      // of all phases together
  int chunk;

  struct Scratch {
    size_t taps, pieces, patches, sums, worker_size, total;  // bytes; all but total per worker
  };
  static constexpr bool spreads_along(const Axis& a) {
    return a.kernel == a.stride && a.pad == 0 && (a.dilation == 1 || a.kernel == 1) &&
           a.out == a.in * a.stride;
  }
  int sum_rows() const { return spreads ? outputs * phases : phases > 1 ? outputs : 0; }

  Scratch scratch(int threads) const {
    Scratch s{};
    ScratchLayout worker;
    const auto cols = static_cast<size_t>(columns);
    s.taps = worker.add(static_cast<size_t>(taps) * 3 * sizeof(int));
    s.pieces = worker.add(cols * 5 * sizeof(int));
    s.patches = worker.add(cols * static_cast<size_t>(chunk) * sizeof(float));
    s.sums = worker.add(cols * static_cast<size_t>(sum_rows()) * sizeof(float));
    s.worker_size = worker.bytes;
    s.total = worker.bytes * static_cast<size_t>(threads);
    return s;
  }
};

}  // namespace tenrec::cpu
