// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/roi.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(RoiGolden, align_half_pixel_avg) {
  const Tensors out = run(RoiAlign{.half_pixel = true,
                                   .maximum = false,
                                   .output_height = 2,
                                   .output_width = 3,
                                   .sampling_ratio = 2,
                                   .spatial_scale = 0.9F},
                          {pattern(DType::f32, {1, 2, 6, 7}, 1),
                           Tensor::of<float>({2, 4}, {0.5, 1.0, 5.0, 4.5, 1.0, 0.0, 6.5, 3.0}),
                           Tensor::of<int64_t>({2}, {0, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 2, 3},
               {0.54970342,  0.42427886,  0.29885426,  -0.11191641,  -0.23734096, -0.36276558,
                0.1946889,   0.52417892,  0.39875436,  -0.070639133, -0.13744088, -0.26286548,
                -0.18229277, -0.33558947, -0.48888615, 0.48081926,   0.32752258,  0.17422587,
                -0.13046351, -0.23568937, -0.38898605, 0.49161237,   0.42742267,  0.27412599});
}

TEST(RoiGolden, align_half_pixel_max) {
  const Tensors out = run(RoiAlign{.half_pixel = true,
                                   .maximum = true,
                                   .output_height = 2,
                                   .output_width = 3,
                                   .sampling_ratio = 2,
                                   .spatial_scale = 0.9F},
                          {pattern(DType::f32, {1, 2, 6, 7}, 1),
                           Tensor::of<float>({2, 4}, {0.5, 1.0, 5.0, 4.5, 1.0, 0.0, 6.5, 3.0}),
                           Tensor::of<int64_t>({2}, {0, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 2, 3},
               {0.6441586,  0.40941358, 0.51524371, 0.13431451, 0.085958704, 0.10913274,
                0.72048074, 0.46392938, 0.59354824, 0.17784266, 0.096690118, 0.12454697,
                0.35109571, 0.24003278, 0.25673002, 0.55661535, 0.38053989,  0.40701112,
                0.39269474, 0.27651191, 0.30216897, 0.62256503, 0.43837267,  0.47904852});
}

TEST(RoiGolden, align_output_half_pixel_avg) {
  const Tensors out = run(RoiAlign{.half_pixel = false,
                                   .maximum = false,
                                   .output_height = 2,
                                   .output_width = 3,
                                   .sampling_ratio = 2,
                                   .spatial_scale = 0.9F},
                          {pattern(DType::f32, {1, 2, 6, 7}, 1),
                           Tensor::of<float>({2, 4}, {0.5, 1.0, 5.0, 4.5, 1.0, 0.0, 6.5, 3.0}),
                           Tensor::of<int64_t>({2}, {0, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 2, 3},
               {0.38442817, 0.25900361, 0.13357902,  0.016705066, -0.10871949,   -0.23414412,
                0.40925172, 0.35890371, 0.23347911,  0.046843797, -0.0088194311, -0.13424402,
                0.32433194, 0.17103526, 0.017738536, 0.10919096,  -0.04410575,   -0.19740245,
                0.42423207, 0.2709353,  0.11763866,  0.20909104,  0.055794343,   -0.097502351});
}

TEST(RoiGolden, align_output_half_pixel_max) {
  const Tensors out = run(RoiAlign{.half_pixel = false,
                                   .maximum = true,
                                   .output_height = 2,
                                   .output_width = 3,
                                   .sampling_ratio = 2,
                                   .spatial_scale = 0.9F},
                          {pattern(DType::f32, {1, 2, 6, 7}, 1),
                           Tensor::of<float>({2, 4}, {0.5, 1.0, 5.0, 4.5, 1.0, 0.0, 6.5, 3.0}),
                           Tensor::of<int64_t>({2}, {0, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 2, 3},
               {0.46894017, 0.45700762, 0.33385471, 0.46155471, 0.45292538, 0.33767182,
                0.5245018,  0.51786083, 0.39294404, 0.51318276, 0.50947034, 0.39257783,
                0.63900197, 0.62478364, 0.28520092, 0.20221587, 0.19771639, 0.090253487,
                0.72408879, 0.7197355,  0.34562486, 0.22914208, 0.22776446, 0.109375});
}

TEST(RoiGolden, align_adaptive) {
  const Tensors out = run(RoiAlign{.output_height = 2, .output_width = 2},
                          {pattern(DType::f32, {1, 2, 6, 7}, 1),
                           Tensor::of<float>({2, 4}, {0.5, 1.0, 5.0, 4.5, 1.0, 0.0, 6.5, 3.0}),
                           Tensor::of<int64_t>({2}, {0, 0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 2, 2},
               {0.52513111, 0.31609017, 0.012331407, -0.19670956, 0.39053917, 0.41599023,
                -0.005014509, -0.096809447, -0.16670829, -0.4222028, 0.27410087, 0.018606374,
                -0.075493068, -0.3223027, 0.36531612, 0.11850649});
}

TEST(RoiGolden, max_pool) {
  const Tensors out =
      run(MaxRoiPool{.pooled_shape = {2, 2}, .spatial_scale = 0.5F},
          {pattern(DType::f32, {2, 2, 6, 7}, 1),
           Tensor::of<float>({2, 5}, {0.0, 1.0, 2.0, 9.0, 8.0, 1.0, 0.0, 0.0, 4.0, 11.0})});
  ASSERT_GE(out.size(), 1U);
  expect_close(
      out[0], {2, 2, 2, 2},
      {0.84315681, 0.65734267, 0.89310688, 0.70729274, 0.94305694, 0.75724274, 0.993007, 0.8071928,
       0.48551449, 0.95004994, 0.53546453, 1.0, 0.58541459, 0.49250749, 0.63536465, 0.54245752});
}

}  // namespace
}  // namespace tenrec
