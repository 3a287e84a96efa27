// SPDX-License-Identifier: Apache-2.0
// Internal to gemm: sizes derived from parameters and tactic, the same for planning and run.
#pragma once

#include "targets/cpu/run/conv_plan.h"
#include "targets/cpu/run/gemm.h"

namespace tenrec::cpu {

struct GemmPlan {
  GemmPlan(const Gemm& p, const GemmTactic& t, int block)
      : width(t.vectors * block),
        panels(ceil_div(p.n, width)),
        vectors_of_n(ceil_div(p.n, block)),
        rows(std::clamp(t.rows, 1, std::max(p.m, 1))),
        block_panels(std::clamp(t.columns / width, 1, std::max(panels, 1))),
        chunk(even_part(std::max(p.k, 1), std::max(t.chunk, 1))) {
    // Partial sums live in `out`: a residual that is added last would be gone if it were `out`.
    if (p.has_residual && p.alpha != 1.0f) chunk = std::max(p.k, 1);
  }

  // Of equal parts of at most `most`, all but the last of them whole steps of the register tile.
  static constexpr int even_part(int k, int most) {
    constexpr int step = 8;
    if (k <= most) return k;
    return std::min(most, ceil_div(ceil_div(k, ceil_div(k, most)), step) * step);
  }

  int width;         // columns of a full panel
  int panels;        // of B
  int vectors_of_n;  // of all panels: the last may have fewer than the others
  int rows, block_panels, chunk;

  // Rows that lie half a page apart, or multiples of it, would share the same few lines of L1: one
  // copy of A by parts of k, [part][row][k of the part], is made for all before the products.
  bool spreads_a(const Gemm& p, const GemmTactic& t) const {
    constexpr int64_t most = int64_t{4} << 20;
    return t.mode != GemmTactic::Mode::dot && !p.trans_a && p.batch == 1 && p.m > 2 &&
           p.k > chunk && p.lda % 512 == 0 && p.n > 4 * width && int64_t{p.m} * p.k <= most;
  }
  // Packed panels need k * width floats each, but the last only what it has.
  int64_t packed_floats(int64_t k, int block) const { return k * vectors_of_n * block; }

  struct Scratch {
    size_t spread_a;            // bytes before the workers' parts
    size_t worker_size, total;  // bytes
    size_t a, b;                // within a worker's part
  };
  Scratch scratch(const Gemm& p, const GemmTactic& t, int threads) const {
    Scratch s{};
    ScratchLayout worker;
    const bool dot = t.mode == GemmTactic::Mode::dot;
    int64_t a_floats = 0, b_floats = 0;
    if (p.trans_a) a_floats = int64_t{rows} * (dot ? p.k : chunk);
    if (dot) b_floats = p.trans_b ? 0 : int64_t{p.k} * p.n;
    if (t.mode == GemmTactic::Mode::packs) b_floats = int64_t{chunk} * block_panels * width;
    if (t.mode == GemmTactic::Mode::direct) b_floats = int64_t{chunk} * width;
    s.a = worker.add(static_cast<size_t>(a_floats) * sizeof(float));
    s.b = worker.add(static_cast<size_t>(b_floats) * sizeof(float));
    s.worker_size = worker.bytes;
    ScratchLayout shared;
    if (spreads_a(p, t))
      shared.add(sizeof(float) * static_cast<size_t>(p.m) * static_cast<size_t>(p.k));
    s.spread_a = shared.bytes;
    s.total = shared.bytes + worker.bytes * static_cast<size_t>(threads);
    return s;
  }
};

}  // namespace tenrec::cpu
