// SPDX-License-Identifier: Apache-2.0
// Where an output element of Resize lies along an axis of the input, and of which elements it is
// made. Coordinates are computed in float32 step by step, as onnxruntime does: which pixel is the
// nearest depends on it.
#pragma once

#define TENREC_COORDINATE(name)                       \
  __device__ __forceinline__ float coordinate_##name( \
      idx x, idx in, idx out, float scale, float resized, float roi_start, float roi_end)
TENREC_COORDINATE(half_pixel) { return __fadd_rn(__fdiv_rn((float)x + 0.5f, scale), -0.5f); }
TENREC_COORDINATE(pytorch_half_pixel) {
  return out > 1 ? __fadd_rn(__fdiv_rn((float)x + 0.5f, scale), -0.5f) : 0.0f;
}
TENREC_COORDINATE(align_corners) {
  return resized == 1 ? 0.0f : __fdiv_rn(__fmul_rn((float)x, (float)in - 1), resized - 1);
}
TENREC_COORDINATE(asymmetric) { return __fdiv_rn((float)x, scale); }
TENREC_COORDINATE(crop) {
  const float last = (float)in - 1;
  if (out <= 1) return __fmul_rn(__fmul_rn(0.5f, __fadd_rn(roi_start, roi_end)), last);
  return __fadd_rn(
      __fmul_rn(roi_start, last),
      __fdiv_rn(__fmul_rn(__fmul_rn((float)x, __fadd_rn(roi_end, -roi_start)), last), resized - 1));
}
TENREC_COORDINATE(half_pixel_symmetric) {
  const float length = (float)in;
  const float adjustment = __fdiv_rn((float)out, __fmul_rn(scale, length));
  return __fadd_rn(__fadd_rn(__fmul_rn(length / 2, __fadd_rn(1.0f, -adjustment)),
                             __fdiv_rn((float)x + 0.5f, scale)),
                   -0.5f);
}
TENREC_COORDINATE(tf_half_pixel_for_nn) { return __fdiv_rn((float)x + 0.5f, scale); }
#undef TENREC_COORDINATE

__device__ __forceinline__ idx nearest_floor(float x, bool) { return (idx)floorf(x); }
__device__ __forceinline__ idx nearest_ceil(float x, bool) { return (idx)ceilf(x); }
__device__ __forceinline__ idx nearest_legacy(float x, bool shrinks) {
  return (idx)(shrinks ? ceilf(x) : floorf(x));
}
__device__ __forceinline__ idx nearest_round_prefer_floor(float x, bool) {
  const float whole = floorf(x);
  return (idx)(x == whole + 0.5f ? whole : roundf(x));
}
__device__ __forceinline__ idx nearest_round_prefer_ceil(float x, bool) {
  const float whole = floorf(x);
  return (idx)(x == whole + 0.5f ? whole + 1 : roundf(x));
}

__device__ __forceinline__ idx clamp_place(idx at, idx size) {
  return at < 0 ? 0 : at >= size ? size - 1 : at;
}
// Without antialiasing a linear coordinate outside is that of the border pixel.
__device__ __forceinline__ float clamp_coordinate(float x, idx size) {
  return fminf(fmaxf(x, 0.0f), (float)size - 1);
}

// The weights around a coordinate: 2 of a linear filter, 4 of a cubic one, more where an
// antialiased axis shrinks.
template <bool cubic, bool antialias, bool exclude, class T>
struct Filter {
  T distance, squeeze, a, norm = 1;
  idx first, size;
  int before, taps;

  __device__ __forceinline__ Filter(float x, float scale, idx length, float coefficient) {
    size = length;
    a = coefficient;
    squeeze = antialias ? T(fminf(scale, 1.0f)) : T(1);
    const T base = (T)(ceilf(x) - 1);
    distance = (T)x - base;
    if constexpr (antialias) {
      before = (int)floor((cubic ? -2.0 : -1.0) / (double)squeeze) + 1;
      taps = 2 - 2 * before;
    } else {
      before = cubic ? -1 : 0;
      taps = cubic ? 4 : 2;
    }
    first = (idx)base + before;
    if constexpr (antialias || exclude) {
      T sum = 0;
      for (int i = 0; i < taps; ++i) sum += raw(i);
      norm = T(1) / sum;
    }
  }
  __device__ __forceinline__ int count() const {
    if constexpr (antialias) return taps;
    else return cubic ? 4 : 2;
  }
  __device__ __forceinline__ idx place(int i) const { return clamp_place(first + i, size); }
  __device__ __forceinline__ T weight(int i) const { return raw(i) * norm; }

 private:
  __device__ __forceinline__ T raw(int i) const {
    if constexpr (exclude) {
      if (first + i < 0 || first + i >= size) return 0;
    }
    T x = ((T)(i + before) - distance) * squeeze;
    x = x < 0 ? -x : x;
    if constexpr (!cubic) return x < 1 ? 1 - x : T(0);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : T(0);
  }
};
