// SPDX-License-Identifier: Apache-2.0
// What the files of operator cases make their tensors with.
#pragma once
#include <cmath>
#include <random>

#include "targets/cuda/cases.h"

namespace tenrec::test {

inline Tensor random(DType dtype, Dims dims, double low = -2, double high = 2, uint64_t seed = 1) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<double> values(element_count(dims));
  for (double& value : values) value = uniform(engine);
  if (is_float(dtype)) return Tensor::from_doubles(dtype, std::move(dims), values);
  std::vector<int64_t> whole;
  for (const double value : values) whole.push_back(static_cast<int64_t>(std::floor(value)));
  return Tensor::from_ints(dtype, std::move(dims), whole);
}
inline Tensor f32(Dims dims, uint64_t seed = 1) {
  return random(DType::f32, std::move(dims), -2, 2, seed);
}
inline Tensor ints(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Tensor::of({count}, values);
}
inline Tensor floats(std::vector<float> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Tensor::of({count}, values);
}

// Sums of k products: each rounds, and their partial sums do.
inline double sum_tolerance(int64_t k) { return std::sqrt(static_cast<double>(k)) * 0x1p-22 * 4; }

using Cases = std::vector<CudaCase>;

void conv_cases(Cases& cases);
void index_cases(Cases& cases);
void quantised_cases(Cases& cases);
void signal_cases(Cases& cases);
void squeeze_cases(Cases& cases);

}  // namespace tenrec::test
