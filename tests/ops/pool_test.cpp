// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/pool.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(PoolGolden, max_indices) {
  const Tensors out =
      run(MaxPool{.kernel_shape = {3, 2}, .pads = {1, 0, 1, 1}, .strides = {2, 1}, .indices = true},
          {pattern(DType::f32, {1, 2, 5, 4}, 1)});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {1, 2, 3, 4},
               {-0.41458541, -0.50749248, 0.93606395,  0.93606395,  0.84315681, 0.75024974,
                0.93606395,  0.93606395,  0.47152847,  0.37862137,  0.2857143,  0.1928072,
                -0.27172828, -0.36463538, -0.45754245, -0.55044955, 0.98601401, 0.89310688,
                0.80019981,  0.70729274,  0.6143856,   0.52147853,  0.42857143, 0.33566433});
  expect_close(out[1], {1, 2, 3, 4},
               {0.0,  1.0,  7.0,  7.0,  8.0,  9.0,  7.0,  7.0,  12.0, 13.0, 14.0, 15.0,
                20.0, 21.0, 22.0, 23.0, 28.0, 29.0, 30.0, 31.0, 32.0, 33.0, 34.0, 35.0});
}

TEST(PoolGolden, max_column_major) {
  const Tensors out =
      run(MaxPool{.kernel_shape = {2, 2}, .column_major = true, .strides = {2, 2}, .indices = true},
          {pattern(DType::f32, {1, 2, 4, 5}, 1)});
  ASSERT_GE(out.size(), 2U);
  expect_close(out[0], {1, 2, 2, 2},
               {-0.41458541, 0.93606395, 0.65734267, 0.47152847, -0.27172828, 0.98601401,
                0.80019981, 0.6143856});
  expect_close(out[1], {1, 2, 2, 2}, {0.0, 9.0, 2.0, 10.0, 20.0, 33.0, 22.0, 30.0});
}

TEST(PoolGolden, max_ceil) {
  const Tensors out = run(MaxPool{.ceil_mode = true, .kernel_shape = {3, 3}, .strides = {2, 2}},
                          {pattern(DType::f32, {1, 1, 6, 7}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 3, 3},
               {0.93606395, 0.75024974, 0.56443554, 0.98601401, 0.80019981, 0.6143856, 0.98601401,
                0.80019981, 0.6143856});
}

TEST(PoolGolden, max_ceil_start_in_padding) {
  const Tensors out = run(MaxPool{.ceil_mode = true, .kernel_shape = {1}, .strides = {2}},
                          {pattern(DType::f32, {1, 1, 2}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 1}, {-0.41458541});
}

TEST(PoolGolden, max_dilated) {
  const Tensors out = run(MaxPool{.dilations = {2, 2}, .kernel_shape = {2, 2}},
                          {pattern(DType::f32, {1, 1, 4, 5}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 3},
               {0.65734267, 0.56443554, 0.47152847, 0.93606395, 0.84315681, 0.93606395});
}

TEST(PoolGolden, max_same_lower) {
  const Tensors out = run(MaxPool{.auto_pad = AutoPad::same_lower, .kernel_shape = {2, 2}},
                          {pattern(DType::f32, {1, 1, 3, 3}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 3, 3},
               {-0.41458541, -0.41458541, -0.50749248, -0.41458541, -0.41458541, -0.50749248,
                -0.69330668, 0.93606395, 0.93606395});
}

TEST(PoolGolden, max_three_axes) {
  const Tensors out = run(MaxPool{.kernel_shape = {2, 1, 2}, .strides = {1, 2, 1}},
                          {pattern(DType::f32, {1, 2, 3, 3, 3}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 2, 2, 2},
               {0.75024974, 0.65734267, 0.93606395, 0.93606395, 0.75024974, 0.65734267, 0.1928072,
                0.099900097, 0.98601401, 0.98601401, 0.52147853, 0.42857143, 0.24275725, 0.14985014,
                0.85014987, 0.75724274});
}

TEST(PoolGolden, max_u8) {
  const Tensors out =
      run(MaxPool{.kernel_shape = {2, 2}}, {pattern(DType::u8, {1, 1, 3, 3}, 1, 0, 255)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 2}, {74.0, 62.0, 246.0, 246.0});
}

TEST(PoolGolden, average) {
  const Tensors out =
      run(AveragePool{.kernel_shape = {3, 2}, .pads = {1, 0, 1, 1}, .strides = {2, 1}},
          {pattern(DType::f32, {1, 2, 5, 4}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 4},
               {-0.64685315, -0.73976022, -0.33241755, 0.12137863,  0.12970363,  0.03679654,
                0.27738929,  0.56443554,  0.23926073,  0.14635365,  0.053446561, 0.0069930106,
                -0.50399601, -0.59690309, -0.68981016, -0.73626375, 0.27256078,  0.17965369,
                0.086746596, 0.040293057, 0.38211787,  0.2892108,   0.1963037,   0.14985014});
}

TEST(PoolGolden, average_include_pad) {
  const Tensors out = run(AveragePool{.count_include_pad = true,
                                      .kernel_shape = {3, 3},
                                      .pads = {1, 1, 1, 1},
                                      .strides = {2, 2}},
                          {pattern(DType::f32, {1, 1, 5, 4}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 3, 2},
               {-0.28749028, -0.30180928, 0.086469084, 0.21267621, 0.10633811, 0.066600069});
}

TEST(PoolGolden, average_ceil_include_pad) {
  const Tensors out = run(AveragePool{.ceil_mode = true,
                                      .count_include_pad = true,
                                      .kernel_shape = {3, 3},
                                      .pads = {1, 1, 1, 1},
                                      .strides = {2, 2}},
                          {pattern(DType::f32, {1, 1, 4, 6}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 3, 4},
               {-0.1064491, 0.080919087, -0.042957049, -0.052447557, 0.061050072, 0.28571427,
                0.099900104, 0.0034964979, -0.044122543, -0.13586414, -0.22877122, -0.13761239});
}

TEST(PoolGolden, average_dilated) {
  const Tensors out = run(AveragePool{.dilations = {2, 2}, .kernel_shape = {2, 2}},
                          {pattern(DType::f32, {1, 1, 4, 5}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 3},
               {0.028471515, -0.064435579, -0.15734264, 0.064185813, -0.028721282, 0.37862137});
}

TEST(PoolGolden, lp) {
  const Tensors out = run(LpPool{.kernel_shape = {2, 2}, .p = 3, .strides = {2, 1}},
                          {pattern(DType::f32, {1, 1, 4, 4}, 1)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 3},
               {1.1099318, 1.2482593, 1.3177621, 1.0569677, 0.92206156, 0.79069996});
}

}  // namespace
}  // namespace tenrec
