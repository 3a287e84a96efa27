// SPDX-License-Identifier: Apache-2.0
// A 32 x 32 tile of a transposition through shared memory by 256 threads: `load(r, c)` runs along r
// and `store(r, c, x)` along c, so both touch neighbours.
#pragma once

template <class T, class Load, class Store>
__device__ __forceinline__ void transpose_tile(idx rows, idx columns, idx tile_r, idx tile_c,
                                               Load load, Store store) {
  __shared__ T tile[32][33];
  const int lane = threadIdx.x % 32, first = threadIdx.x / 32;
  const idx r0 = tile_r * 32, c0 = tile_c * 32;
#pragma unroll
  for (int i = first; i < 32; i += 8)
    if (r0 + lane < rows && c0 + i < columns) tile[i][lane] = load(r0 + lane, c0 + i);
  __syncthreads();
#pragma unroll
  for (int i = first; i < 32; i += 8)
    if (r0 + i < rows && c0 + lane < columns) store(r0 + i, c0 + lane, tile[lane][i]);
}
