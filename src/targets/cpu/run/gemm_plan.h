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
        chunk(std::clamp(t.chunk, 1, std::max(p.k, 1))) {
    // Partial sums live in `out`: a residual that is added last would be gone if it were `out`.
    if (p.has_residual && p.alpha != 1.0f) chunk = std::max(p.k, 1);
  }

  int width;         // columns of a full panel
  int panels;        // of B
  int vectors_of_n;  // of all panels: the last may have fewer than the others
  int rows, block_panels, chunk;

  // Rows that lie half a page apart, or multiples of it, would share the same few lines of L1.
  bool copies_a(const Gemm& p) const {
    return p.trans_a || (p.m > 2 && p.k > chunk && p.lda % 512 == 0 && p.n > 4 * width);
  }
  // Packed panels need k * width floats each, but the last only what it has.
  int64_t packed_floats(int64_t k, int block) const { return k * vectors_of_n * block; }

  struct Scratch {
    size_t worker_size, total;  // bytes
    size_t a, b;                // within a worker's part
  };
  Scratch scratch(const Gemm& p, const GemmTactic& t, int block, int threads) const {
    Scratch s{};
    ScratchLayout worker;
    const bool dot = t.mode == GemmTactic::Mode::dot;
    int64_t a_floats = 0, b_floats = 0;
    if (dot ? p.trans_a : copies_a(p)) a_floats = int64_t{rows} * (dot ? p.k : chunk);
    if (dot) b_floats = p.trans_b ? 0 : int64_t{p.k} * p.n;
    if (t.mode == GemmTactic::Mode::packs) b_floats = int64_t{chunk} * block_panels * width;
    if (t.mode == GemmTactic::Mode::direct) b_floats = int64_t{chunk} * width;
    (void)block;
    s.a = worker.add(static_cast<size_t>(a_floats) * sizeof(float));
    s.b = worker.add(static_cast<size_t>(b_floats) * sizeof(float));
    s.worker_size = worker.bytes;
    s.total = worker.bytes * static_cast<size_t>(threads);
    return s;
  }
};

}  // namespace tenrec::cpu
