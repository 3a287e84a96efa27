// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/normalization.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(NormalizationGolden, instance) {
  const Tensors out = run(InstanceNormalization{.epsilon = 0.01F},
                          {pattern(DType::f32, {2, 3, 2, 3}, 1), pattern(DType::f32, {3}, 2),
                           pattern(DType::f32, {3}, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3, 2, 3},
               {0.92574394, 0.84755427, 0.76936454, 0.69117492, 0.61298519, 0.53479552,
                0.49627897, 0.68384498, 0.67471218, 0.66557938, 0.65644658, 0.64731377,
                0.5098145,  0.52367091, 0.53752732, 0.55138373, 0.56524009, 0.5790965,
                0.925744,   0.84755433, 0.7693646,  0.69117498, 0.61298525, 0.53479558,
                0.60305572, 0.59572393, 0.5883922,  0.58106041, 0.73163772, 0.72430593,
                0.50981456, 0.52367097, 0.53752738, 0.55138373, 0.56524014, 0.57909656});
}

TEST(NormalizationGolden, group) {
  const Tensors out = run(GroupNormalization{.epsilon = 0.01F, .num_groups = 2},
                          {pattern(DType::f32, {2, 4, 2, 2}, 1), pattern(DType::f32, {4}, 2),
                           pattern(DType::f32, {4}, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 4, 2, 2},
               {0.75087279, 0.72536749, 0.69986218, 0.67435694, 0.60386789, 0.59337521, 0.58288252,
                0.79837739, 0.50578207, 0.51683164, 0.52788121, 0.53893077, 0.4754234,  0.52317333,
                0.57092321, 0.61867315, 0.94849861, 0.88614756, 0.82379639, 0.76144528, 0.62453729,
                0.59888649, 0.57323569, 0.54758495, 0.5672878,  0.57042897, 0.57357007, 0.57671118,
                0.31215793, 0.32573208, 0.33930624, 0.35288039});
}

TEST(NormalizationGolden, layer) {
  const Tensors out =
      run(LayerNormalization{}, {pattern(DType::f32, {2, 3, 4}, 1), pattern(DType::f32, {4}, 2),
                                 pattern(DType::f32, {4}, 3)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3, 4},
               {0.94193906, 0.66638905, 0.55695921, 0.61364973, 0.65804929, 0.60000294,
                0.56384379, 0.24290887, 0.94193912, 0.66638905, 0.55695921, 0.61364973,
                0.94193906, 0.66638905, 0.55695921, 0.61364973, 0.94193912, 0.66638905,
                0.55695921, 0.61364973, 0.94193906, 0.66638905, 0.55695921, 0.61364973});
}

TEST(NormalizationGolden, layer_two_axes) {
  const Tensors out = run(LayerNormalization{.axis = 1, .epsilon = 0.1F, .statistics = true},
                          {pattern(DType::f32, {2, 3, 4}, 1), pattern(DType::f32, {3, 4}, 2)});
  ASSERT_GE(out.size(), 3U);
  expect_close(out[0], {2, 3, 4},
               {-0.063990921, -0.033903174, 0.017868727,  0.091324784,  0.18646501,   0.30328938,
                0.44179791,   -0.63587803,  -0.68751389,  -0.71746564,  -0.72573322,  -0.71231657,
                0.17907494,   0.060275514,  -0.020194873, -0.062336221, -0.066148512, -0.031631768,
                0.041214023,  0.15238886,   0.30189279,   0.48972568,   0.71588767,   0.98037863});
  expect_close(out[1], {2, 1, 1}, {-0.091824844, -0.03946054});
  expect_close(out[2], {2, 1, 1}, {1.2560729, 2.2202418});
}

TEST(NormalizationGolden, rms) {
  const Tensors out = run(RMSNormalization{.axis = 1, .epsilon = 0.01F},
                          {pattern(DType::f32, {2, 3, 4}, 1), pattern(DType::f32, {4}, 2)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3, 4},
               {-0.088057418, -0.044344301, 0.022599211,  0.11277312,   -0.16699082,  -0.076816904,
                0.036587406,  -0.15225997,  0.17908544,   0.065556243,  -0.024742563, -0.091810968,
                0.2200304,    0.072683557,  -0.023626951, -0.068901123, 0.04661661,   0.0013424404,
                0.0071046072, 0.063903112,  -0.12679719,  -0.06999868,  0.037836165,  0.19670735});
}

TEST(NormalizationGolden, lrn) {
  const Tensors out = run(LRN{.alpha = 0.2F, .beta = 0.5F, .bias = 2, .size = 3},
                          {pattern(DType::f32, {1, 5, 2, 2}, 1, -5, 5)});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 5, 2, 2},
      {-1.1382341, -1.3160841, -1.4691108, -1.6792486,  -1.8528059,  -2.0372167, -2.1965523,
       2.1379433,  1.9686944,  1.7752457,  1.561397,    1.4017811,   1.2474377,  1.0620811,
       0.84347624, 0.59262401, 0.32328951, 0.023367185, -0.29307666, -0.61476314});
}

TEST(NormalizationGolden, lrn_even) {
  const Tensors out =
      run(LRN{.alpha = 0.2F, .size = 4}, {pattern(DType::f32, {1, 6, 2, 1}, 1, -5, 5)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 6, 2, 1},
               {-1.0624126, -1.1451342, -1.1440742, -1.2292677, -1.3180851, -1.4553678, -1.6045708,
                1.6058606, 1.6097734, 1.5689495, 1.6893614, 1.6167264});
}

}  // namespace
}  // namespace tenrec
