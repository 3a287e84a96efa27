// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/batch_normalization.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(BatchNormalizationGolden, image) {
  const Tensors out = run(BatchNormalization{.epsilon = 0.01F},
                          {pattern(DType::f32, {2, 3, 2, 2}, 1), pattern(DType::f32, {3}, 2),
                           pattern(DType::f32, {3}, 3), pattern(DType::f32, {3}, 4),
                           pattern(DType::f32, {3}, 5, 0.2, 2)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3, 2, 2},
               {0.77512586, 0.76043707, 0.74574822, 0.73105943, 0.63770211, 0.6313886,
                0.62507516, 0.75473934, 0.49140593, 0.49425939, 0.49711284, 0.49996629,
                0.91522241, 0.90053362, 0.88584477, 0.87115598, 0.69791794, 0.69160444,
                0.68529093, 0.67897743, 0.52564728, 0.52850074, 0.53135419, 0.53420764});
}

TEST(BatchNormalizationGolden, features) {
  const Tensors out =
      run(BatchNormalization{},
          {pattern(DType::f32, {2, 3}, 1), pattern(DType::f32, {3}, 2), pattern(DType::f32, {3}, 3),
           pattern(DType::f32, {3}, 4), pattern(DType::f32, {3}, 5, 0.2, 2)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3},
               {0.77535236, 0.65674889, 0.53568882, 0.73106343, 0.63770396, 0.54430115});
}

}  // namespace
}  // namespace tenrec
