// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/topk.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(TopkGolden, largest) {
  const Tensors out =
      run(TopK{.axis = 1}, {pattern(DType::f32, {2, 5, 2}, 1), Tensor::of<int64_t>({1}, {3})});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {2, 3, 2},
               {0.84315681, 0.93606395, -0.41458541, 0.75024974, -0.60039961, -0.50749248,
                0.65734267, 0.56443554, 0.47152847, 0.37862137, 0.2857143, 0.1928072});
  expect_close(out[1], {2, 3, 2}, {4.0, 3.0, 0.0, 4.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0});
}

TEST(TopkGolden, smallest) {
  const Tensors out =
      run(TopK{.largest = false}, {pattern(DType::f32, {2, 6}, 1), Tensor::of<int64_t>({1}, {4})});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {2, 4},
               {-0.87912089, -0.78621382, -0.69330668, -0.60039961, -0.97202796, 0.56443554,
                0.65734267, 0.75024974});
  expect_close(out[1], {2, 4}, {5.0, 4.0, 3.0, 2.0, 0.0, 5.0, 4.0, 3.0});
}

TEST(TopkGolden, ties) {
  const Tensors out = run(TopK{}, {Tensor::of<float>({1, 5}, {1.0, 3.0, 3.0, 2.0, 3.0}),
                                   Tensor::of<int64_t>({1}, {4})});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {1, 4}, {3.0, 3.0, 3.0, 2.0});
  expect_close(out[1], {1, 4}, {1.0, 2.0, 4.0, 3.0});
}

TEST(TopkGolden, integers) {
  const Tensors out =
      run(TopK{}, {pattern(DType::i64, {2, 5}, 1, -9, 9), Tensor::of<int64_t>({1}, {2})});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {2, 2}, {-4.0, -5.0, 8.0, 7.0});
  expect_close(out[1], {2, 2}, {0.0, 1.0, 2.0, 3.0});
}

}  // namespace
}  // namespace tenrec
