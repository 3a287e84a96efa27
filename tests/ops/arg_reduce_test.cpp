// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/arg_reduce.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(ArgReduceGolden, max) {
  const Tensors out = run(ArgReduce{.axis = 1}, {pattern(DType::f32, {2, 3, 4}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 1, 4}, {2.0, 2.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0});
}

TEST(ArgReduceGolden, min_last) {
  const Tensors out =
      run(ArgReduce{.largest = false, .axis = -1, .keepdims = false, .select_last_index = true},
          {Tensor::of<float>({2, 3}, {2.0, 1.0, 1.0, 0.0, 5.0, 0.0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2}, {2.0, 2.0});
}

TEST(ArgReduceGolden, max_i32) {
  const Tensors out = run(ArgReduce{.axis = 0}, {pattern(DType::i32, {3, 4}, 1, -90, 90)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 4}, {2.0, 2.0, 2.0, 1.0});
}

}  // namespace
}  // namespace tenrec
