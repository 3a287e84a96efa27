// SPDX-License-Identifier: Apache-2.0
// A task is some rows x some panels of columns of one matrix of the batch. A block of A (rows x
// chunk) stays in L2 while panels of B pass, each read once by all rows of the block; the sums of a
// tile stay in registers for a whole chunk. Long chunks win though a panel then outgrows L1: it
// comes from L2 at 16 bytes a cycle, and the output is read and written less often.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/gemm.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/gemm_plan.h"
#include "targets/cpu/run/gemm_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

using Mode = GemmTactic::Mode;

struct GemmTask {
  const Gemm& p;
  const GemmTactic& t;
  const GemmPlan& plan;
  const GemmBuffers& buffers;
  const float *a, *b;  // of this matrix of the batch
  GemmRows out;
  const float* spread_a;   // null: as it lies
  float *a_copy, *b_copy;  // scratch
  int index, worker;       // which matrix; who runs this
  Share rows, panels;

  void run();
  void run_dot();
  void block(Share panel_block, int k0, int m0, int m1);
  const float* panel_of(int panel, int k0, int kn, float* copy, int64_t& step);
  std::span<const float> after(Share panel_block, int panel, int k0, int kn) const;
  void copy_panel(int panel, int k0, int kn, float* to);
  void transpose_a(int k0, int kn, int m0, int m1);
  void hook(Share panel_block, int m0, int m1);

  int line_of(int panel) const {
    return std::min(plan.width, plan.vectors_of_n * B - panel * plan.width);
  }
};

void GemmTask::run() {
  const int chunks = std::max(1, ceil_div(p.k, plan.chunk));
  for (int n0 = panels.begin; n0 < panels.end; n0 += plan.block_panels) {
    const Share part{n0, std::min(n0 + plan.block_panels, panels.end)};
    for (int c = 0; c < chunks; c++) {
      const int k0 = c * plan.chunk, kn = std::min(plan.chunk, p.k - k0);
      if (t.mode == Mode::packs) {
        for (int i = part.begin; i < part.end; i++) {
          copy_panel(i, k0, kn, b_copy + int64_t{i - part.begin} * plan.width * kn);
        }
      }
      // The hook finds its rows in L2; fewer at a time would read all panels of B again for each.
      const Cuts cuts(rows.size(), plan.rows);
      for (int i = 0; i < cuts.parts; i++) {
        const int m0 = rows.begin + cuts[i], m1 = rows.begin + cuts[i + 1];
        block(part, k0, m0, m1);
        if (c + 1 == chunks && buffers.epilogue.fn) hook(part, m0, m1);
      }
    }
  }
}

void GemmTask::block(Share panel_block, int k0, int m0, int m1) {
  const int kn = std::min(plan.chunk, p.k - k0);
  const float* rows_a = a + m0 * p.lda + k0;
  int64_t lda = p.lda;
  if (p.trans_a) {
    transpose_a(k0, kn, m0, m1);
    rows_a = a_copy;
    lda = kn;
  } else if (spread_a) {
    rows_a = spread_a + int64_t{k0} * p.m + int64_t{m0} * kn;
    lda = kn;
  }
  for (int panel = panel_block.begin; panel < panel_block.end; panel++) {
    int64_t step = 0;
    float* copy = b_copy + int64_t{panel - panel_block.begin} * plan.width * kn;
    const float* panel_b = panel_of(panel, k0, kn, copy, step);
    const bool fresh = m0 == rows.begin;  // later rows find the block in L2
    out.run(panel * plan.width, line_of(panel), panel_b, step, rows_a, lda, k0, kn, m0, m1,
            fresh ? after(panel_block, panel, k0, kn) : std::span<const float>());
  }
}

// The packed panel that comes next: of this block, else the first of the next part of k.
std::span<const float> GemmTask::after(Share panel_block, int panel, int k0, int kn) const {
  if (t.mode != Mode::prepacked) return {};
  if (++panel == panel_block.end) {
    panel = panel_block.begin;
    k0 += kn;
    kn = std::min(plan.chunk, p.k - k0);
  }
  if (kn <= 0) return {};
  const int64_t line = line_of(panel);
  return {b + int64_t{panel} * plan.width * p.k + k0 * line, static_cast<size_t>(kn * line)};
}

const float* GemmTask::panel_of(int panel, int k0, int kn, float* copy, int64_t& step) {
  step = line_of(panel);
  switch (t.mode) {
    case Mode::prepacked: return b + int64_t{panel} * plan.width * p.k + k0 * step;
    case Mode::packs: return copy;
    default: break;
  }
  if ((panel + 1) * plan.width <= p.n) {
    step = p.ldb;
    return b + k0 * p.ldb + panel * plan.width;
  }
  copy_panel(panel, k0, kn, b_copy);  // direct, but whole vectors would read past the last column
  return b_copy;
}

void GemmTask::copy_panel(int panel, int k0, int kn, float* to) {
  const int first = panel * plan.width, line = line_of(panel);
  const int used = std::min(line, p.n - first);
  if (!p.trans_b) {
    const float* from = b + k0 * p.ldb + first;
    for (int k = 0; k < kn; k++, from += p.ldb, to += line) {
      int n = 0;
      for (; n + B <= used; n += B) store(to + n, load(from + n));
      if (n < line) store(to + n, load_first(from + n, used - n));
    }
    return;
  }
  // Sixteen values of k of one column are one line of memory: read it once, write columns apart.
  for (int k = 0; k < kn; k += 16) {
    const int end = std::min(k + 16, kn);
    for (int n = 0; n < line; n++) {
      const float* from = b + (first + n) * p.ldb + k0;
      for (int i = k; i < end; i++) to[int64_t{i} * line + n] = n < used ? from[i] : 0.0f;
    }
  }
}

void GemmTask::transpose_a(int k0, int kn, int m0, int m1) {
  for (int k = 0; k < kn; k += 16) {
    const int end = std::min(k + 16, kn);
    for (int i = k; i < end; i++) {
      const float* from = a + (k0 + i) * p.lda;
      for (int m = m0; m < m1; m++) a_copy[int64_t{m - m0} * kn + i] = from[m];
    }
  }
}

void GemmTask::hook(Share panel_block, int m0, int m1) {
  const int first = panel_block.begin * plan.width;
  const int last = std::min(panel_block.end * plan.width, p.n);
  for (int m = m0; m < m1; m++) {
    float* data = out.out + m * p.ldc + first;
    buffers.epilogue.fn(buffers.epilogue.state, Piece{.data = data,
                                                      .offset = data - buffers.out,
                                                      .count = last - first,
                                                      .image = index,
                                                      .channel = first,
                                                      .pixel = m,
                                                      .worker = worker});
  }
}

// P rows of A x Q rows of transposed B, a vector of k at a time; every sum has one accumulator, so
// it does not depend on P and Q.
template <int P, int Q>
HWY_INLINE void dot_tile(const float* a, int64_t lda, const float* b, int64_t ldb, int k,
                         float (&sums)[4][4]) {
  V acc[P][Q];
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    TENREC_UNROLL for (int q = 0; q < Q; q++) acc[p][q] = zero();
  }
  const auto step = [&](int i, int n) HWY_ATTR {
    V bv[Q];
    TENREC_UNROLL for (int q = 0; q < Q; q++) {
      bv[q] = n == B ? load(b + q * ldb + i) : load_first(b + q * ldb + i, n);
    }
    TENREC_UNROLL for (int p = 0; p < P; p++) {
      const V av = n == B ? load(a + p * lda + i) : load_first(a + p * lda + i, n);
      TENREC_UNROLL for (int q = 0; q < Q; q++) acc[p][q] = fma(av, bv[q], acc[p][q]);
    }
  };
  int i = 0;
  for (; i + B <= k; i += B) step(i, B);
  if (i < k) step(i, k - i);
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    TENREC_UNROLL for (int q = 0; q < Q; q++) sums[p][q] = sum(acc[p][q]);
  }
}

void GemmTask::run_dot() {
  const float* columns = b;
  int64_t ldb = p.ldb;
  if (!p.trans_b) {  // only worth it for a few columns, or one that is contiguous already
    if (p.n != 1 || p.ldb != 1) {
      for (int n = 0; n < p.n; n++) {
        for (int k = 0; k < p.k; k++) b_copy[int64_t{n} * p.k + k] = b[k * p.ldb + n];
      }
      columns = b_copy;
    }
    ldb = p.k;
  }
  const int n0 = panels.begin * plan.width, n1 = std::min(panels.end * plan.width, p.n);
  const Cuts cuts(rows.size(), plan.rows);
  for (int i = 0; i < cuts.parts; i++) {
    const int m0 = rows.begin + cuts[i], m1 = rows.begin + cuts[i + 1];
    if (p.trans_a) transpose_a(0, p.k, m0, m1);
    const float* rows_a = p.trans_a ? a_copy : a + m0 * p.lda;
    const int64_t lda = p.trans_a ? p.k : p.lda;
    for (int m = m0; m < m1;) {
      const int pm = m + 2 <= m1 ? 2 : 1;
      for (int n = n0; n < n1;) {
        const int qn = n + 4 <= n1 ? 4 : 1;
        const float *ra = rows_a + (m - m0) * lda, *rb = columns + n * ldb;
        float sums[4][4];
        if (pm == 2 && qn == 4) dot_tile<2, 4>(ra, lda, rb, ldb, p.k, sums);
        if (pm == 2 && qn == 1) dot_tile<2, 1>(ra, lda, rb, ldb, p.k, sums);
        if (pm == 1 && qn == 4) dot_tile<1, 4>(ra, lda, rb, ldb, p.k, sums);
        if (pm == 1 && qn == 1) dot_tile<1, 1>(ra, lda, rb, ldb, p.k, sums);
        for (int r = 0; r < pm; r++) {
          const V x = out.finish(all(p.alpha) * load_first(sums[r], qn), m + r, n, qn);
          store_first(out.out + (m + r) * p.ldc + n, activate(x, p.activation), qn);
        }
        n += qn;
      }
      m += pm;
    }
    if (buffers.epilogue.fn) hook(panels, m0, m1);
  }
}

Split split_of(const Gemm& p, const GemmTactic& t, const GemmPlan& plan, int threads) {
  // Where rows are shared, each part packs all of B for itself.
  const bool packs_often = t.by_row && t.mode == Mode::packs;
  // Few rows wait for the weights rather than for their multiply-adds.
  const double work = 1.0 * p.batch * std::max(p.m, 8) * p.n * p.k;
  Split split =
      split_work(p.batch, plan.panels, !t.by_row, threads, packs_often ? threads : p.m, work);
  // Columns in whole panels may not divide evenly among the threads; then rows take the rest.
  if (!t.by_row && plan.panels >= threads && p.m < 2 * threads && split.parts() > 1) {
    split = {1, threads};
  }
  split.pixel_parts = std::min(split.pixel_parts, p.m);
  return split;
}

void spread_rows(const Gemm& p, const GemmPlan& plan, const float* a, float* to,
                 const Threads& threads) {
  constexpr int rows = 8;  // a task
  threads.parallel(ceil_div(p.m, rows), [&](int task, int) {
    for (int k0 = 0; k0 < p.k; k0 += plan.chunk) {
      const int kn = std::min(plan.chunk, p.k - k0);
      for (int m = task * rows; m < std::min(p.m, (task + 1) * rows); m++) {
        std::memcpy(to + int64_t{k0} * p.m + int64_t{m} * kn, a + m * p.lda + k0,
                    static_cast<size_t>(kn) * sizeof(float));
      }
    }
  });
}

void run_gemm(const Gemm& p, const GemmTactic& t, const GemmBuffers& buffers,
              const Threads& threads) {
  if (p.m == 0 || p.n == 0 || p.batch == 0) return;
  const GemmPlan plan(p, t, B);
  const auto scratch = plan.scratch(p, t, threads.count());
  char* base = static_cast<char*>(buffers.scratch) + scratch.spread_a;
  const float* spread = nullptr;
  if (scratch.spread_a > 0) {
    spread_rows(p, plan, buffers.a, static_cast<float*>(buffers.scratch), threads);
    spread = static_cast<float*>(buffers.scratch);
  }
  const Split split = split_of(p, t, plan, threads.count());
  const int64_t packed = plan.packed_floats(p.k, B);
  threads.parallel(p.batch * split.parts(), [&](int task, int worker) {
    const int part = task % split.parts(), index = task / split.parts();
    char* own = base + scratch.worker_size * static_cast<size_t>(worker);
    const int64_t batch_b = t.mode == Mode::prepacked ? (p.batch_b == 0 ? 0 : packed) : p.batch_b;
    GemmTask work{
        .p = p,
        .t = t,
        .plan = plan,
        .buffers = buffers,
        .a = buffers.a + index * p.batch_a,
        .b = buffers.b + index * batch_b,
        .out = {.p = p,
                .bias = buffers.bias,
                .residual = buffers.residual + (p.has_residual ? index * p.batch_residual : 0),
                .out = buffers.out + index * p.batch_c,
                .most_rows = max_pixels(t.vectors)},
        .spread_a = spread,
        .a_copy = reinterpret_cast<float*>(own + scratch.a),
        .b_copy = reinterpret_cast<float*>(own + scratch.b),
        .index = index,
        .worker = worker,
        .rows = share(p.m, part / split.channel_parts, split.pixel_parts),
        .panels = share(plan.panels, part % split.channel_parts, split.channel_parts)};
    if (t.mode == Mode::dot) {
      work.run_dot();
    } else {
      work.run();
    }
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
GemmRun gemm(Isa isa) { return TENREC_CPU_PICK(isa, run_gemm); }
}  // namespace tenrec::cpu
#endif
