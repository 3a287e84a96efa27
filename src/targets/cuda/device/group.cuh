// SPDX-License-Identifier: Apache-2.0
// Groups of G threads that share one result: a thread, a warp or a block of 256.
#pragma once

// Every thread gets f over all the group's values, always combined in the same order.
template <int G, class T, class F>
__device__ __forceinline__ T group_reduce(T x, F f) {
  if constexpr (G > 1) {
#pragma unroll
    for (int step = 1; step < 32; step *= 2) x = f(x, (T)__shfl_xor_sync(~0U, x, step));
  }
  if constexpr (G > 32) {
    __shared__ T parts[G / 32];
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
    __syncthreads();
    x = parts[0];
#pragma unroll
    for (int i = 1; i < G / 32; ++i) x = f(x, parts[i]);
  }
  return x;
}

template <int G, class T>
__device__ __forceinline__ T group_sum(T x) {
  return group_reduce<G>(x, [](T a, T b) { return a + b; });
}
template <int G, class T>
__device__ __forceinline__ T group_max(T x) {
  return group_reduce<G>(x, [](T a, T b) { return fn_max<T>(a, b); });
}
