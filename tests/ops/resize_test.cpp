// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/resize.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(ResizeGolden, nearest_half_pixel_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::half_pixel, .mode = ResizeMode::nearest},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.41458541, -0.41458541, -0.50749248, -0.50749248, -0.50749248, -0.60039961, -0.60039961,
       -0.69330668, -0.69330668, -0.78621382, -0.78621382, -0.78621382, -0.87912089, -0.87912089,
       0.75024974,  0.75024974,  0.65734267,  0.65734267,  0.65734267,  0.56443554,  0.56443554});
}

TEST(ResizeGolden, nearest_pytorch_half_pixel_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::pytorch_half_pixel, .mode = ResizeMode::nearest},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.41458541, -0.41458541, -0.50749248, -0.50749248, -0.50749248, -0.60039961, -0.60039961,
       -0.69330668, -0.69330668, -0.78621382, -0.78621382, -0.78621382, -0.87912089, -0.87912089,
       0.75024974,  0.75024974,  0.65734267,  0.65734267,  0.65734267,  0.56443554,  0.56443554});
}

TEST(ResizeGolden, nearest_align_corners_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::align_corners, .mode = ResizeMode::nearest},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.41458541, -0.41458541, -0.50749248, -0.50749248, -0.50749248, -0.60039961, -0.60039961,
       -0.69330668, -0.69330668, -0.78621382, -0.78621382, -0.78621382, -0.87912089, -0.87912089,
       0.75024974,  0.75024974,  0.65734267,  0.65734267,  0.65734267,  0.56443554,  0.56443554});
}

TEST(ResizeGolden, nearest_asymmetric_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::asymmetric, .mode = ResizeMode::nearest},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.41458541, -0.41458541, -0.50749248, -0.50749248, -0.60039961, -0.60039961, -0.60039961,
       -0.69330668, -0.69330668, -0.78621382, -0.78621382, -0.87912089, -0.87912089, -0.87912089,
       0.75024974,  0.75024974,  0.65734267,  0.65734267,  0.56443554,  0.56443554,  0.56443554});
}

TEST(ResizeGolden, linear_half_pixel_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::half_pixel, .mode = ResizeMode::linear},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.46103895, -0.47431138, -0.51412868, -0.55394602, -0.59376335, -0.63358068,   -0.64685315,
       -0.83266735, -0.70301121, -0.31404305, 0.074925065, 0.035107747, -0.0047095716, -0.017982036,
       0.46320334,  0.49757379,  0.600685,    0.70379627,  0.66397893,  0.6241616,     0.61088908});
}

TEST(ResizeGolden, linear_pytorch_half_pixel_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::pytorch_half_pixel, .mode = ResizeMode::linear},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.46103895, -0.47431138, -0.51412868, -0.55394602, -0.59376335, -0.63358068,   -0.64685315,
       -0.83266735, -0.70301121, -0.31404305, 0.074925065, 0.035107747, -0.0047095716, -0.017982036,
       0.46320334,  0.49757379,  0.600685,    0.70379627,  0.66397893,  0.6241616,     0.61088908});
}

TEST(ResizeGolden, linear_align_corners_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::align_corners, .mode = ResizeMode::linear},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.41458541, -0.44555444, -0.47652346, -0.50749248, -0.53846157, -0.56943059, -0.60039961,
       -0.83266735, -0.53013647, -0.22760576, 0.074925065, 0.043956012, 0.012986988, -0.017982036,
       0.75024974,  0.71928066,  0.6883117,   0.65734267,  0.62637365,  0.59540462,  0.56443554});
}

TEST(ResizeGolden, linear_asymmetric_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::asymmetric, .mode = ResizeMode::linear},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.41458541, -0.45440271, -0.49422005, -0.53403741, -0.57385474, -0.60039961, -0.60039961,
       -0.78621376, -0.54017407, -0.29413438, -0.23866606, -0.27848333, -0.30502826, -0.30502826,
       0.1761573,   0.42219692,  0.66823649,  0.72370487,  0.68388748,  0.65734261,  0.65734261});
}

TEST(ResizeGolden, cubic_half_pixel_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::half_pixel, .mode = ResizeMode::cubic},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.4357928, -0.46397355, -0.5140543,  -0.57739502, -0.6297971, -0.66073573,  -0.68045962,
       -1.1399976, -0.88653409, -0.37510988, 0.074925058, 0.1508669,  0.0076271258, -0.028139479,
       0.47319448, 0.52715987,  0.64085078,  0.72724521,  0.71227676, 0.64858341,   0.62418061});
}

TEST(ResizeGolden, cubic_pytorch_half_pixel_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::pytorch_half_pixel, .mode = ResizeMode::cubic},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.4357928, -0.46397355, -0.5140543,  -0.57739502, -0.6297971, -0.66073573,  -0.68045962,
       -1.1399976, -0.88653409, -0.37510988, 0.074925058, 0.1508669,  0.0076271258, -0.028139479,
       0.47319448, 0.52715987,  0.64085078,  0.72724521,  0.71227676, 0.64858341,   0.62418061});
}

TEST(ResizeGolden, cubic_align_corners_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::align_corners, .mode = ResizeMode::cubic},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.41458541, -0.43867233, -0.46792111, -0.50749248, -0.54706383, -0.57631242, -0.60039961,
       -1.0202609,  -0.67031866, -0.25953317, 0.074925058, 0.16736396,  0.072110377, -0.017982028,
       0.75024974,  0.72616261,  0.69691449,  0.65734267,  0.61777097,  0.58852237,  0.56443554});
}

TEST(ResizeGolden, cubic_asymmetric_sizes) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::asymmetric, .mode = ResizeMode::cubic},
          {pattern(DType::f32, {1, 1, 4, 3}, 1), Tensor(), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 3, 7},
      {-0.41458541, -0.44627681, -0.48893803, -0.54216343, -0.57994926, -0.60771275, -0.60771281,
       -0.90770358, -0.62825805, -0.3306134,  -0.21314538, -0.29954681, -0.35972017, -0.35972014,
       0.19256645,  0.47201192,  0.76965618,  0.88712436,  0.80072314,  0.74054921,  0.74054903});
}

TEST(ResizeGolden, nearest_round_prefer_floor) {
  const Tensors out = run(Resize{.coordinate = ResizeCoordinate::half_pixel,
                                 .nearest = ResizeNearest::round_prefer_floor},
                          {pattern(DType::f32, {1, 1, 4, 5}, 1), Tensor(),
                           Tensor::of<float>({4}, {1.0, 1.0, 0.60000002, 1.7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 8},
               {-0.41458541, -0.41458541, -0.50749248, -0.60039961, -0.60039961, -0.69330668,
                -0.69330668, -0.78621382, 0.65734267, 0.65734267, 0.56443554, 0.47152847,
                0.47152847, 0.37862137, 0.37862137, 0.2857143});
}

TEST(ResizeGolden, nearest_round_prefer_ceil) {
  const Tensors out = run(Resize{.coordinate = ResizeCoordinate::half_pixel,
                                 .nearest = ResizeNearest::round_prefer_ceil},
                          {pattern(DType::f32, {1, 1, 4, 5}, 1), Tensor(),
                           Tensor::of<float>({4}, {1.0, 1.0, 0.60000002, 1.7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 8},
               {-0.41458541, -0.41458541, -0.50749248, -0.60039961, -0.60039961, -0.69330668,
                -0.69330668, -0.78621382, 0.65734267, 0.65734267, 0.56443554, 0.47152847,
                0.47152847, 0.37862137, 0.37862137, 0.2857143});
}

TEST(ResizeGolden, nearest_floor) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::half_pixel, .nearest = ResizeNearest::floor},
          {pattern(DType::f32, {1, 1, 4, 5}, 1), Tensor(),
           Tensor::of<float>({4}, {1.0, 1.0, 0.60000002, 1.7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 8},
               {-0.41458541, -0.41458541, -0.41458541, -0.50749248, -0.60039961, -0.60039961,
                -0.69330668, -0.69330668, 0.65734267, 0.65734267, 0.65734267, 0.56443554,
                0.47152847, 0.47152847, 0.37862137, 0.37862137});
}

TEST(ResizeGolden, nearest_ceil) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::half_pixel, .nearest = ResizeNearest::ceil},
          {pattern(DType::f32, {1, 1, 4, 5}, 1), Tensor(),
           Tensor::of<float>({4}, {1.0, 1.0, 0.60000002, 1.7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 8},
               {-0.87912089, -0.97202796, -0.97202796, 0.93606395, 0.84315681, 0.84315681,
                0.75024974, 0.75024974, 0.65734267, 0.56443554, 0.56443554, 0.47152847, 0.37862137,
                0.37862137, 0.2857143, 0.2857143});
}

TEST(ResizeGolden, linear_scales) {
  const Tensors out = run(Resize{.mode = ResizeMode::linear},
                          {pattern(DType::f32, {1, 2, 4, 5}, 1), Tensor(),
                           Tensor::of<float>({4}, {1.0, 1.0, 0.69999999, 1.3})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 2, 2, 6},
               {-0.51412874, -0.57487571, -0.4649334,  -0.28902414, -0.3604911, -0.43195814,
                0.10860556,  0.047858655, 0.27874047,  0.61956728,  0.54810023, 0.47663331,
                -0.37127161, -0.43201858, -0.50348556, -0.49249372, -0.2341257, -0.28910097,
                0.25146273,  0.19071579,  0.11924881,  0.18521309,  0.66347122, 0.61949044});
}

TEST(ResizeGolden, cubic_exclude_outside) {
  const Tensors out =
      run(Resize{.cubic_coeff_a = -0.5F, .exclude_outside = true, .mode = ResizeMode::cubic},
          {pattern(DType::f32, {1, 1, 4, 4}, 1), Tensor(),
           Tensor::of<float>({4}, {1.0, 1.0, 1.5, 0.80000001})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 6, 3},
               {-0.39697659, -0.51209843, -0.73197544, -0.69215506, -0.8596155, -0.21979041,
                -0.61413151, -0.81747693, 0.41178659, 0.65739363, 0.52488428, 0.59061176,
                0.73541743, 0.61968315, 0.40986714, 0.44023889, 0.31933194, 0.19448014});
}

TEST(ResizeGolden, crop) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::tf_crop_and_resize,
                 .extrapolation_value = 9,
                 .mode = ResizeMode::linear},
          {pattern(DType::f32, {1, 1, 4, 4}, 1),
           Tensor::of<float>({8}, {0.0, 0.0, 0.40000001, 0.60000002, 1.0, 1.0, 1.2, 1.7}), Tensor(),
           Tensor::of<int64_t>({4}, {1, 1, 3, 3})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 3, 3}, {-0.62757236, 9.0, 9.0, 0.5272727, 9.0, 9.0, 9.0, 9.0, 9.0});
}

TEST(ResizeGolden, linear_antialias) {
  const Tensors out = run(Resize{.antialias = true, .mode = ResizeMode::linear},
                          {pattern(DType::f32, {1, 1, 7, 6}, 1), Tensor(),
                           Tensor::of<float>({4}, {1.0, 1.0, 0.60000002, 0.5})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 4, 3},
               {-0.30650598, -0.1055195, -0.27972037, 0.19112831, 0.23926075, 0.06505993,
                -0.31193811, -0.36107647, 0.21509731, 0.3526473, 0.20971213, 0.22310513});
}

TEST(ResizeGolden, cubic_antialias) {
  const Tensors out = run(Resize{.antialias = true, .mode = ResizeMode::cubic},
                          {pattern(DType::f32, {1, 1, 7, 6}, 1), Tensor(),
                           Tensor::of<float>({4}, {1.0, 1.0, 0.60000002, 0.5})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 4, 3},
               {-0.28058487, 0.02603657, -0.22334254, 0.27798548, 0.39316806, 0.065792851,
                -0.37784919, -0.52906197, 0.26338172, 0.41817325, 0.2486534, 0.27218959});
}

TEST(ResizeGolden, axes_not_larger) {
  const Tensors out = run(
      Resize{.axes = {2, 3},
             .keep_aspect_ratio_policy = ResizeAspect::not_larger,
             .mode = ResizeMode::linear},
      {pattern(DType::f32, {1, 1, 4, 5}, 1), Tensor(), Tensor(), Tensor::of<int64_t>({2}, {8, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 6, 7},
               {-0.41458541, -0.46767518, -0.53403735,  -0.60039961,  -0.66676182,  -0.73312402,
                -0.78621382, -0.68003422, -0.73312402,  -0.47279254,  0.27757949,   0.21121727,
                0.14485505,  0.091765314, -0.44013134,  -0.4932211,   -0.15121615,  0.80333954,
                0.73697728,  0.67061508,  0.61752528,   0.65734267,   0.60425287,   0.53789067,
                0.47152847,  0.40516624,  0.33880407,   0.2857143,    0.32553154,   0.2724418,
                0.20607957,  0.13971736,  0.073355153,  0.0069929324, -0.046096817, 0.1928072,
                0.13971743,  0.073355213, 0.0069930069, -0.059369214, -0.12573141,  -0.17882118});
}

TEST(ResizeGolden, axes_not_smaller) {
  const Tensors out = run(
      Resize{.axes = {3, 2}, .keep_aspect_ratio_policy = ResizeAspect::not_smaller},
      {pattern(DType::f32, {1, 1, 4, 5}, 1), Tensor(), Tensor(), Tensor::of<int64_t>({2}, {6, 7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 7, 9},
               {-0.41458541,  -0.41458541,  -0.50749248,  -0.50749248,  -0.60039961,  -0.69330668,
                -0.69330668,  -0.78621382,  -0.78621382,  -0.41458541,  -0.41458541,  -0.50749248,
                -0.50749248,  -0.60039961,  -0.69330668,  -0.69330668,  -0.78621382,  -0.78621382,
                -0.87912089,  -0.87912089,  -0.97202796,  -0.97202796,  0.93606395,   0.84315681,
                0.84315681,   0.75024974,   0.75024974,   -0.87912089,  -0.87912089,  -0.97202796,
                -0.97202796,  0.93606395,   0.84315681,   0.84315681,   0.75024974,   0.75024974,
                0.65734267,   0.65734267,   0.56443554,   0.56443554,   0.47152847,   0.37862137,
                0.37862137,   0.2857143,    0.2857143,    0.1928072,    0.1928072,    0.099900097,
                0.099900097,  0.0069930069, -0.085914083, -0.085914083, -0.17882118,  -0.17882118,
                0.1928072,    0.1928072,    0.099900097,  0.099900097,  0.0069930069, -0.085914083,
                -0.085914083, -0.17882118,  -0.17882118});
}

TEST(ResizeGolden, half_pixel_symmetric) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::half_pixel_symmetric, .mode = ResizeMode::linear},
          {pattern(DType::f32, {1, 1, 4, 5}, 1), Tensor(),
           Tensor::of<float>({4}, {1.0, 1.0, 2.3, 0.69999999})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {1, 1, 9, 3},
      {-0.46767518, -0.60039961, -0.73312402,  -0.55856252, -0.29978716,  -0.43251157, -0.76053452,
       0.36824048,  0.23551606,  -0.83200651,  0.90576816,  0.77304369,   -0.1639789,  0.70379621,
       0.5710718,   0.50404871,  0.50182426,   0.36909983,  0.43257672,   0.29985231,  0.16712788,
       0.23060474,  0.097880304, -0.034844112, 0.13971743,  0.0069930069, -0.12573141});
}

TEST(ResizeGolden, opset_10) {
  const Tensors out =
      run(Resize{.coordinate = ResizeCoordinate::asymmetric, .nearest = ResizeNearest::legacy},
          {pattern(DType::f32, {1, 1, 4, 5}, 1), Tensor(),
           Tensor::of<float>({4}, {1.0, 1.0, 0.60000002, 1.7})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {1, 1, 2, 8},
               {-0.41458541, -0.41458541, -0.50749248, -0.50749248, -0.60039961, -0.60039961,
                -0.69330668, -0.78621382, 0.65734267, 0.65734267, 0.56443554, 0.56443554,
                0.47152847, 0.47152847, 0.37862137, 0.2857143});
}

}  // namespace
}  // namespace tenrec
