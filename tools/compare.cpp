// SPDX-License-Identifier: Apache-2.0
#include "compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace tenrec {
namespace {

Difference compare_floats(const Tensor& got, const Tensor& want) {
  const std::vector<double> a = got.to_doubles();
  const std::vector<double> b = want.to_doubles();
  Difference result;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) {
      result.reason = fmt::format("element {} is {}, expected {}", i, a[i], b[i]);
      return result;
    }
    if (std::isfinite(b[i])) result.magnitude = std::max(result.magnitude, std::abs(b[i]));
    if (std::isnan(b[i]) || a[i] == b[i]) continue;
    const double apart = std::abs(a[i] - b[i]);
    result.absolute = std::max(result.absolute,
                               std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart);
  }
  return result;
}

template <class T>
uint64_t count_different(const T& a, const T& b) {
  uint64_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += a[i] != b[i];
  return count;
}

}  // namespace

bool Difference::tolerable() const {
  if (!reason.empty()) return false;
  return exact ? different == 0 : absolute <= 2e-4 * magnitude + 1e-6;
}

std::string Difference::str() const {
  if (!reason.empty()) return reason;
  if (exact) return fmt::format("{} elements differ", different);
  return fmt::format("max |a - b| {:.3g}, max |b| {:.3g}, relative {:.3g}", absolute, magnitude,
                     relative());
}

Difference compare(const Tensor& got, const Tensor& want) {
  Difference result;
  if (got.dtype() != want.dtype() || got.dims() != want.dims()) {
    result.reason = fmt::format("got {}{}, expected {}{}", name(got.dtype()), to_string(got.dims()),
                                name(want.dtype()), to_string(want.dims()));
    return result;
  }
  if (is_float(got.dtype())) return compare_floats(got, want);
  result.exact = true;
  result.different = got.dtype() == DType::string ? count_different(got.strings(), want.strings())
                                                  : count_different(got.to_ints(), want.to_ints());
  return result;
}

Tensor as_tensor(const HostTensor& tensor) {
  if (tensor.dtype == DType::string) return Tensor::of_strings(tensor.dims, tensor.strings);
  return Tensor(tensor.dtype, tensor.dims, nullptr, tensor.data.data());
}

}  // namespace tenrec
