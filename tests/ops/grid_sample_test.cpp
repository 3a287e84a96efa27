// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/grid_sample.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(GridSampleGolden, nearest_zeros_0) {
  const Tensors out = run(
      GridSample{
          .align_corners = false, .mode = SampleMode::nearest, .padding = SamplePadding::zeros},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.37862137, 0.93606395, -0.97202796, -0.41458541, 0.0, 0.0, 0.0, 0.0, 0.0,
                0.52147853, -0.92207789, -0.82917082, -0.27172828, 0.0, 0.0, 0.0, 0.0, 0.0},
               2e-05);
}

TEST(GridSampleGolden, nearest_zeros_1) {
  const Tensors out = run(
      GridSample{
          .align_corners = true, .mode = SampleMode::nearest, .padding = SamplePadding::zeros},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 2, 3, 3},
      {0.37862137, 0.93606395, -0.97202796, -0.50749248, -0.41458541, 0.0, 0.0, 0.0, -0.17882118,
       0.52147853, -0.92207789, -0.82917082, -0.36463538, -0.27172828, 0.0, 0.0, 0.0, -0.035964034},
      2e-05);
}

TEST(GridSampleGolden, nearest_border_0) {
  const Tensors out = run(
      GridSample{
          .align_corners = false, .mode = SampleMode::nearest, .padding = SamplePadding::border},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.37862137, 0.93606395, -0.97202796, -0.41458541, -0.41458541, -0.41458541,
                0.1928072, -0.17882118, -0.17882118, 0.52147853, -0.92207789, -0.82917082,
                -0.27172828, -0.27172828, -0.27172828, 0.33566433, -0.035964034, -0.035964034},
               2e-05);
}

TEST(GridSampleGolden, nearest_border_1) {
  const Tensors out = run(
      GridSample{
          .align_corners = true, .mode = SampleMode::nearest, .padding = SamplePadding::border},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.37862137, 0.93606395, -0.97202796, -0.50749248, -0.41458541, -0.41458541,
                0.1928072, -0.17882118, -0.17882118, 0.52147853, -0.92207789, -0.82917082,
                -0.36463538, -0.27172828, -0.27172828, 0.33566433, -0.035964034, -0.035964034},
               2e-05);
}

TEST(GridSampleGolden, nearest_reflection_0) {
  const Tensors out =
      run(GridSample{.align_corners = false,
                     .mode = SampleMode::nearest,
                     .padding = SamplePadding::reflection},
          {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.37862137, 0.93606395, -0.97202796, -0.41458541, -0.41458541, -0.41458541,
                0.56443554, -0.17882118, -0.17882118, 0.52147853, -0.92207789, -0.82917082,
                -0.27172828, -0.27172828, -0.27172828, 0.70729274, -0.035964034, -0.035964034},
               2e-05);
}

TEST(GridSampleGolden, nearest_reflection_1) {
  const Tensors out = run(
      GridSample{
          .align_corners = true, .mode = SampleMode::nearest, .padding = SamplePadding::reflection},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.37862137, 0.93606395, -0.97202796, -0.50749248, -0.41458541, -0.87912089,
                0.56443554, -0.085914083, -0.17882118, 0.52147853, -0.92207789, -0.82917082,
                -0.36463538, -0.27172828, -0.73626375, 0.70729274, 0.056943055, -0.035964034},
               2e-05);
}

TEST(GridSampleGolden, linear_zeros_0) {
  const Tensors out = run(
      GridSample{
          .align_corners = false, .mode = SampleMode::linear, .padding = SamplePadding::zeros},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.54861069, 0.69533336, -0.61153656, -0.4175418, -0.089898072, 0.0, 0.0, 0.0,
                -0.035882317, 0.47592637, -0.73777527, -0.61899287, -0.28554523, -0.058921147, 0.0,
                0.0, 0.0, -0.0072165551},
               2e-05);
}

TEST(GridSampleGolden, linear_zeros_1) {
  const Tensors out = run(
      GridSample{
          .align_corners = true, .mode = SampleMode::linear, .padding = SamplePadding::zeros},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.58447415, 0.70536184, -0.40884417, -0.6293112, -0.37179291, -0.093986653, 0.0,
                -0.030127294, -0.10861921, 0.38651234, -0.59127319, -0.74885863, -0.48645413,
                -0.24721745, -0.06160089, 0.0, -0.0060591209, 0.012602462},
               2e-05);
}

TEST(GridSampleGolden, linear_border_0) {
  const Tensors out = run(
      GridSample{
          .align_corners = false, .mode = SampleMode::linear, .padding = SamplePadding::border},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.54861069, 0.69533336, -0.61153662, -0.45189673, -0.41458541, -0.41458541,
                0.1928072, -0.17882118, -0.17882118, 0.47592637, -0.73777527, -0.61899287,
                -0.30903959, -0.27172828, -0.27172828, 0.33566433, -0.035964034, -0.035964034},
               2e-05);
}

TEST(GridSampleGolden, linear_border_1) {
  const Tensors out = run(
      GridSample{
          .align_corners = true, .mode = SampleMode::linear, .padding = SamplePadding::border},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.58447415, 0.70536184, -0.40884417, -0.6293112, -0.42635429, -0.41458541,
                0.1928072, -0.17882118, -0.12800542, 0.38651234, -0.59127319, -0.74885863,
                -0.48645413, -0.28349712, -0.27172828, 0.33566433, -0.035964034, 0.01485173},
               2e-05);
}

TEST(GridSampleGolden, linear_reflection_0) {
  const Tensors out = run(
      GridSample{
          .align_corners = false, .mode = SampleMode::linear, .padding = SamplePadding::reflection},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.54861069, 0.69533336, -0.61153662, -0.45189673, -0.41458541, -0.54568553,
                0.36827272, -0.13863263, -0.17882118, 0.47592637, -0.73777527, -0.61899287,
                -0.30903959, -0.27172828, -0.4028284, 0.51112992, 0.0042245183, -0.035964034},
               2e-05);
}

TEST(GridSampleGolden, linear_reflection_1) {
  const Tensors out = run(
      GridSample{
          .align_corners = true, .mode = SampleMode::linear, .padding = SamplePadding::reflection},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.58447415, 0.70536184, -0.40884417, -0.6293112, -0.48580182, -0.72466862,
                0.45759714, 0.046838231, -0.11393478, 0.38651234, -0.59127319, -0.74885863,
                -0.48645413, -0.34294462, -0.58181149, 0.60045433, 0.18969536, 0.028922347},
               2e-05);
}

TEST(GridSampleGolden, cubic_zeros_0) {
  const Tensors out = run(
      GridSample{
          .align_corners = false, .mode = SampleMode::cubic, .padding = SamplePadding::zeros},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 2, 3, 3},
      {0.70280701, 0.83271831, -0.81160313, -0.42680532, -0.066704787, -0.0023744875, 0.00030046387,
       0.00084419397, -0.052426148, 0.58151311, -0.91993922, -0.8244403, -0.28526604, -0.036710173,
       -0.0015562905, 0.00052308734, 0.00024223326, -0.024938708},
      2e-05);
}

TEST(GridSampleGolden, cubic_zeros_1) {
  const Tensors out = run(
      GridSample{.align_corners = true, .mode = SampleMode::cubic, .padding = SamplePadding::zeros},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.78896016, 0.89139181, -0.5547269, -0.8487792, -0.36698294, -0.069374502,
                -0.0010058413, -0.042303517, -0.1406458, 0.47976258, -0.76025927, -1.0263472,
                -0.60724819, -0.23173527, -0.037437968, -0.0021449418, -0.01984323, -0.008127816},
               2e-05);
}

TEST(GridSampleGolden, cubic_border_0) {
  const Tensors out = run(
      GridSample{
          .align_corners = false, .mode = SampleMode::cubic, .padding = SamplePadding::border},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.70280701, 0.83271831, -0.76427549, -0.41441044, -0.37892029, -0.41458547,
                0.19280727, -0.17968936, -0.23492472, 0.58151311, -0.91993922, -0.78999001,
                -0.27860367, -0.23606309, -0.27172834, 0.33566445, -0.036832232, -0.092067637},
               2e-05);
}

TEST(GridSampleGolden, cubic_border_1) {
  const Tensors out = run(
      GridSample{
          .align_corners = true, .mode = SampleMode::cubic, .padding = SamplePadding::border},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.78896016, 0.89139181, -0.53746843, -0.76772934, -0.38802016, -0.36905473,
                0.17991191, -0.23378514, -0.14815527, 0.47976258, -0.76025927, -1.0136499,
                -0.54871511, -0.24669787, -0.22619759, 0.32276908, -0.090928003, -0.0052981162},
               2e-05);
}

TEST(GridSampleGolden, cubic_reflection_0) {
  const Tensors out = run(
      GridSample{
          .align_corners = false, .mode = SampleMode::cubic, .padding = SamplePadding::reflection},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.70280701, 0.83271831, -0.76427549, -0.41196978, -0.3219558, -0.59544957,
                0.55005449, -0.16373986, -0.27343264, 0.58151311, -0.91993922, -0.78999001,
                -0.27674311, -0.17909859, -0.4498086, 0.67502826, -0.020882726, -0.13057554},
               2e-05);
}

TEST(GridSampleGolden, cubic_reflection_1) {
  const Tensors out = run(
      GridSample{
          .align_corners = true, .mode = SampleMode::cubic, .padding = SamplePadding::reflection},
      {pattern(DType::f32, {1, 2, 4, 5}, 1), pattern(DType::f32, {1, 3, 3, 2}, 2, -1.6, 1.6)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 3, 3},
               {0.78896016, 0.89139181, -0.541547, -0.68815309, -0.45002952, -0.94324064,
                0.59701061, -0.050468173, -0.16775149, 0.47976258, -0.76025927, -0.99554712,
                -0.4932791, -0.30622727, -0.6937173, 0.75035316, 0.080432951, -0.025127783},
               2e-05);
}

TEST(GridSampleGolden, volume) {
  const Tensors out = run(GridSample{}, {pattern(DType::f32, {1, 1, 3, 2, 4}, 1),
                                         pattern(DType::f32, {1, 2, 2, 2, 3}, 2, -1.2, 1.2)});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 2, 2},
               {0.39050201, -0.054059923, -0.39982942, -0.092337854, -0.00901487, -0.24227643,
                -0.16832392, 0.39101213},
               2e-05);
}

TEST(GridSampleGolden, affine_0) {
  const Tensors out =
      run(AffineGrid{.align_corners = false},
          {pattern(DType::f32, {2, 2, 3}, 1), Tensor::of<int64_t>({4}, {2, 1, 2, 3})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 3, 2},
               {-0.070263088, -0.023809493, -0.34665337, -0.48601398, -0.62304366, -0.94821846,
                -0.57775557,  -0.81002331,  -0.85414588, -1.2722278,  -1.1305361,  -1.7344322,
                1.0231435,    -0.26440233,  0.37512484,  0.23576421,  -0.27289379, 0.73593074,
                1.9592074,    0.39294034,   1.3111888,   0.89310688,  0.6631701,   1.3932734});
}

TEST(GridSampleGolden, affine_1) {
  const Tensors out =
      run(AffineGrid{.align_corners = true},
          {pattern(DType::f32, {2, 2, 3}, 1), Tensor::of<int64_t>({4}, {2, 1, 2, 3})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 3, 2},
               {0.32167828,  0.60039967,  -0.092907131, -0.092907071, -0.50749254, -0.78621376,
                -0.69330668, -0.97202802, -1.107892,    -1.6653347,   -1.5224775,  -2.3586414,
                0.87912083,  -0.84315687, -0.092907131, -0.092907131, -1.0649351,  0.65734261,
                2.7512488,   0.47152847,  1.7792208,    1.2217782,    0.8071928,   1.972028});
}

TEST(GridSampleGolden, affine_volume) {
  const Tensors out = run(
      AffineGrid{}, {pattern(DType::f32, {1, 3, 4}, 1), Tensor::of<int64_t>({5}, {1, 1, 2, 2, 3})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 2, 3, 3},
               {0.13702965,  2.385781,    -0.70146531,  -0.13936067, 1.8616383,  -0.13936067,
                -0.41575095, 1.3374958,   0.42274392,   -0.37046283, 1.50666,    0.048784494,
                -0.64685309, 0.98251748,  0.61088908,   -0.9232434,  0.45837492, 1.1729937,
                -0.46336997, 1.413753,    -0.044122577, -0.73976028, 0.88961041, 0.51798201,
                -1.0161505,  0.36546785,  1.0800866,    -0.97086239, 0.53463209, 0.70612717,
                -1.2472527,  0.010489523, 1.2682317,    -1.523643,   -0.5136531, 1.8303363});
}

}  // namespace
}  // namespace tenrec
