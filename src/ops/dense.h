// SPDX-License-Identifier: Apache-2.0
// The oracle's dense products: plain, but with contiguous inner loops, since convolutions and
// matrix products are where an interpreted model spends its time.
#pragma once
#include <algorithm>
#include <cstdint>

#include "ops/window.h"

namespace tenrec {

constexpr int64_t dense_tile = 64;  // columns summed at once

// c[m][n] += a[m][k] * b[k][n]; T is double, or uint64_t for integers that wrap.
template <class T>
void multiply_add(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_stride, const T* b,
                  int64_t b_stride, T* c, int64_t c_stride) {
  constexpr int64_t rows = 4;
  for (int64_t n0 = 0; n0 < n; n0 += dense_tile) {
    const int64_t width = std::min(dense_tile, n - n0);
    for (int64_t m0 = 0; m0 < m; m0 += rows) {
      const int64_t height = std::min(rows, m - m0);
      T sums[rows][dense_tile] = {};
      for (int64_t i = 0; i < k; ++i) {
        const T* from = b + i * b_stride + n0;
        for (int64_t row = 0; row < height; ++row) {
          const T factor = a[(m0 + row) * a_stride + i];
          T* to = sums[row];
          if (width == dense_tile) {
            for (int64_t j = 0; j < dense_tile; ++j) to[j] += factor * from[j];
          } else {
            for (int64_t j = 0; j < width; ++j) to[j] += factor * from[j];
          }
        }
      }
      for (int64_t row = 0; row < height; ++row) {
        T* to = c + (m0 + row) * c_stride + n0;
        for (int64_t j = 0; j < width; ++j) to[j] += sums[row][j];
      }
    }
  }
}

struct Convolution {
  int64_t batch = 1, group = 1;
  int64_t in_channels = 1, out_channels = 1;  // in all groups
  std::vector<WindowAxis> axes;
};

// y[n][o][...] += sum over c, k of x[n][c][...] * w[o][c][k]; padding counts as zero.
void convolve(const Convolution& shape, const double* x, const double* w, double* y);
// The transposed one; w is [c][o / group][k], `axes` describe the convolution from y to x.
void convolve_transposed(const Convolution& shape, const double* x, const double* w, double* y);

}  // namespace tenrec
