// SPDX-License-Identifier: Apache-2.0
// Floats of 8 and 4 bits, as base/dtype.cpp converts them: to nearest even, f8e8m0 upwards.
#pragma once

template <int Exponent, int Mantissa, int Bias, int Largest, int Overflow, int Nan,
          bool NegativeZero>
struct SmallFloat {
  static constexpr int sign_shift = Exponent + Mantissa;

  static __device__ __forceinline__ float load(unsigned bits) {
    const int code = bits & ((1 << sign_shift) - 1);
    const float sign = (bits >> sign_shift) & 1 ? -1.0f : 1.0f;
    if (!NegativeZero && bits == Nan) return nan32();
    if (code > Largest) return Overflow != Nan && code == Overflow ? sign * inf32() : nan32();
    const int exponent = code >> Mantissa, mantissa = code & ((1 << Mantissa) - 1);
    const int significand = exponent == 0 ? mantissa : mantissa + (1 << Mantissa);
    const int scale = (exponent == 0 ? 1 : exponent) - Bias - Mantissa;
    return sign * (float)significand * __int_as_float((scale + 127) << 23);
  }

  static __device__ __forceinline__ unsigned char store(float x, bool saturate = true) {
    const unsigned raw = __float_as_uint(x), sign = raw >> 31 << sign_shift;
    if (x != x) return NegativeZero ? Nan | sign : Nan;
    const float magnitude = __uint_as_float(raw & 0x7fffffffu);
    int code = 0;
    if (magnitude == inf32()) {
      code = 0x100;
    } else if (magnitude > 0) {
      const int own = (int)(raw >> 23 & 0xff) - 127, least = 1 - Bias;
      const int exponent = own > least ? own : least;
      // A carry out of the mantissa moves into the exponent by itself.
      code =
          exponent > 16
              ? 0x100
              : ((exponent + Bias - 1) << Mantissa) +
                    __float2int_rn(magnitude * __int_as_float((Mantissa - exponent + 127) << 23));
    }
    if (code > Largest) {
      if (!saturate) return NegativeZero ? Overflow | sign : Overflow;
      code = Largest;
    }
    return code == 0 && !NegativeZero ? 0 : code | sign;
  }
};

typedef SmallFloat<4, 3, 7, 0x7e, 0x7f, 0x7f, true> F8e4m3fn;
typedef SmallFloat<4, 3, 8, 0x7f, 0x80, 0x80, false> F8e4m3fnuz;
typedef SmallFloat<5, 2, 15, 0x7b, 0x7c, 0x7e, true> F8e5m2;
typedef SmallFloat<5, 2, 16, 0x7f, 0x80, 0x80, false> F8e5m2fnuz;
typedef SmallFloat<2, 1, 1, 0x7, 0x7, 0x8, true> F4e2m1;

#define SMALL_FLOAT(name, Format)                                                        \
  __device__ __forceinline__ float load_##name(unsigned x) { return Format::load(x); }   \
  __device__ __forceinline__ unsigned char store_##name(float x, bool saturate = true) { \
    return Format::store(x, saturate);                                                   \
  }
SMALL_FLOAT(f8e4m3fn, F8e4m3fn)
SMALL_FLOAT(f8e4m3fnuz, F8e4m3fnuz)
SMALL_FLOAT(f8e5m2, F8e5m2)
SMALL_FLOAT(f8e5m2fnuz, F8e5m2fnuz)
SMALL_FLOAT(f4e2m1, F4e2m1)
#undef SMALL_FLOAT

// Powers of two; code 0 is 2^-127, 0xff is NaN.
__device__ __forceinline__ float load_f8e8m0(unsigned x) {
  return x == 0xff ? nan32() : x == 0 ? __int_as_float(0x400000) : __int_as_float(x << 23);
}
__device__ __forceinline__ unsigned char store_f8e8m0(float x, bool saturate = true) {
  const unsigned bits = __float_as_uint(x), exponent = bits >> 23 & 0xff;
  const unsigned mantissa = bits & 0x7fffff;
  if (exponent == 0xff) return 0xff;
  const bool fraction = exponent == 0 ? mantissa > 0x400000 : mantissa != 0;
  return fraction && !(saturate && exponent == 0xfe) ? exponent + 1 : exponent;
}
// The same by the operator's rounding: 0 up, 1 down, 2 nearest.
template <int Round>
__device__ __forceinline__ unsigned char round_f8e8m0(float x, bool saturate) {
  if (x != x || (x <= 0 && !saturate)) return 0xff;
  if (x <= 0) return 0;
  if (x == inf32()) return saturate ? 0xfe : 0xff;
  unsigned bits = __float_as_uint(x);
  int exponent = (int)(bits >> 23) - 127;
  unsigned mantissa = bits & 0x7fffff;
  if (bits < 0x800000) {  // subnormal
    const int shift = __clz(mantissa) - 8;
    exponent = -126 - shift;
    mantissa = mantissa << shift & 0x7fffff;
  }
  if ((Round == 0 && mantissa > 0) || (Round == 2 && mantissa >= 0x400000)) ++exponent;
  const int code = exponent + 127;
  if (code > 0xfe) return saturate ? 0xfe : 0xff;
  return code < 0 ? 0 : code;
}
