// SPDX-License-Identifier: Apache-2.0
// The register tiles of matrix products, compiled once for all kernels that use them.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/gemm_tile.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

template <int P, int NV>
HWY_INLINE void gemm_init(const GemmTile& t, V (&acc)[P][NV]) {
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    TENREC_UNROLL for (int n = 0; n < NV; n++) {
      acc[p][n] = t.init        ? load(t.init + p * t.ld_init + n * B)
                  : t.init_rows ? all(t.init_rows[p])
                                : zero();
    }
  }
  if (!t.init || !t.init_columns) return;
  TENREC_UNROLL for (int n = 0; n < NV; n++) {
    const V x = load(t.init_columns + n * B);
    TENREC_UNROLL for (int p = 0; p < P; p++) acc[p][n] = x + acc[p][n];
  }
}
template <int P, int NV>
HWY_INLINE void gemm_store(const GemmTile& t, V (&acc)[P][NV]) {
  if (t.alpha != 1.0f) {
    const V alpha = all(t.alpha);
    TENREC_UNROLL for (int p = 0; p < P; p++) {
      TENREC_UNROLL for (int n = 0; n < NV; n++) acc[p][n] = acc[p][n] * alpha;
    }
  }
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    TENREC_UNROLL for (int n = 0; n < NV; n++) {
      store(t.c + p * t.ldc + n * B, activate(acc[p][n], t.activation));
    }
  }
}

template <int P, int NV>
HWY_NOINLINE void gemm_tile(const GemmTile& t) {
  V acc[P][NV];
  gemm_init<P, NV>(t, acc);
  const float* a[P];
  TENREC_UNROLL for (int p = 0; p < P; p++) a[p] = t.a + p * t.lda;
  const float *b = t.b, *soon = t.soon;
  int k = 0;
  for (; k + kStepsAtOnce <= t.k; k += kStepsAtOnce, soon += t.soon_step) {
    __builtin_prefetch(soon, 0, 2);
    TENREC_UNROLL for (int i = 0; i < kStepsAtOnce; i++, b += t.b_step) {
      V bv[NV];
      TENREC_UNROLL for (int n = 0; n < NV; n++) bv[n] = load(b + n * B);
      TENREC_UNROLL for (int p = 0; p < P; p++) {
        const V x = all(a[p][k + i]);
        TENREC_UNROLL for (int n = 0; n < NV; n++) acc[p][n] = fma(x, bv[n], acc[p][n]);
      }
    }
  }
  for (; k < t.k; k++, b += t.b_step) {
    V bv[NV];
    TENREC_UNROLL for (int n = 0; n < NV; n++) bv[n] = load(b + n * B);
    TENREC_UNROLL for (int p = 0; p < P; p++) {
      const V x = all(a[p][k]);
      TENREC_UNROLL for (int n = 0; n < NV; n++) acc[p][n] = fma(x, bv[n], acc[p][n]);
    }
  }
  gemm_store<P, NV>(t, acc);
}

// One or two rows: P * NV sums alone would wait on the latency of the multiply-adds, so each is
// split into four over k and added up in a fixed order. Only for products that have no more rows in
// all, else a result would depend on how rows fall on tiles.
template <int P, int NV>
HWY_NOINLINE void gemm_few_rows(const GemmTile& t) {
  constexpr int kSplit = 4;
  V acc[kSplit][P][NV];
  gemm_init<P, NV>(t, acc[0]);
  TENREC_UNROLL for (int s = 1; s < kSplit; s++) {
    TENREC_UNROLL for (int p = 0; p < P; p++) {
      TENREC_UNROLL for (int n = 0; n < NV; n++) acc[s][p][n] = zero();
    }
  }
  const float* b = t.b;
  int k = 0;
  for (; k + kSplit <= t.k; k += kSplit) {
    TENREC_UNROLL for (int s = 0; s < kSplit; s++, b += t.b_step) {
      V bv[NV];
      TENREC_UNROLL for (int n = 0; n < NV; n++) bv[n] = load(b + n * B);
      TENREC_UNROLL for (int p = 0; p < P; p++) {
        const V x = all(t.a[p * t.lda + k + s]);
        TENREC_UNROLL for (int n = 0; n < NV; n++) acc[s][p][n] = fma(x, bv[n], acc[s][p][n]);
      }
    }
  }
  for (; k < t.k; k++, b += t.b_step) {
    TENREC_UNROLL for (int p = 0; p < P; p++) {
      const V x = all(t.a[p * t.lda + k]);
      TENREC_UNROLL for (int n = 0; n < NV; n++) {
        acc[0][p][n] = fma(x, load(b + n * B), acc[0][p][n]);
      }
    }
  }
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    TENREC_UNROLL for (int n = 0; n < NV; n++) {
      acc[0][p][n] = (acc[0][p][n] + acc[1][p][n]) + (acc[2][p][n] + acc[3][p][n]);
    }
  }
  gemm_store<P, NV>(t, acc[0]);
}

template <int NV, int P = 1>
constexpr void fill_gemm_tiles(GemmTileRow& row) {
  if constexpr (P <= max_pixels(NV)) {
    row[P] = &gemm_tile<P, NV>;
    fill_gemm_tiles<NV, P + 1>(row);
  }
}
constexpr std::array<GemmTileRow, kMaxVectors + 1> make_gemm_tiles() {
  std::array<GemmTileRow, kMaxVectors + 1> t{};
  fill_gemm_tiles<1>(t[1]);
  fill_gemm_tiles<2>(t[2]);
  fill_gemm_tiles<3>(t[3]);
  return t;
}
constinit const std::array<GemmTileRow, kMaxVectors + 1> kGemmTiles = make_gemm_tiles();
constinit const GemmTileFn kFewRows[3][kMaxVectors + 1] = {
    {},
    {nullptr, &gemm_few_rows<1, 1>, &gemm_few_rows<1, 2>, &gemm_few_rows<1, 3>},
    {nullptr, &gemm_few_rows<2, 1>, &gemm_few_rows<2, 2>, &gemm_few_rows<2, 3>}};

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
