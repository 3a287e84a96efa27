// SPDX-License-Identifier: Apache-2.0
// What operator tests share: inputs that any language can make again, and comparison with numbers
// from outside (tests/ops/make_golden.py computes them with onnxruntime, onnx's reference or
// numpy).
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "ir/tensor.h"
#include "ir/type.h"
#include "ops/support.h"

namespace tenrec::testing {

// Element i is ((7919 i + 104729 seed + 13) mod 2003), scaled to [low, high]; integers are rounded
// down.
inline Tensor pattern(DType dtype, const Dims& dims, int64_t seed, double low = -1,
                      double high = 1) {
  std::vector<double> values(element_count(dims));
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t step = (7919 * static_cast<int64_t>(i) + 104729 * seed + 13) % 2003;
    values[i] = low + (high - low) * static_cast<double>(step) / 2002;
    if (!is_float(dtype)) values[i] = std::floor(values[i]);
  }
  return Tensor::from_doubles(dtype, dims, values);
}

// Evaluates; inference must say the same types.
template <class T>
Tensors run(const T& op, const Tensors& in) {
  const Types types = op.infer(types_of(in));
  const Tensors out = op.eval(in);
  EXPECT_EQ(types.size(), out.size());
  for (size_t i = 0; i < std::min(types.size(), out.size()); ++i) {
    EXPECT_EQ(types[i].dtype, out[i].dtype()) << "output " << i;
    if (types[i].is_static()) {
      EXPECT_EQ(static_dims(types[i].shape), out[i].dims()) << "output " << i;
    }
  }
  return out;
}

inline void expect_close(const Tensor& got, const Dims& dims, const std::vector<double>& expected,
                         double tolerance = 1e-5) {
  ASSERT_EQ(got.dims(), dims);
  const std::vector<double> values = got.to_doubles();
  ASSERT_EQ(values.size(), expected.size());
  double greatest = 0;
  for (const double value : expected) {
    if (std::isfinite(value)) greatest = std::max(greatest, std::abs(value));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(values[i])) << "element " << i;
    } else if (std::isinf(expected[i])) {
      EXPECT_EQ(values[i], expected[i]) << "element " << i;
    } else {
      EXPECT_NEAR(values[i], expected[i], tolerance * (greatest + 1e-30)) << "element " << i;
    }
  }
}

}  // namespace tenrec::testing
