// SPDX-License-Identifier: Apache-2.0
// What expressions call: conversions of stored elements and the functions of ir/expr.h. Integers
// wrap to their width and never trap; floats narrower than f64 compute in float.
#pragma once

__device__ __forceinline__ float load_f16(unsigned short x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x));
  return y;
}
__device__ __forceinline__ unsigned short store_f16(float x) {
  unsigned short y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float load_bf16(unsigned short x) {
  return __uint_as_float((unsigned)x << 16);
}
__device__ __forceinline__ unsigned short store_bf16(float x) {
  unsigned short y;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ bool load_bool(unsigned char x) { return x != 0; }
__device__ __forceinline__ unsigned char store_bool(bool x) { return x ? 1 : 0; }

__device__ __forceinline__ float inf32() { return __int_as_float(0x7f800000); }
__device__ __forceinline__ float nan32() { return __int_as_float(0x7fc00000); }
__device__ __forceinline__ double inf64() { return __longlong_as_double(0x7ff0000000000000LL); }
__device__ __forceinline__ double nan64() { return __longlong_as_double(0x7ff8000000000000LL); }

template <class T>
struct Kind {
  static constexpr bool is_float = false, is_signed = T(-1) < T(0);
};
template <>
struct Kind<float> {
  static constexpr bool is_float = true, is_signed = true;
};
template <>
struct Kind<double> {
  static constexpr bool is_float = true, is_signed = true;
};

// Whole numbers of a float: through 64 bits, then wrapped, NaN is 0.
template <class T, class F>
__device__ __forceinline__ T to_integer(F x) {
  if (x != x) return T(0);
  if (!Kind<T>::is_signed && sizeof(T) == 8 && x >= F(9223372036854775808.0))
    return x < F(18446744073709551616.0) ? T((unsigned long long)x) : T(~0ULL);
  if (x >= F(9223372036854775807.0)) return T(0x7fffffffffffffffLL);
  if (x <= F(-9223372036854775807.0)) return T(-0x7fffffffffffffffLL - 1);
  return T((long long)x);
}

typedef unsigned long long u64;

template <class T>
__device__ __forceinline__ T fn_add(T a, T b) {
  return T(u64(a) + u64(b));
}
template <class T>
__device__ __forceinline__ T fn_sub(T a, T b) {
  return T(u64(a) - u64(b));
}
template <class T>
__device__ __forceinline__ T fn_mul(T a, T b) {
  return T(u64(a) * u64(b));
}
template <class T>
__device__ __forceinline__ T fn_neg(T a) {
  if constexpr (Kind<T>::is_float) return -a;
  else return T(0 - u64(a));
}
template <class T>
__device__ __forceinline__ T fn_div(T a, T b) {
  if (b == T(0)) return T(0);
  if constexpr (Kind<T>::is_signed) {
    if (b == T(-1)) return T(0 - u64(a));
  }
  return T(a / b);
}
template <class T>
__device__ __forceinline__ T fn_fmod(T a, T b) {
  if constexpr (sizeof(T) == 4 && Kind<T>::is_float) return fmodf(a, b);
  else if constexpr (Kind<T>::is_float) return fmod(a, b);
  else {
    if (b == T(0)) return T(0);
    if constexpr (Kind<T>::is_signed) {
      if (b == T(-1)) return T(0);
    }
    return T(a % b);
  }
}
template <class T>
__device__ __forceinline__ T fn_mod(T a, T b) {
  const T r = fn_fmod<T>(a, b);
  if constexpr (!Kind<T>::is_signed) return r;
  else return r != T(0) && (r < T(0)) != (b < T(0)) ? T(r + b) : r;
}
template <class T>
__device__ __forceinline__ T fn_min(T a, T b) {
  if constexpr (Kind<T>::is_float) {
    if (a != a) return a;
    if (b != b) return b;
  }
  return b < a ? b : a;
}
template <class T>
__device__ __forceinline__ T fn_max(T a, T b) {
  if constexpr (Kind<T>::is_float) {
    if (a != a) return a;
    if (b != b) return b;
  }
  return a < b ? b : a;
}
template <class T>
__device__ __forceinline__ T fn_pow(T a, T b) {
  if constexpr (sizeof(T) == 4 && Kind<T>::is_float) return powf(a, b);
  else if constexpr (Kind<T>::is_float) return pow(a, b);
  else {
    if constexpr (Kind<T>::is_signed) {
      if (b < T(0)) return a == T(1) ? T(1) : a == T(-1) ? (b % 2 ? T(-1) : T(1)) : T(0);
    }
    u64 result = 1, base = u64(a);
    for (u64 e = u64(b); e != 0; e >>= 1, base *= base)
      if (e & 1) result *= base;
    return T(result);
  }
}
template <class T>
__device__ __forceinline__ T fn_abs(T a) {
  if constexpr (sizeof(T) == 4 && Kind<T>::is_float) return fabsf(a);
  else if constexpr (Kind<T>::is_float) return fabs(a);
  else if constexpr (Kind<T>::is_signed) return a < T(0) ? T(0 - u64(a)) : a;
  else return a;
}
template <class T>
__device__ __forceinline__ T fn_sign(T a) {
  if constexpr (Kind<T>::is_float) {
    if (a != a) return a;
  }
  return T((a > T(0)) - (a < T(0)));
}

#define TENREC_FLOAT_1(name, narrow, wide)          \
  template <class T>                                \
  __device__ __forceinline__ T fn_##name(T a) {     \
    if constexpr (sizeof(T) == 4) return narrow(a); \
    else return wide(a);                            \
  }
TENREC_FLOAT_1(exp, expf, exp)
TENREC_FLOAT_1(log, logf, log)
TENREC_FLOAT_1(sqrt, sqrtf, sqrt)
TENREC_FLOAT_1(expm1, expm1f, expm1)
TENREC_FLOAT_1(log1p, log1pf, log1p)
TENREC_FLOAT_1(sin, sinf, sin)
TENREC_FLOAT_1(cos, cosf, cos)
TENREC_FLOAT_1(tan, tanf, tan)
TENREC_FLOAT_1(asin, asinf, asin)
TENREC_FLOAT_1(acos, acosf, acos)
TENREC_FLOAT_1(atan, atanf, atan)
TENREC_FLOAT_1(sinh, sinhf, sinh)
TENREC_FLOAT_1(cosh, coshf, cosh)
TENREC_FLOAT_1(tanh, tanhf, tanh)
TENREC_FLOAT_1(asinh, asinhf, asinh)
TENREC_FLOAT_1(acosh, acoshf, acosh)
TENREC_FLOAT_1(atanh, atanhf, atanh)
#ifdef TENREC_NARROW_RESULTS
// For results that are rounded to 11 bits or fewer: 2e-7 off, and without erff's branch, which
// keeps the elements of an epilogue from overlapping. 1 - erf is a power of two of a polynomial.
__device__ __forceinline__ float narrow_erf(float a) {
  const float size = fabsf(a), z = size > 4.f ? 4.f : size, s = z * z;
  float q = fmaf(z, -1.00211698e-4f, 4.61521093e-4f);
  q = fmaf(z, q, 2.30234372e-3f);
  q = fmaf(z, q, -2.94526145e-2f);
  q = fmaf(z, q, 1.4896372e-1f);
  q = fmaf(z, q, 9.18328643e-1f);
  q = fmaf(z, q, 1.62791371f);
  float rest;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(rest) : "f"(-z * q));
  const float near = z * fmaf(s, fmaf(s, 0.112837917f, -0.376126389f), 1.128379167f);
  return copysignf(z < 0.25f ? near : 1.f - rest, a);
}
TENREC_FLOAT_1(erf, narrow_erf, erf)
#else
TENREC_FLOAT_1(erf, erff, erf)
#endif
#undef TENREC_FLOAT_1
template <class T>
__device__ __forceinline__ T fn_reciprocal(T a) {
  return T(1) / a;
}
template <class T>
__device__ __forceinline__ T fn_rsqrt(T a) {
  return T(1) / fn_sqrt<T>(a);
}
template <class T>
__device__ __forceinline__ T fn_atan2(T a, T b) {
  if constexpr (sizeof(T) == 4) return atan2f(a, b);
  else return atan2(a, b);
}
// One exponential of a negative number: neither side overflows.
template <class T>
__device__ __forceinline__ T fn_sigmoid(T a) {
  const T e = fn_exp<T>(-fn_abs<T>(a));
  return (a >= T(0) ? T(1) : e) / (T(1) + e);
}

#define TENREC_ROUNDING(name, narrow, wide)              \
  template <class T>                                     \
  __device__ __forceinline__ T fn_##name(T a) {          \
    if constexpr (!Kind<T>::is_float) return a;          \
    else if constexpr (sizeof(T) == 4) return narrow(a); \
    else return wide(a);                                 \
  }
TENREC_ROUNDING(floor, floorf, floor)
TENREC_ROUNDING(ceil, ceilf, ceil)
TENREC_ROUNDING(round, rintf, rint)
TENREC_ROUNDING(trunc, truncf, trunc)
#undef TENREC_ROUNDING

template <class T>
__device__ __forceinline__ bool fn_is_nan(T a) {
  return a != a;
}
template <class T>
__device__ __forceinline__ bool fn_is_inf(T a) {
  if constexpr (!Kind<T>::is_float) return false;
  else return a == a && a - a != T(0);
}
template <class T>
__device__ __forceinline__ bool fn_equal(T a, T b) {
  return a == b;
}
template <class T>
__device__ __forceinline__ bool fn_less(T a, T b) {
  return a < b;
}
template <class T>
__device__ __forceinline__ bool fn_less_equal(T a, T b) {
  return a <= b;
}
template <class T>
__device__ __forceinline__ bool fn_and(T a, T b) {
  return a != T(0) && b != T(0);
}
template <class T>
__device__ __forceinline__ bool fn_or(T a, T b) {
  return a != T(0) || b != T(0);
}
template <class T>
__device__ __forceinline__ bool fn_xor(T a, T b) {
  return (a != T(0)) != (b != T(0));
}
template <class T>
__device__ __forceinline__ bool fn_not(T a) {
  return a == T(0);
}
template <class T>
__device__ __forceinline__ T fn_bit_and(T a, T b) {
  return T(a & b);
}
template <class T>
__device__ __forceinline__ T fn_bit_or(T a, T b) {
  return T(a | b);
}
template <class T>
__device__ __forceinline__ T fn_bit_xor(T a, T b) {
  return T(a ^ b);
}
template <class T>
__device__ __forceinline__ T fn_bit_not(T a) {
  return T(~a);
}
template <class T>
__device__ __forceinline__ T fn_shift_left(T a, T b) {
  return u64(b) >= 64 ? T(0) : T(u64(a) << u64(b));
}
template <class T>
__device__ __forceinline__ T fn_shift_right(T a, T b) {
  const long long wide = (long long)a;
  if constexpr (Kind<T>::is_signed) return u64(b) >= 64 ? T(wide < 0 ? -1 : 0) : T(wide >> u64(b));
  else return u64(b) >= 64 ? T(0) : T(u64(a) >> u64(b));
}

// V elements at once, aligned to their size.
template <class T, int V>
struct __align__(sizeof(T) * V) Pack {
  T at[V];
};
