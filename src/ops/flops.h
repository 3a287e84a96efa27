// SPDX-License-Identifier: Apache-2.0
// Sizes as factors of an operator's `flops`: one that only running tells counts as 1.
#pragma once
#include <span>

#include "ir/dim.h"

namespace tenrec {

inline double factor(const Dim& dim) {
  return dim.is_const() ? static_cast<double>(dim.value()) : 1;
}

inline double factors(std::span<const Dim> dims) {
  double product = 1;
  for (const Dim& dim : dims) product *= factor(dim);
  return product;
}

}  // namespace tenrec
