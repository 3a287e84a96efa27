// SPDX-License-Identifier: Apache-2.0
// SIMD loops over rows of floats: what reductions, softmax and normalisations are made of. Sums are
// kept in vectors over short stretches and in double across them, always in the same order.
#pragma once
#include <cstdint>

#include "targets/cpu/run/isa.h"

namespace tenrec::cpu {

enum class RowMap : uint8_t { identity, absolute, square };

constexpr int64_t few_rows = 256;  // that floats sum up before doubles take over
constexpr int64_t short_row = 16;  // shorter rows would leave most lanes of their vectors idle

struct RowLoops {
  // Of n values that lie together.
  double (*sum)(const float* x, int64_t n, RowMap map);
  float (*max)(const float* x, int64_t n);  // NaN if one is; -inf of nothing
  float (*min)(const float* x, int64_t n);
  double (*squares_around)(const float* x, int64_t n, float mean);  // sum of (x - mean)^2
  // Over `rows` rows, `stride` apart, of `width` columns; combined with what `into` holds.
  void (*column_sum)(const float* x, int64_t rows, int64_t stride, int64_t width, RowMap map,
                     double* into);
  // The same of few_rows or less, straight to y: sums divided by `divisor`.
  void (*short_columns)(const float* x, int64_t rows, int64_t stride, int64_t width, RowMap map,
                        float divisor, float* y);
  void (*column_max)(const float* x, int64_t rows, int64_t stride, int64_t width, float* into);
  void (*column_min)(const float* x, int64_t rows, int64_t stride, int64_t width, float* into);
  // y = (x - shift) * factor
  void (*shift_scale)(const float* x, int64_t n, float shift, float factor, float* y);
  // y = (x - shift) * factor * scale[i] + bias[i]; scale and bias may be null (1 and 0)
  void (*normalise)(const float* x, int64_t n, float shift, float factor, const float* scale,
                    const float* bias, float* y);
  // Softmax of each of `rows` rows of n values; y may be x.
  void (*softmax)(const float* x, int64_t rows, int64_t n, bool logarithm, float* y);
  // Softmax down `n` rows, `stride` apart, of `width` columns.
  void (*column_softmax)(const float* x, int64_t n, int64_t stride, int64_t width, bool logarithm,
                         float* y);
  // As `softmax`, n <= short_row.
  void (*short_softmax)(const float* x, int64_t rows, int64_t n, bool logarithm, float* y);
};

const RowLoops& row_loops(Isa isa);

}  // namespace tenrec::cpu
