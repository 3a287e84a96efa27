// SPDX-License-Identifier: Apache-2.0
// Some rows of A x one panel of B into the output of a matrix product, with everything that happens
// at the edges of a sum: bias, residual, scale, activation, columns that do not fill a vector.
#if defined(TENREC_CPU_GEMM_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TENREC_CPU_GEMM_ROWS_INL_H_
#undef TENREC_CPU_GEMM_ROWS_INL_H_
#else
#define TENREC_CPU_GEMM_ROWS_INL_H_
#endif

#include <algorithm>
#include <span>

#include "targets/cpu/run/gemm.h"
#include "targets/cpu/run/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

struct GemmRows {
  const Gemm& p;
  const float *bias, *residual;
  float* out;
  int most_rows;  // of a tile

  // `line` columns from `column` on: line / B vectors at panel_b + i * b_step for i in [0, kn), all
  // readable even where columns end earlier. rows_a: A from row m0 and k0 on.
  // `next`: floats that are wanted soon, brought near while tiles compute.
  void run(int column, int line, const float* panel_b, int64_t b_step, const float* rows_a,
           int64_t lda, int k0, int kn, int m0, int m1, std::span<const float> next = {}) const;
  void buffered(GemmTile tile, GemmTileFn fn, int row, int count, int column, int line, bool first,
                bool last) const;
  V finish(V x, int row, int column, int n) const;

  // Of a product with factor 1: nothing, a bias, a residual, or that and a bias of the columns.
  bool starts_in_tile() const {
    if (p.alpha != 1.0f) return p.bias == Bias::none && !p.has_residual;
    return !p.has_residual || (p.beta == 1.0f && p.bias != Bias::per_row);
  }
};

// What is added to alpha * the sum, and the activation; n columns are valid.
HWY_INLINE V GemmRows::finish(V x, int row, int column, int n) const {
  if (p.bias == Bias::per_column) x = x + load_first(bias + column, n);
  if (p.bias == Bias::per_row) x = x + all(bias[row]);
  if (p.has_residual) {
    x = fma(all(p.beta), load_first(residual + row * p.ld_residual + column, n), x);
  }
  return x;
}

inline void GemmRows::run(int column, int line, const float* panel_b, int64_t b_step,
                          const float* rows_a, int64_t lda, int k0, int kn, int m0, int m1,
                          std::span<const float> next) const {
  const bool first = k0 == 0, last = k0 + kn >= p.k;
  // Straight to the output if whole vectors fit and sums start from what a tile can read.
  const bool simple = column + line <= p.n && (starts_in_tile() || (!first && p.alpha == 1.0f));
  GemmTile tile{};
  tile.lda = lda;
  tile.b = panel_b;
  tile.b_step = b_step;
  tile.k = kn;
  tile.ldc = p.ldc;
  tile.alpha = last && simple ? p.alpha : 1.0f;
  tile.activation = last && simple ? p.activation : Activation{};
  const size_t nv = static_cast<size_t>(line / B);
  const Cuts cuts(m1 - m0, most_rows);
  for (int i = 0; i < cuts.parts; i++) {
    const int row = m0 + cuts[i], count = cuts.size(i);
    const GemmTileFn fn =
        p.m <= 2 && count <= 2 ? kFewRows[count][nv] : kGemmTiles[nv][static_cast<size_t>(count)];
    tile.a = rows_a + cuts[i] * lda;
    tile.c = out + row * p.ldc + column;
    const Share soon = share(static_cast<int>(next.size()), i, cuts.parts);
    tile.soon = next.empty() ? panel_b : next.data() + soon.begin;
    tile.soon_step = soon.size() / std::max(kn / kStepsAtOnce, 1);
    for (int r = 0; r < count; r++) {
      __builtin_prefetch(tile.c + r * p.ldc, 1, 3);
      __builtin_prefetch(tile.c + r * p.ldc + line - 1, 1, 3);
    }
    if (!simple) {
      buffered(tile, fn, row, count, column, line, first, last);
      continue;
    }
    tile.init = nullptr;
    tile.init_rows = nullptr;
    tile.init_columns = nullptr;
    if (!first) {
      tile.init = tile.c;
      tile.ld_init = p.ldc;
    } else if (p.has_residual) {
      tile.init = residual + row * p.ld_residual + column;
      tile.ld_init = p.ld_residual;
      if (p.bias == Bias::per_column) tile.init_columns = bias + column;
    } else if (p.bias == Bias::per_column) {
      tile.init = bias + column;
      tile.ld_init = 0;
    } else if (p.bias == Bias::per_row) {
      tile.init_rows = bias + row;
    }
    fn(tile);
  }
}

// The general path: the tile computes in a small buffer, so that columns past n are not written and
// the residual, which may be the output, is read before the output is written. With alpha == 1 bias
// and residual go in before the first product, as in the straight path.
inline void GemmRows::buffered(GemmTile tile, GemmTileFn fn, int row, int count, int column,
                               int line, bool first, bool last) const {
  alignas(64) float sums[max_pixels(1) * kMaxVectors * B];
  float* const c = tile.c;
  const bool before = p.alpha == 1.0f;
  for (int r = 0; r < count; r++) {
    for (int n = 0; n < line; n += B) {
      const int used = std::clamp(p.n - column - n, 0, B);
      V x = zero();
      if (!first) {
        x = load_first(c + r * p.ldc + n, used);
      } else if (before) {
        x = finish(x, row + r, column + n, used);
      }
      store(sums + r * line + n, x);
    }
  }
  tile.init = sums;
  tile.ld_init = line;
  tile.c = sums;
  tile.ldc = line;
  fn(tile);
  for (int r = 0; r < count; r++) {
    for (int n = 0; n < line; n += B) {
      const int used = std::clamp(p.n - column - n, 0, B);
      V x = load(sums + r * line + n);
      if (last) {
        if (!before) x = finish(all(p.alpha) * x, row + r, column + n, used);
        x = activate(x, p.activation);
      }
      store_first(c + r * p.ldc + n, x, used);
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
