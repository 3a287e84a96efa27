// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/col2im.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(Col2imGolden, pads_strides_dilations) {
  const Tensors out = run(Col2Im{.dilations = {1, 2}, .pads = {1, 0, 0, 1}, .strides = {2, 1}},
                          {pattern(DType::f32, {1, 8, 8}, 1), Tensor::of<int64_t>({2}, {3, 5}),
                           Tensor::of<int64_t>({2}, {2, 2})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 5},
               {0.099900097, 0.0069930069, -0.7292707, -0.91508496, -0.82917082, -0.78621382,
                -0.87912089, -0.50049949,  1.3146853,  0.2857143,   -0.27172828, -0.36463538,
                0.52847159,  0.34265733,   0.80019981, -0.87212789, -0.96503496, 1.3286713,
                1.1428572,   0.19980019,   0.24275725, 0.14985014,  -0.44355643, -0.62937063,
                -0.68631369, 0.75724274,   0.66433567, 0.58541459,  0.39960039,  -0.17182817});
}

TEST(Col2imGolden, determinants) {
  const Tensors out =
      run(Det{}, {Tensor::of<float>({2, 3, 3}, {0.0, 2.0, 1.0, 3.0, -1.0, 0.5, 1.0, 4.0, -2.0, 1.0,
                                                2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2}, {26.0, -2.9999988});
}

}  // namespace
}  // namespace tenrec
