// SPDX-License-Identifier: Apache-2.0
// The register tiles of the convolutions, compiled once for all kernels that use them.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/tile.cpp"
#include "targets/cpu/run/highway_each.h"

#include "targets/cpu/run/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

template <int P, int NV, bool kHalf>
HWY_NOINLINE void tile(const TileArgs& a, const int* in_at, const int* residual_at,
                       const int* out_at) {
  constexpr int kWhole = kHalf ? NV - 1 : NV;
  V acc[P][NV];
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    TENREC_UNROLL for (int n = 0; n < NV; n++) {
      acc[p][n] = a.bias ? load(a.bias + n * B) : load(a.out + out_at[p] + n * a.out_plane);
    }
  }
  TENREC_UNROLL for (int n = 0; n < NV; n++) {
    if (n >= a.residual_vectors) break;
    TENREC_UNROLL for (int p = 0; p < P; p++) {
      acc[p][n] = acc[p][n] + load(a.residual + residual_at[p] + n * a.residual_plane);
    }
  }
  TENREC_UNROLL for (int p = 0; p < P * B; p += 16) {
    TENREC_UNROLL for (int n = 0; n < NV; n++) {
      __builtin_prefetch(a.next_out + p + n * a.out_plane, 1);
      if (n < a.residual_vectors) __builtin_prefetch(a.next_residual + p + n * a.residual_plane);
    }
  }
  H half[P];
  if constexpr (kHalf)
    TENREC_UNROLL for (int p = 0; p < P; p++) half[p] = first_half(acc[p][kWhole]);
  const float* in[P];
  TENREC_UNROLL for (int p = 0; p < P; p++) in[p] = a.in + in_at[p];
  const float *w = a.weights, *ahead = a.ahead;
  for (int t = 0; t < a.tap_count; t++, ahead += 16, w += kTapChannels * NV * B) {
    const ptrdiff_t tap = a.taps[t];
    __builtin_prefetch(ahead, 0, 2);
    // Per channel NV loads and P broadcasts feed P * NV multiply-adds.
    TENREC_UNROLL for (int c = 0; c < kTapChannels; c++) {
      V wv[NV];
      TENREC_UNROLL for (int n = 0; n < kWhole; n++) wv[n] = load(w + (c * NV + n) * B);
      H last;
      if constexpr (kHalf) last = load_half(w + (c * NV + kWhole) * B);
      TENREC_UNROLL for (int p = 0; p < P; p++) {
        const float x = in[p][tap + c];
        TENREC_UNROLL for (int n = 0; n < kWhole; n++) acc[p][n] = fma(all(x), wv[n], acc[p][n]);
        if constexpr (kHalf) half[p] = fma(half_of(x), last, half[p]);
      }
    }
  }
  if constexpr (kHalf)
    TENREC_UNROLL for (int p = 0; p < P; p++) acc[p][kWhole] = with_zeros(half[p]);
  store_tile(acc, a.out, out_at, a.out_plane, a.activation);
}

template <int NV, bool kHalf, int P = 1>
constexpr void fill_tiles(TileRow& row) {
  if constexpr (P <= max_pixels(NV)) {
    row[P] = &tile<P, NV, kHalf>;
    fill_tiles<NV, kHalf, P + 1>(row);
  }
}
template <bool kHalf>
constexpr TileRows make_tiles() {
  TileRows t{};
  fill_tiles<1, kHalf>(t[1]);
  fill_tiles<2, kHalf>(t[2]);
  fill_tiles<3, kHalf>(t[3]);
  return t;
}
constinit const TileRows kTiles = make_tiles<false>(), kHalfTiles = make_tiles<kHalves>();

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
