// SPDX-License-Identifier: Apache-2.0
// Written by tests/ops/make_golden.py; the numbers come from outside.
#include "ops/quantize.h"

#include "common/golden.h"

namespace tenrec {
namespace {

using testing::expect_close;
using testing::pattern;
using testing::run;

TEST(QuantizeGolden, tensor) {
  const Tensors out =
      run(QuantizeLinear{}, {pattern(DType::f32, {2, 9}, 1, -3, 3), Tensor::of<float>({}, {0.02}),
                             Tensor::of<uint8_t>({}, {130})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 9},
               {68.0, 54.0, 40.0, 26.0, 12.0, 0.0, 0.0, 255.0, 255.0, 243.0, 229.0, 215.0, 201.0,
                187.0, 173.0, 159.0, 145.0, 131.0});
}

TEST(QuantizeGolden, half_to_even) {
  const Tensors out =
      run(QuantizeLinear{}, {Tensor::of<float>({7}, {0.5, 1.5, 2.5, -0.5, -1.5, 300.0, -300.0}),
                             Tensor::of<float>({}, {1.0}), Tensor::of<int8_t>({}, {3})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {7}, {3.0, 5.0, 5.0, 3.0, 1.0, 127.0, -128.0});
}

TEST(QuantizeGolden, axis) {
  const Tensors out =
      run(QuantizeLinear{.axis = 0},
          {pattern(DType::f32, {3, 4}, 1, -3, 3), Tensor::of<float>({3}, {0.02, 0.050000001, 0.1}),
           Tensor::of<int8_t>({3}, {1, -2, 3})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {3, 4},
               {-61.0, -75.0, -89.0, -103.0, -49.0, -55.0, -60.0, 54.0, 28.0, 26.0, 23.0, 20.0});
}

TEST(QuantizeGolden, blocks) {
  const Tensors out = run(QuantizeLinear{.axis = 1, .block_size = 2},
                          {pattern(DType::f32, {2, 4}, 1, -3, 3),
                           Tensor::of<float>({2, 2}, {0.02, 0.050000001, 0.1, 0.039999999})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 4}, {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 70.0});
}

TEST(QuantizeGolden, dequantize) {
  const Tensors out =
      run(DequantizeLinear{}, {pattern(DType::u8, {2, 9}, 1, 0, 255), Tensor::of<float>({}, {0.02}),
                               Tensor::of<uint8_t>({}, {130})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 9},
               {-1.12, -1.36, -1.5999999, -1.8199999, -2.0599999, -2.3, -2.54, 2.3199999, 2.0999999,
                1.86, 1.62, 1.38, 1.14, 0.89999998, 0.65999997, 0.44, 0.19999999, -0.039999999});
}

TEST(QuantizeGolden, dequantize_axis) {
  const Tensors out = run(DequantizeLinear{}, {pattern(DType::i8, {2, 3, 2}, 1, -128, 127),
                                               Tensor::of<float>({3}, {0.02, 0.050000001, 0.1}),
                                               Tensor::of<int8_t>({3}, {1, -2, 3})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 3, 2},
               {-1.1, -1.3399999, -3.8, -4.3499999, -10.400001, -11.6, -2.52, 2.3399999, 5.4500003,
                4.8499999, 8.0, 6.8000002});
}

TEST(QuantizeGolden, dequantize_i32) {
  const Tensors out = run(DequantizeLinear{}, {pattern(DType::i32, {5}, 1, -100000, 100000),
                                               Tensor::of<float>({}, {0.003})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {5}, {-124.377, -152.25, -180.12, -207.993, -235.866});
}

TEST(QuantizeGolden, dequantize_blocks) {
  const Tensors out = run(DequantizeLinear{.axis = 0, .block_size = 2},
                          {pattern(DType::i8, {4, 2}, 1, -128, 127),
                           Tensor::of<float>({2, 2}, {0.02, 0.050000001, 0.1, 0.039999999})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {4, 2},
               {-1.0799999, -3.3, -1.5599999, -4.4500003, -10.1, -4.52, -12.5, 4.7199998});
}

TEST(QuantizeGolden, dynamic) {
  const Tensors out = run(DynamicQuantizeLinear{}, {pattern(DType::f32, {3, 4}, 1, -1, 2.5)});
  ASSERT_GE(out.size(), 3U);
  expect_close(out[0], {3, 4},
               {75.0, 62.0, 50.0, 38.0, 25.0, 13.0, 0.0, 255.0, 243.0, 231.0, 218.0, 206.0});
  expect_close(out[1], {}, {0.013094748});
  expect_close(out[2], {}, {73.0});
}

TEST(QuantizeGolden, matmul_integer) {
  const Tensors out =
      run(MatMulInteger{},
          {pattern(DType::u8, {2, 2, 3}, 1, 0, 255), pattern(DType::i8, {3, 4}, 2, -128, 127),
           Tensor::of<uint8_t>({}, {12}), Tensor::of<int8_t>({4}, {1, -2, 3, 4})});
  ASSERT_GE(out.size(), 1U);
  expect_close(out[0], {2, 2, 4},
               {-3260.0, -4572.0, -7122.0, -9010.0, -180.0, -582.0, -1347.0, -1905.0, -24119.0,
                -27928.0, -35544.0, -41377.0, -16372.0, -21558.0, -31707.0, -39257.0});
}

}  // namespace
}  // namespace tenrec
