// SPDX-License-Identifier: Apache-2.0
// Puts entries in order: blocks of 256 by counting, then runs of them by merging 16 at a time.
// `compare(a, b)` is below, at or above 0; equal entries keep their order.
#pragma once

template <class Compare>
__device__ __forceinline__ bool comes_before(idx a, idx b, const Compare& compare) {
  const int order = compare(a, b);
  return order < 0 || (order == 0 && a < b);
}

// How many of the ordered `entries` come before entry `own`.
template <class Compare>
__device__ __forceinline__ idx count_before(const idx* entries, idx size, idx own,
                                            const Compare& compare) {
  idx low = 0, high = size;
  while (low < high) {
    const idx middle = low + (high - low) / 2;
    if (comes_before(entries[middle], own, compare)) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Place of entry i within its block of 256.
template <class Compare>
__device__ __forceinline__ idx place_by_counting(idx i, idx size, const Compare& compare) {
  const idx first = i / 256 * 256, end = first + 256 < size ? first + 256 : size;
  idx place = first;
  for (idx other = first; other < end; ++other) place += comes_before(other, i, compare);
  return place;
}

// Where the i-th of the entries, ordered in runs, goes in runs 16 times as long.
template <long long run, class Compare>
__device__ __forceinline__ idx place_by_merging(const idx* entries, idx i, idx size,
                                                const Compare& compare) {
  const idx own = entries[i];
  const long long mine = i / run * run;
  long long start = i / (run * 16) * (run * 16), place = start + (i - mine);
  for (int k = 0; k < 16 && start < size; ++k, start += run) {
    if (start == mine) continue;
    const long long left = size - start;
    place += count_before(entries + start, (idx)(left < run ? left : run), own, compare);
  }
  return (idx)place;
}
