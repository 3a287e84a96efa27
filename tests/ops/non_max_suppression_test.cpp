// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/non_max_suppression.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(NonMaxSuppressionGolden, classes) {
  const Tensors out = run(NonMaxSuppression{},
                          {pattern(DType::f32, {2, 8, 4}, 1, 0, 10),
                           pattern(DType::f32, {2, 2, 8}, 2, 0, 1), Tensor::of<int64_t>({1}, {3}),
                           Tensor::of<float>({1}, {0.30000001}), Tensor::of<float>({1}, {0.2})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {12, 3}, {0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 1.0, 5.0,
                                 0.0, 1.0, 6.0, 0.0, 1.0, 7.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0,
                                 1.0, 0.0, 2.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0});
}

TEST(NonMaxSuppressionGolden, centres) {
  const Tensors out =
      run(NonMaxSuppression{.center_point_box = true},
          {pattern(DType::f32, {1, 9, 4}, 3, 2, 6), pattern(DType::f32, {1, 1, 9}, 2, 0, 1),
           Tensor::of<int64_t>({1}, {5}), Tensor::of<float>({1}, {0.40000001})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {3, 3}, {0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 4.0});
}

TEST(NonMaxSuppressionGolden, no_maximum) {
  const Tensors out = run(NonMaxSuppression{}, {pattern(DType::f32, {1, 4, 4}, 1, 0, 10),
                                                pattern(DType::f32, {1, 1, 4}, 2, 0, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {0, 3},
               {

               });
}

}  // namespace
}  // namespace tenrec
