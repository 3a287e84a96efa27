// SPDX-License-Identifier: Apache-2.0
// How far two results are apart; what `verify` judges by and `bench --vs` reports.
#pragma once
#include <cstdint>
#include <string>

#include "ir/tensor.h"
#include "tenrec/tensor.h"

namespace tenrec {

struct Difference {
  std::string reason;      // element types, shapes or NaNs disagree; empty: they don't
  bool exact = false;      // integers, booleans, strings: every element has to be the same
  uint64_t different = 0;  // exact: so many are not
  double absolute = 0;     // floats: max |got - want|
  double magnitude = 0;    // floats: max |want|, infinities aside

  double relative() const { return magnitude > 0 ? absolute / magnitude : absolute; }
  // Floats within 2e-4 * max|want| + 1e-6, the rest equal.
  bool tolerable() const;
  std::string str() const;
};

Difference compare(const Tensor& got, const Tensor& want);

// A view; `tensor` must outlive it (strings are copied).
Tensor as_tensor(const HostTensor& tensor);

}  // namespace tenrec
