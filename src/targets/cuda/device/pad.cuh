// SPDX-License-Identifier: Apache-2.0
// Where a place of a padded axis reads, 0 being the first of `size` kept elements; -1: the
// constant.
#pragma once

__device__ __forceinline__ idx remainder_of(idx a, idx b) {
  const idx r = a % b;
  return r < 0 ? r + b : r;
}
__device__ __forceinline__ idx pad_constant(idx i, idx size) { return i >= 0 && i < size ? i : -1; }
__device__ __forceinline__ idx pad_edge(idx i, idx size) {
  return i < 0 ? 0 : i >= size ? size - 1 : i;
}
__device__ __forceinline__ idx pad_wrap(idx i, idx size) {
  return size == 1 ? 0 : remainder_of(i, size);
}
__device__ __forceinline__ idx pad_reflect(idx i, idx size) {
  if (i >= 0 && i < size) return i;
  if (size == 1) return 0;
  const idx folded = remainder_of(i, 2 * size - 2);
  return folded < size ? folded : 2 * size - 2 - folded;
}
