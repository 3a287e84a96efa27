// SPDX-License-Identifier: Apache-2.0
// Random numbers as ops/random.cpp draws them: number i of a key is a function of both.
#pragma once
#include "group.cuh"

__device__ __forceinline__ u64 mixed(u64 x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

// Another one at each call: of time, and of what else is there to tell two calls apart.
__device__ __forceinline__ u64 fresh_key(const void* place) {
  u64 nanoseconds;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(nanoseconds));
  return mixed(mixed(nanoseconds + (u64)clock64()) ^ (u64)place);
}

__device__ __forceinline__ double draw_unit(u64 key, u64 i) {
  return (double)(mixed(key + (i + 1) * 0x9e3779b97f4a7c15ULL) >> 11) *
         1.1102230246251565404236316680908203125e-16;
}

__device__ __forceinline__ double draw_normal(u64 key, u64 i) {
  const double radius = sqrt(-2 * log(1 - draw_unit(key, 2 * i)));
  return radius * cos(2 * 3.14159265358979323846 * draw_unit(key, 2 * i + 1));
}

// A block of 256 threads a row. `load(c)` is the logarithm of a weight, `store(s, c)` takes the
// choices. A thread sums a run of classes; a choice is looked for among the runs, then inside one.
template <class Load, class Store>
__device__ __forceinline__ void draw_classes(u64 key, idx row, idx classes, idx samples, Load load,
                                             Store store) {
  __shared__ double totals[256];
  const int thread = threadIdx.x;
  const idx run = (classes + 255) / 256;
  const auto end_of = [&](int part) {
    return classes < (part + 1) * run ? classes : (part + 1) * run;
  };
  double largest = -inf64(), sum = 0;
  for (idx c = thread; c < classes; c += 256) largest = fn_max<double>(largest, load(c));
  largest = group_max<256>(largest);
  for (idx c = thread * run; c < end_of(thread); ++c) sum += exp(load(c) - largest);
  totals[thread] = sum;
  __syncthreads();
  for (int i = 1; thread == 0 && i < 256; ++i) totals[i] += totals[i - 1];
  __syncthreads();
  for (idx s = thread; s < samples; s += 256) {
    const double point = draw_unit(key, (u64)row * samples + s) * totals[255];
    int part = 0;
    while (part < 255 && totals[part] <= point) ++part;
    double total = part == 0 ? 0 : totals[part - 1];
    idx c = part * run;
    for (; c + 1 < end_of(part); ++c)
      if ((total += exp(load(c) - largest)) > point) break;
    store(s, c < classes ? c : classes - 1);
  }
}
