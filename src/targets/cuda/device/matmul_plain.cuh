// SPDX-License-Identifier: Apache-2.0
// A matrix product on the plain arithmetic units, 64 x 64 results a block of 256 threads, 4 x 4 a
// thread. `a(row, k)` and `b(k, column)` read elements, which are asked for inside the matrices
// only; `store(row, column, sum)` writes. T is float or double.
#pragma once

template <class T, class A, class B, class Store>
__device__ __forceinline__ void matmul_plain(idx m, idx n, idx k, idx tile_m, idx tile_n, A a, B b,
                                             Store store) {
  constexpr int depth = 16, side = 64;
  __shared__ T as[depth][side + 4], bs[depth][side + 4];
  const int thread = threadIdx.x, row = thread / 16 * 4, column = thread % 16 * 4;
  const idx m0 = tile_m * side, n0 = tile_n * side;
  T sums[4][4] = {};
  for (idx k0 = 0; k0 < k; k0 += depth) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      // Of A neighbours along k, of B neighbours along n: rows as they usually lie.
      const int ka = thread % 16, ma = thread / 16 + i * 16;
      as[ka][ma] = m0 + ma < m && k0 + ka < k ? a(m0 + ma, k0 + ka) : T(0);
      const int nb = thread % 64, kb = thread / 64 + i * 4;
      bs[kb][nb] = n0 + nb < n && k0 + kb < k ? b(k0 + kb, n0 + nb) : T(0);
    }
    __syncthreads();
#pragma unroll
    for (int step = 0; step < depth; ++step) {
      T x[4], y[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        x[i] = as[step][row + i];
        y[i] = bs[step][column + i];
      }
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) sums[i][j] += x[i] * y[j];
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
      if (m0 + row + i < m && n0 + column + j < n) store(m0 + row + i, n0 + column + j, sums[i][j]);
}

// Few rows: a warp a result, its lanes along k. For products that read a matrix once.
template <class T, class A, class B, class Store>
__device__ __forceinline__ void matvec_plain(idx m, idx n, idx k, A a, B b, Store store) {
  const idx result = (idx)blockIdx.x * 8 + threadIdx.x / 32;
  const int lane = threadIdx.x % 32;
  if (result >= m * n) return;
  const idx row = result / n, column = result % n;
  T sum = 0;
  for (idx i = lane; i < k; i += 32) sum += a(row, i) * b(i, column);
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0U, sum, step);
  if (lane == 0) store(row, column, sum);
}
