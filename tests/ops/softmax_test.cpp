// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/softmax.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(SoftmaxGolden, last) {
  const Tensors out = run(Softmax{}, {pattern(DType::f32, {2, 3, 4}, 1, -5, 5)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3, 4},
               {0.44023266,    0.27665406, 0.17385688, 0.10925635, 0.00018195386, 0.0001143448,
                7.1857336e-05, 0.99963188, 0.44023263, 0.27665412, 0.1738569,     0.10925636,
                0.44023266,    0.27665406, 0.17385688, 0.10925635, 0.44023266,    0.27665406,
                0.17385688,    0.10925635, 0.44023266, 0.27665406, 0.17385688,    0.10925635});
}

TEST(SoftmaxGolden, middle) {
  const Tensors out = run(Softmax{.axis = 1}, {pattern(DType::f32, {2, 3, 4}, 1, -5, 5)});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {2, 3, 4},
      {0.0018531736,  0.0018531728, 0.0018531728, 0.00025050365, 0.00028902511, 0.00028902481,
       0.00028902481, 0.86486351,   0.99785775,   0.99785775,    0.99785775,    0.13488598,
       0.84725207,    0.84725207,   0.84725207,   0.84725207,    0.13213927,    0.13213927,
       0.13213927,    0.13213927,   0.020608723,  0.020608723,   0.020608723,   0.020608723});
}

TEST(SoftmaxGolden, large) {
  const Tensors out = run(Softmax{}, {pattern(DType::f32, {1, 4}, 1, 1000, 1010)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 4}, {0.44023401, 0.27665406, 0.17385633, 0.10925566});
}

TEST(SoftmaxGolden, log) {
  const Tensors out = run(LogSoftmax{.axis = 1}, {pattern(DType::f32, {2, 3, 4}, 1, -50, 50)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3, 4},
               {-62.887112, -62.887115, -62.887115, -81.468529, -81.468529, -81.468536,
                -81.468536, 0.0,        0.0,        0.0,        0.0,        -18.581417,
                0.0,        0.0,        0.0,        0.0,        -18.581419, -18.581419,
                -18.581419, -18.581419, -37.162838, -37.162834, -37.162838, -37.162838});
}

TEST(SoftmaxGolden, hard) {
  const Tensors out = run(Hardmax{.axis = 1}, {pattern(DType::f32, {2, 3, 4}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3, 4}, {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0,
                                   1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0});
}

TEST(SoftmaxGolden, hard_first_of_equal) {
  const Tensors out = run(Hardmax{}, {Tensor::of<float>({2, 3}, {1.0, 3.0, 3.0, 2.0, 2.0, 1.0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3}, {0.0, 1.0, 0.0, 1.0, 0.0, 0.0});
}

}  // namespace
}  // namespace tenrec
