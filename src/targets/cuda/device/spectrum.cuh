// SPDX-License-Identifier: Apache-2.0
// Fourier transforms of lines of any length: a block a line, one stage a prime factor (Stockham's
// order, so that no digits are reversed), two buffers in memory that the block alone uses. In
// double: ONNX's own data has zeros where sums of float32 products leave 1e-6, and memory is the
// bottleneck.
#pragma once

struct __align__(16) Complex {
  double re, im;
};

// e^(2 pi j k / n).
__device__ __forceinline__ Complex root_of_unity(idx k, idx n) {
  double sine, cosine;
  sincospi(2 * (double)k / (double)n, &sine, &cosine);
  return {cosine, sine};
}

__device__ __forceinline__ idx smallest_factor(idx n) {
  for (idx f = 2; (long long)f * f <= n; ++f)
    if (n % f == 0) return f;
  return n;
}

// `load(i)` gives element i < n, `store(k, value)` takes the first `results`. `sign` is the
// exponent's; `roots` are those of n with the exponent 1.
template <class Load, class Store>
__device__ __forceinline__ void transform_line(const Complex* roots, Complex* from, Complex* to,
                                               idx n, int sign, idx results, Load load,
                                               Store store) {
  __syncthreads();
  for (idx i = threadIdx.x; i < n; i += blockDim.x) from[i] = load(i);
  __syncthreads();
  // What is left of the line after `stride` interleaved transforms.
  for (idx left = n, stride = 1; left > 1;) {
    const idx factor = smallest_factor(left), rest = left / factor;
    for (idx i = threadIdx.x; i < n; i += blockDim.x) {
      const idx q = i % stride, k = i / stride % factor, p = i / (stride * factor);
      const long long step = ((long long)(n / factor) * k) % n;
      long long turn = (long long)stride * p * k % n;
      Complex sum = {0, 0};
      for (idx j = 0; j < factor; ++j) {
        const Complex x = from[q + stride * (p + rest * j)], r = roots[turn];
        const double im = sign < 0 ? -r.im : r.im;
        sum.re += x.re * r.re - x.im * im;
        sum.im += x.re * im + x.im * r.re;
        turn += step;
        if (turn >= n) turn -= n;
      }
      to[i] = sum;
    }
    __syncthreads();
    Complex* const other = from;
    from = to;
    to = other;
    left = rest;
    stride *= factor;
  }
  for (idx k = threadIdx.x; k < results; k += blockDim.x) store(k, from[k]);
}
