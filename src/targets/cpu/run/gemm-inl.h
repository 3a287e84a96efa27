// SPDX-License-Identifier: Apache-2.0
// The register tile of matrix products: P rows of A x NV vectors of columns of B.
#if defined(TENREC_CPU_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TENREC_CPU_GEMM_INL_H_
#undef TENREC_CPU_GEMM_INL_H_
#else
#define TENREC_CPU_GEMM_INL_H_
#endif

#include "targets/cpu/run/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

constexpr int kStepsAtOnce = 8;  // of k, unrolled

struct GemmTile {
  const float* a;  // rows of A: a + p * lda, k values each
  int64_t lda;
  const float* b;  // NV vectors at b + i * b_step for i in [0, k)
  int64_t b_step;
  int k;
  float* c;
  int64_t ldc;
  // What sums start from: init (rows at + p * ld_init; ld 0 = the same for all rows), else
  // init_rows[p] for all of row p, else 0; plus init_columns, the same for all rows, where it is
  // there beside init.
  const float* init;
  int64_t ld_init;
  const float* init_rows;
  const float* init_columns;
  float alpha;            // multiplies the finished sum
  Activation activation;  // of finished sums; none while partial
  // Memory that is wanted soon: one line of it, `soon_step` floats on, is brought near for every
  // kStepsAtOnce steps of k, where it costs nothing.
  const float* soon;
  int64_t soon_step;
};

using GemmTileFn = void (*)(const GemmTile&);
using GemmTileRow = std::array<GemmTileFn, static_cast<size_t>(max_pixels(1) + 1)>;

// [vectors][rows], defined in gemm_tile.cpp.
extern const std::array<GemmTileRow, kMaxVectors + 1> kGemmTiles;
// For products of one or two rows in all: [rows][vectors].
extern const GemmTileFn kFewRows[3][kMaxVectors + 1];

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
