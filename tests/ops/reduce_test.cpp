// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/reduce.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(ReduceGolden, sum) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::sum},
          {pattern(DType::f32, {2, 3, 4}, 1, -2, 3), Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {1.7822177, -0.64785218, 6.9270725});
}

TEST(ReduceGolden, sum_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::sum, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, -2, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {3.2452548});
}

TEST(ReduceGolden, mean) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::mean},
          {pattern(DType::f32, {2, 3, 4}, 1, -2, 3), Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {0.22277722, -0.080981523, 0.86588407});
}

TEST(ReduceGolden, mean_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::mean, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, -2, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {0.2704379});
}

TEST(ReduceGolden, max) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::max},
          {pattern(DType::f32, {2, 3, 4}, 1, -2, 3), Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {1.6788212, 2.8401599, 2.607892});
}

TEST(ReduceGolden, max_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::max, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, -2, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {2.8401599});
}

TEST(ReduceGolden, min) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::min},
          {pattern(DType::f32, {2, 3, 4}, 1, -2, 3), Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {-1.2332667, -1.9300699, -0.87612391});
}

TEST(ReduceGolden, min_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::min, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, -2, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {-1.9300699});
}

TEST(ReduceGolden, prod) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::prod},
          {pattern(DType::f32, {2, 3, 4}, 1, -2, 3), Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {1.4742961, -0.079914398, 1.0565513});
}

TEST(ReduceGolden, prod_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::prod, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, -2, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {-176.21674});
}

TEST(ReduceGolden, l1) {
  const Tensors out = run(Reduce{.kind = ReduceKind::l1}, {pattern(DType::f32, {2, 3, 4}, 1, -2, 3),
                                                           Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {8.8611393, 9.5389614, 11.148851});
}

TEST(ReduceGolden, l1_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::l1, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, -2, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {20.51099});
}

TEST(ReduceGolden, l2) {
  const Tensors out = run(Reduce{.kind = ReduceKind::l2}, {pattern(DType::f32, {2, 3, 4}, 1, -2, 3),
                                                           Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {3.2789471, 4.211421, 4.6983652});
}

TEST(ReduceGolden, l2_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::l2, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, -2, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {6.3964539});
}

TEST(ReduceGolden, log_sum) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::log_sum},
          {pattern(DType::f32, {2, 3, 4}, 1, 0.5, 3), Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {2.5565379, 2.4575419, 2.7384849});
}

TEST(ReduceGolden, log_sum_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::log_sum, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, 0.5, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {2.9766834});
}

TEST(ReduceGolden, log_sum_exp) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::log_sum_exp},
          {pattern(DType::f32, {2, 3, 4}, 1, -2, 3), Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {2.8537467, 3.1720514, 3.7390187});
}

TEST(ReduceGolden, log_sum_exp_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::log_sum_exp, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, -2, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {4.0775638});
}

TEST(ReduceGolden, sum_square) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::sum_square},
          {pattern(DType::f32, {2, 3, 4}, 1, -2, 3), Tensor::of<int64_t>({2}, {-1, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 3, 1}, {10.751493, 17.736069, 22.074636});
}

TEST(ReduceGolden, sum_square_all) {
  const Tensors out = run(Reduce{.kind = ReduceKind::sum_square, .keepdims = false},
                          {pattern(DType::f32, {2, 3, 2}, 1, -2, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {}, {40.914619});
}

TEST(ReduceGolden, noop) {
  const Tensors out = run(Reduce{.noop_with_empty_axes = true},
                          {pattern(DType::f32, {2, 3}, 1), Tensor::of<int64_t>({0}, {})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3},
               {-0.41458541, -0.50749248, -0.60039961, -0.69330668, -0.78621382, -0.87912089});
}

TEST(ReduceGolden, sum_i64) {
  const Tensors out = run(Reduce{.keepdims = false}, {pattern(DType::i64, {3, 4}, 1, -1000, 1000),
                                                      Tensor::of<int64_t>({1}, {1})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {3}, {-2218.0, -1704.0, 2814.0});
}

TEST(ReduceGolden, mean_i32) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::mean, .keepdims = false},
          {pattern(DType::i32, {3, 4}, 1, -1000, 1000), Tensor::of<int64_t>({1}, {1})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {3}, {-554.0, -426.0, 703.0});
}

TEST(ReduceGolden, max_i8) {
  const Tensors out =
      run(Reduce{.kind = ReduceKind::max},
          {pattern(DType::i8, {3, 4}, 1, -128, 127), Tensor::of<int64_t>({1}, {0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 4}, {107.0, 95.0, 83.0, 118.0});
}

}  // namespace
}  // namespace tenrec
