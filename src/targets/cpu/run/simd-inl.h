// SPDX-License-Identifier: Apache-2.0
// A vector of B floats, B the channel block, whatever the register width: one register with AVX2
// and AVX-512, two with 128-bit sets. Every loop is written once in these words.
#if defined(TENREC_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TENREC_CPU_SIMD_INL_H_
#undef TENREC_CPU_SIMD_INL_H_
#else
#define TENREC_CPU_SIMD_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "targets/cpu/run/extremes-inl.h"

// Accumulators stay in registers only if every loop over them is unrolled.
#ifndef TENREC_UNROLL
#define TENREC_UNROLL _Pragma("GCC unroll 32")
#endif

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#ifdef TENREC_CPU_BLOCK
constexpr int B = TENREC_CPU_BLOCK;
#else
constexpr int B = HWY_TARGET == HWY_AVX3 ? 16 : 8;
#endif
using Tag = hn::CappedTag<float, static_cast<size_t>(B)>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Tag()));
constexpr int kParts = B / kLanes;
// Registers that hold B floats each: what a register tile may use.
constexpr int kRegisters = B == 16 ? 32 : (HWY_TARGET == HWY_NEON ? 32 : 16) / kParts;

struct V {
  HWY_INLINE V() {}  // GCC makes implicit ones without the target's attributes: NEON does not build
  hn::Vec<Tag> part[kParts];
};

#define TENREC_EACH_PART TENREC_UNROLL for (int i = 0; i < kParts; i++)

HWY_INLINE V load(const float* p) {
  V r;
  TENREC_EACH_PART r.part[i] = hn::LoadU(Tag(), p + i * kLanes);
  return r;
}
HWY_INLINE void store(float* p, V a) {
  TENREC_EACH_PART hn::StoreU(a.part[i], Tag(), p + i * kLanes);
}
// Loaded once, however often it is used: GCC makes loads operands of multiply-adds, each its own.
HWY_INLINE V in_register(V a) {
#if HWY_ARCH_X86
  TENREC_EACH_PART asm("" : "+v"(a.part[i].raw));
#endif
  return a;
}
// Past the caches; p is aligned to B floats. hwy::FlushStream() before other threads read.
HWY_INLINE void stream(float* p, V a) {
  TENREC_EACH_PART hn::Stream(a.part[i], Tag(), p + i * kLanes);
}
HWY_INLINE V all(float x) {
  V r;
  TENREC_EACH_PART r.part[i] = hn::Set(Tag(), x);
  return r;
}
HWY_INLINE V zero() {
  V r;
  TENREC_EACH_PART r.part[i] = hn::Zero(Tag());
  return r;
}
HWY_INLINE V fma(V a, V b, V c) {  // a * b + c
  V r;
  TENREC_EACH_PART r.part[i] = hn::MulAdd(a.part[i], b.part[i], c.part[i]);
  return r;
}
HWY_INLINE V operator+(V a, V b) {
  V r;
  TENREC_EACH_PART r.part[i] = hn::Add(a.part[i], b.part[i]);
  return r;
}
HWY_INLINE V operator-(V a, V b) {
  V r;
  TENREC_EACH_PART r.part[i] = hn::Sub(a.part[i], b.part[i]);
  return r;
}
HWY_INLINE V operator*(V a, V b) {
  V r;
  TENREC_EACH_PART r.part[i] = hn::Mul(a.part[i], b.part[i]);
  return r;
}
// With x second, NaN goes through.
HWY_INLINE V at_least(V low, V x) {
  V r;
  TENREC_EACH_PART r.part[i] = larger_or_second(low.part[i], x.part[i]);
  return r;
}
HWY_INLINE V at_most(V high, V x) {
  V r;
  TENREC_EACH_PART r.part[i] = smaller_or_second(high.part[i], x.part[i]);
  return r;
}

// The first n of B floats; the others read as 0 and are not touched in memory. 0 <= n <= B.
// Only AVX2 and AVX-512 have masked moves that never fault; elsewhere Highway reads the whole
// vector.
constexpr bool kMaskedMoves = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3;

HWY_INLINE V load_first(const float* p, int n) {
  if constexpr (!kMaskedMoves) {
    float copy[B] = {};
    std::memcpy(copy, p, static_cast<size_t>(n) * sizeof(float));
    return load(copy);
  }
  V r;
  TENREC_EACH_PART {
    const int left = n - i * kLanes;
    const auto mask = hn::FirstN(Tag(), static_cast<size_t>(left < 0 ? 0 : left));
    r.part[i] = left <= 0 ? hn::Zero(Tag()) : hn::MaskedLoad(mask, Tag(), p + i * kLanes);
  }
  return r;
}
// Only lanes [first, last), 0 <= first <= last <= B; the others read as 0 and are not touched.
HWY_INLINE V load_between(const float* p, int first, int last) {
  if constexpr (!kMaskedMoves) {
    float copy[B] = {};
    std::memcpy(copy + first, p + first, static_cast<size_t>(last - first) * sizeof(float));
    return load(copy);
  }
  V r;
  TENREC_EACH_PART {
    const auto lanes = [&](int end) {
      const int count = end - i * kLanes;
      return hn::FirstN(Tag(), static_cast<size_t>(count < 0 ? 0 : count));
    };
    r.part[i] = hn::MaskedLoad(hn::AndNot(lanes(first), lanes(last)), Tag(), p + i * kLanes);
  }
  return r;
}
HWY_INLINE void store_first(float* p, V a, int n) {
  if constexpr (!kMaskedMoves) {
    float copy[B];
    store(copy, a);
    std::memcpy(p, copy, static_cast<size_t>(n) * sizeof(float));
    return;
  }
  TENREC_EACH_PART {
    const int left = n - i * kLanes;
    if (left <= 0) return;
    hn::BlendedStore(a.part[i], hn::FirstN(Tag(), static_cast<size_t>(left)), Tag(),
                     p + i * kLanes);
  }
}

// The first half of a vector, where a register holds all of B = 16: a block whose second half is
// padding costs half there. 512-bit operations of many CPUs are two of 256.
constexpr bool kHalves = B == 16 && kParts == 1;
constexpr int kHalfBlock = kHalves ? B / 2 : 0;  // channels
struct H {
  HWY_INLINE H() {}
  hn::Vec<hn::Half<Tag>> part;
};
HWY_INLINE H first_half(V a) {
  H r;
  r.part = hn::LowerHalf(hn::Half<Tag>(), a.part[0]);
  return r;
}
HWY_INLINE V with_zeros(H a) {
  V r = zero();
  r.part[0] = hn::ZeroExtendVector(Tag(), a.part);
  return r;
}
HWY_INLINE H half_of(float x) {
  H r;
  r.part = hn::Set(hn::Half<Tag>(), x);
  return r;
}
HWY_INLINE H load_half(const float* p) {
  H r;
  r.part = hn::LoadU(hn::Half<Tag>(), p);
  return r;
}
HWY_INLINE H fma(H a, H b, H c) {
  H r;
  r.part = hn::MulAdd(a.part, b.part, c.part);
  return r;
}

// Sum of all lanes, always in the same order.
HWY_INLINE float sum(V a) {
  auto s = a.part[0];
  TENREC_UNROLL for (int i = 1; i < kParts; i++) s = hn::Add(s, a.part[i]);
  return hn::GetLane(hn::SumOfLanes(Tag(), s));
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
