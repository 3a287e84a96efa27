// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where element `at` of a slice lies: its start as ONNX reads it, then `at` steps on.
__device__ __forceinline__ idx slice_place(long long start, long long step, idx size, idx at) {
  if (start < 0) start += size;
  const long long last = step < 0 ? size - 1 : size;
  start = start < 0 ? 0 : start > last ? last : start;
  return (idx)(start + step * at);
}
