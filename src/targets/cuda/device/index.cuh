// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which of `count` entries speaks of an axis, by a list that may count axes from the end; -1: none.
template <class I>
__device__ __forceinline__ idx entry_of(const I* axes, idx count, idx axis, idx rank) {
  for (idx k = 0; k < count; ++k)
    if (axes[k] == axis || axes[k] + rank == axis) return k;
  return -1;
}

// An index of an axis: negative ones count from the end, others are kept inside.
template <class I>
__device__ __forceinline__ idx place(I index, idx size) {
  const long long at = index < 0 ? (long long)index + size : (long long)index;
  return (idx)(at < 0 ? 0 : at >= size ? size - 1 : at);
}
