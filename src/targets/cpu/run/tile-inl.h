// SPDX-License-Identifier: Apache-2.0
// The register tile of the convolutions: `pixels` x `vectors` accumulators of B output channels.
//
// With blocked channels the address of an input value is pixel offset + tap offset + channel, so
// one function with two small offset tables computes 1x1, KxK, strided, dilated and transposed
// convolutions and Winograd's products. Padding is zeros in memory, never a branch in here.
// Left to gcc, plain vector code allocates this tile at 97 % of peak in L1; forcing the
// multiply-adds by inline assembly lost 15 to 25 % (laboratory, README).
#if defined(TENREC_CPU_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TENREC_CPU_TILE_INL_H_
#undef TENREC_CPU_TILE_INL_H_
#else
#define TENREC_CPU_TILE_INL_H_
#endif

#include <array>
#include <limits>

#include "targets/cpu/run/conv_plan.h"
#include "targets/cpu/run/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

static_assert(B % kTapChannels == 0);

constexpr int kMaxVectors = 3;
// Accumulators + one row of weights + one broadcast value fit the registers.
constexpr int max_pixels(int vectors) {
  const int fit = (kRegisters - 1) / vectors - 1, cap = kRegisters == 32 ? 14 : 8;
  return fit < 1 ? 1 : fit > cap ? cap : fit;
}

struct TileArgs {
  const float* in;  // base of pixel and tap offsets
  const int* taps;  // offsets of the taps: each is kTapChannels consecutive input channels
  int tap_count;
  const float* weights;   // [tap][kTapChannels][vectors * B]
  const float* bias;      // vectors * B; null: go on from the partial sums in out
  const float* residual;  // added with the bias, so it may be the output itself
  int residual_vectors;   // the first so many have one
  float* out;
  int64_t residual_plane, out_plane;  // from one vector to the next
  // What later tiles need, pulled in while this one computes: one line of weights a tap into L2,
  // the first lines of the next tile's output and residual.
  const float* ahead;
  const float *next_out, *next_residual;
  Activation activation;  // of finished sums; none while partial
};

// The activations with their constants in registers: what is read through a pointer is read again
// after every store.
struct Same {
  explicit HWY_INLINE Same(const Activation&) {}
  HWY_INLINE V operator()(V x) const { return x; }
};
struct Relu {
  explicit HWY_INLINE Relu(const Activation&) : low(zero()) {}
  HWY_INLINE V operator()(V x) const { return at_least(low, x); }
  V low;
};
struct Clip {
  explicit HWY_INLINE Clip(const Activation& a) : low(all(a.low)), high(all(a.high)) {}
  HWY_INLINE V operator()(V x) const { return at_most(high, at_least(low, x)); }
  V low, high;
};
struct Gate {
  explicit HWY_INLINE Gate(const Activation& a)
      : clip(a), slope(all(a.slope)), offset(all(a.offset)), shift(all(a.shift)) {}
  HWY_INLINE V operator()(V x) const { return fma(x, clip(fma(slope, x, offset)), shift); }
  Clip clip;
  V slope, offset, shift;
};

HWY_INLINE V activate(V x, const Activation& a) {
  using Kind = Activation::Kind;
  if (a.kind == Kind::none) return x;
  if (a.kind == Kind::relu) return Relu(a)(x);
  return a.kind == Kind::clip ? Clip(a)(x) : Gate(a)(x);
}

template <class Function, int P, int NV>
HWY_INLINE void store_each(const V (&acc)[P][NV], float* out, const int* out_at, int64_t plane,
                           const Activation& a) {
  // Where the registers don't hold the constants beside sums, weights and an input, GCC would make
  // room for them by spilling sums inside the loop over the taps.
  constexpr bool kHold = P * NV + NV + 1 + sizeof(Function) / sizeof(V) <= kRegisters;
  const Function held(a);
  TENREC_UNROLL for (int p = 0; p < P; p++) {
    TENREC_UNROLL for (int n = 0; n < NV; n++) {
      const V x = kHold ? held(acc[p][n]) : Function(a)(acc[p][n]);
      store(out + out_at[p] + n * plane, x);
    }
  }
}

// Stores P pixels of NV vectors each: asked once a tile which activation it is, not for each
// vector.
template <int P, int NV>
HWY_INLINE void store_tile(const V (&acc)[P][NV], float* out, const int* out_at, int64_t plane,
                           const Activation& a) {
  using Kind = Activation::Kind;
  switch (a.kind) {
    case Kind::none: return store_each<Same>(acc, out, out_at, plane, a);
    case Kind::relu: return store_each<Relu>(acc, out, out_at, plane, a);
    case Kind::clip: return store_each<Clip>(acc, out, out_at, plane, a);
    case Kind::gate: return store_each<Gate>(acc, out, out_at, plane, a);
  }
}

using TileFn = void (*)(const TileArgs&, const int*, const int*, const int*);
using TileRow = std::array<TileFn, static_cast<size_t>(max_pixels(1) + 1)>;

// [vectors][pixels], defined in tile.cpp. Of the last vector of half tiles the second half is
// padding; without kHalves there are none.
using TileRows = std::array<TileRow, kMaxVectors + 1>;
extern const TileRows kTiles, kHalfTiles;

// Are at most half of the channels from block `last` on there?
HWY_INLINE bool ends_in_half(int channels, int last) {
  return kHalves && channels - last * B <= kHalfBlock;
}

// n items in the fewest parts of at most `most`, all equal +-1: 49 pixels in tiles of at most 6 are
// 4 x 5 + 5 x 6. A tile of one or two pixels would wait on the latency of the multiply-adds.
struct Cuts {
  int n, parts;
  Cuts(int items, int most) : n(items), parts((items + most - 1) / most) {}
  int operator[](int i) const { return static_cast<int>(int64_t{n} * i / parts); }
  int size(int i) const { return (*this)[i + 1] - (*this)[i]; }
};

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
