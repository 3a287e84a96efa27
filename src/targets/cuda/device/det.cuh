// SPDX-License-Identifier: Apache-2.0
// The determinant of an n x n matrix of doubles, which it destroys: elimination with the largest
// pivot of each column, by a block of 256. Every thread gets the result.
#pragma once

__device__ __forceinline__ double determinant(double* a, idx n) {
  double product = 1;
  for (idx column = 0; column < n; ++column) {
    Found<double> best = {0, -1};
    for (idx row = column + threadIdx.x; row < n; row += 256)
      best = better<true, false>(best, Found<double>{fabs(a[row * n + column]), (long long)row});
    best = group_found<256, true, false>(best);
    const idx pivot = best.at < 0 || best.value != best.value ? column : (idx)best.at;
    const double head = a[pivot * n + column];
    __syncthreads();
    if (head == 0) return 0;
    if (pivot != column) {
      product = -product;
      for (idx i = column + threadIdx.x; i < n; i += 256) {
        const double kept = a[pivot * n + i];
        a[pivot * n + i] = a[column * n + i];
        a[column * n + i] = kept;
      }
    }
    product *= head;
    __syncthreads();
    // A warp a row, its lanes along it.
    for (idx row = column + 1 + threadIdx.x / 32; row < n; row += 8) {
      const double factor = a[row * n + column] / head;
      __syncwarp();
      for (idx i = column + threadIdx.x % 32; i < n; i += 32)
        a[row * n + i] = __dadd_rn(a[row * n + i], -__dmul_rn(factor, a[column * n + i]));
    }
    __syncthreads();
  }
  return product;
}
