// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/kernels/conv_fold.h"

#include <algorithm>
#include <cmath>

namespace tenrec::cpu {
namespace {

constexpr int64_t worth_folding = 16;  // taps

bool along_one_axis(const ConvParams& params) {
  return !params.transposed && params.dilations.back() == 1 && params.auto_pad == AutoPad::notset &&
         std::all_of(params.kernel.begin(), params.kernel.end() - 1,
                     [](int64_t size) { return size == 1; });
}

struct Rows {
  const float* weights;
  int64_t count, size;
  const float* row(int64_t i) const { return weights + i * size; }
};

bool is_zero(const Rows& rows, int64_t tap) {
  for (int64_t i = 0; i < rows.count; ++i) {
    if (rows.row(i)[tap] != 0) return false;
  }
  return true;
}

float largest_of(const float* from, int64_t count) {
  float largest = 0;
  for (int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(from[i]));
  return largest;
}

bool is_mirrored(const Rows& rows, float sign) {
  const float noise = std::ldexp(largest_of(rows.weights, rows.count * rows.size), -40);
  for (int64_t i = 0; i < rows.count; ++i) {
    const float* const row = rows.row(i);
    const float largest = largest_of(row, rows.size);
    if (largest <= noise) continue;
    for (int64_t k = 0; k <= rows.size / 2; ++k) {
      const float difference = row[k] - sign * row[rows.size - 1 - k];
      if (!(std::abs(difference) <= std::ldexp(largest, -24))) return false;
    }
  }
  return true;
}

}  // namespace

FoldedConv fold_kernel(const ConvParams& params, const float* weights) {
  const int64_t filters = params.out_channels * (params.in_channels / params.groups);
  int64_t size = filters;
  for (const int64_t kernel : params.kernel) size *= kernel;
  FoldedConv out{params, {weights, weights + size}};
  if (!along_one_axis(params) || params.kernel.back() < worth_folding) return out;
  const Rows all{weights, filters, params.kernel.back()};
  int64_t first = 0, end = all.size;
  while (first < end && is_zero(all, first)) ++first;
  while (first < end && is_zero(all, end - 1)) --end;
  if (end - first < worth_folding) return out;
  out.weights.clear();
  for (int64_t i = 0; i < filters; ++i)
    out.weights.insert(out.weights.end(), all.row(i) + first, all.row(i) + end);
  out.params.kernel.back() = end - first;
  out.params.pads[params.kernel.size() - 1] -= first;
  out.params.pads.back() -= all.size - end;
  const Rows rows{out.weights.data(), filters, end - first};
  if (is_mirrored(rows, 1)) out.params.fold = Fold::same;
  else if (is_mirrored(rows, -1)) out.params.fold = Fold::negated;
  return out;
}

}  // namespace tenrec::cpu
