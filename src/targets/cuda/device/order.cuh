// SPDX-License-Identifier: Apache-2.0
// The greatest or least of a line, ranks within a line, and places of what is kept.
#pragma once

template <class T>
struct Found {
  T value;
  long long at;  // -1: none yet
};

// NaN never wins; equal values: the first, or the last.
template <bool largest, bool last, class T>
__device__ __forceinline__ Found<T> better(Found<T> a, Found<T> b) {
  if (b.at < 0 || b.value != b.value) return a;
  if (a.at < 0 || a.value != a.value) return b;
  if (a.value == b.value) return (b.at > a.at) == last ? b : a;
  return (largest ? b.value > a.value : b.value < a.value) ? b : a;
}

// Shuffles know types of 4 and 8 bytes only.
template <class T>
__device__ __forceinline__ T shuffled(T x, int step) {
  if constexpr (sizeof(T) < 4) return (T)__shfl_xor_sync(~0U, (int)x, step);
  else return (T)__shfl_xor_sync(~0U, x, step);
}

template <int G, bool largest, bool last, class T>
__device__ __forceinline__ Found<T> group_found(Found<T> x) {
  if constexpr (G > 1) {
#pragma unroll
    for (int step = 1; step < 32; step *= 2)
      x = better<largest, last>(x, Found<T>{shuffled(x.value, step), shuffled(x.at, step)});
  }
  if constexpr (G > 32) {
    __shared__ Found<T> parts[G / 32];
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
    __syncthreads();
    x = parts[0];
    for (int i = 1; i < G / 32; ++i) x = better<largest, last>(x, parts[i]);
  }
  return x;
}

// NaN is the greatest of all.
template <class T>
__device__ __forceinline__ bool greater(T a, T b) {
  if (a != a || b != b) return a != a && b == b;
  return a > b;
}

// What comes behind everything else in an order.
template <class T, bool largest>
__device__ __forceinline__ T last_of_all() {
  if constexpr (Kind<T>::is_float) {
    return T(largest ? -inf32() : nan32());
  } else if constexpr (Kind<T>::is_signed) {
    const T least = T(1ULL << (8 * sizeof(T) - 1));
    return largest ? least : T(~least);
  } else {
    return largest ? T(0) : T(~0ULL);
  }
}

// How many elements of a line of `size` come before element i; all threads of the block take part.
template <class T, bool largest, class At>
__device__ __forceinline__ idx rank_in_line(idx size, idx i, At at) {
  __shared__ T tile[256];
  const bool inside = i < size;
  const T own = inside ? at(i) : T(0);
  idx rank = 0;
  for (idx start = 0; start < size; start += 256) {
    __syncthreads();
    if (start + threadIdx.x < size) tile[threadIdx.x] = at(start + threadIdx.x);
    __syncthreads();
    const int count = size - start < 256 ? (int)(size - start) : 256;
    for (int k = 0; k < count; ++k) {
      const T other = tile[k];
      const bool before = largest ? greater(other, own) : greater(own, other);
      const bool behind = largest ? greater(own, other) : greater(other, own);
      rank += before || (!behind && start + k < i);
    }
  }
  return rank;
}

// How many threads of the block before this one have `hit`.
__device__ __forceinline__ int place_in_block(bool hit) {
  __shared__ int warps[32];
  const unsigned votes = __ballot_sync(~0U, hit);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  if (lane == 0) warps[warp] = __popc(votes);
  __syncthreads();
  int before = __popc(votes & ((1U << lane) - 1));
  for (int i = 0; i < warp; ++i) before += warps[i];
  return before;
}

// One block: counts become the sums of those before them; `total` gets the sum of all.
__device__ __forceinline__ void offsets_of_counts(long long* counts, idx size, long long* total) {
  __shared__ long long sums[256];
  const idx each = (size + 255) / 256, first = threadIdx.x * each;
  const idx end = first + each < size ? first + each : size;
  long long sum = 0;
  for (idx i = first; i < end; ++i) sum += counts[i];
  sums[threadIdx.x] = sum;
  __syncthreads();
  long long before = 0;
  for (int i = 0; i < (int)threadIdx.x; ++i) before += sums[i];
  if (threadIdx.x == 255) *total = before + sum;
  for (idx i = first; i < end; ++i) {
    const long long count = counts[i];
    counts[i] = before;
    before += count;
  }
}
