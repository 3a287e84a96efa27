// SPDX-License-Identifier: Apache-2.0
#pragma once

// An index of an axis: negative ones count from the end, others are kept inside.
template <class I>
__device__ __forceinline__ idx place(I index, idx size) {
  const long long at = index < 0 ? (long long)index + size : (long long)index;
  return (idx)(at < 0 ? 0 : at >= size ? size - 1 : at);
}
