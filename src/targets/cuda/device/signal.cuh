// SPDX-License-Identifier: Apache-2.0
// Windows and mel weights, computed in double as ops/signal_window.cpp and ops/spectrum.cpp do.
#pragma once

__device__ __forceinline__ double cosine_window(idx i, idx size, bool periodic, double a0,
                                                double a1, double a2) {
  const double turn = size == 1 ? 0 : 2 * (double)i / (double)(periodic ? size : size - 1);
  return a0 - a1 * cospi(turn) + a2 * cospi(2 * turn);
}

// The spectrum bin at which corner i of `bands` triangles lies.
__device__ __forceinline__ long long mel_corner(idx i, idx bands, idx length, double rate,
                                                double low, double high) {
  const double first = 2595 * log10(1 + low / 700), last = 2595 * log10(1 + high / 700);
  const double step = __ddiv_rn(last - first, (double)(bands + 2));
  const double hertz = 700 * (pow(10.0, (__dmul_rn((double)i, step) + first) / 2595) - 1);
  return (long long)floor((double)(length + 1) * hertz / rate);
}

__device__ __forceinline__ double mel_weight(idx row, idx band, idx bands, idx length, double rate,
                                             double low, double high) {
  const long long left = mel_corner(band, bands, length, rate, low, high);
  const long long centre = mel_corner(band + 1, bands, length, rate, low, high);
  const long long right = mel_corner(band + 2, bands, length, rate, low, high);
  if (row >= centre && row < right) return (double)(right - row) / (double)(right - centre);
  if (centre == left) return row == centre ? 1 : 0;
  return row >= left && row <= centre ? (double)(row - left) / (double)(centre - left) : 0;
}
