// SPDX-License-Identifier: Apache-2.0
// Elements of tensors in memory as floats.
#pragma once

namespace element {

static __device__ __forceinline__ float from_half(unsigned short v) {
  float f;
  asm("{ .reg .f16 h; mov.b16 h, %1; cvt.f32.f16 %0, h; }" : "=f"(f) : "h"(v));
  return f;
}
static __device__ __forceinline__ unsigned short to_half(float f) {
  unsigned short v;
  asm("{ .reg .f16 h; cvt.rn.f16.f32 h, %1; mov.b16 %0, h; }" : "=h"(v) : "f"(f));
  return v;
}
static __device__ __forceinline__ float from_bfloat(unsigned short v) {
  return __uint_as_float((unsigned)v << 16);
}
static __device__ __forceinline__ unsigned short to_bfloat(float f) {
  unsigned short v;
  asm("{ .reg .b16 h; cvt.rn.bf16.f32 h, %1; mov.b16 %0, h; }" : "=h"(v) : "f"(f));
  return v;
}
// Element types of memory, as the emitter numbers them: 0 f32, 1 f16, 2 bf16.
template <int type>
static __device__ __forceinline__ float load(const void* p, long long at) {
  if constexpr (type == 0) return ((const float*)p)[at];
  else if constexpr (type == 1) return from_half(((const unsigned short*)p)[at]);
  else return from_bfloat(((const unsigned short*)p)[at]);
}
template <int type>
static __device__ __forceinline__ void store(void* p, long long at, float v) {
  if constexpr (type == 0) ((float*)p)[at] = v;
  else if constexpr (type == 1) ((unsigned short*)p)[at] = to_half(v);
  else ((unsigned short*)p)[at] = to_bfloat(v);
}

}  // namespace element
