// SPDX-License-Identifier: Apache-2.0
// Expected numbers are numpy's (fft.fft, fft.rfft, fft.irfft, blackman).
#include "ops/spectrum.h"

#include <gtest/gtest.h>

#include "ops/signal_window.h"

namespace tenrec {
namespace {

void expect_near(const Tensor& got, const std::vector<double>& expected, double tolerance = 1e-12) {
  const std::vector<double> values = got.to_doubles();
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(values[i], expected[i], tolerance) << i;
}

Tensor signal(const std::vector<double>& values) {
  return Tensor::from_doubles(DType::f64, {1, static_cast<int64_t>(values.size()), 1}, values);
}
Tensor length(int64_t n) { return Tensor::scalar(n); }

TEST(Dft, MatchesNumpy) {
  const Tensor x = signal({1, 2, -1, 3, 0.5});
  expect_near(Dft{}.eval({x})[0], {5.5, 0, 0.15450849718747373, 0.9245562347271623,
                                   -0.4045084971874737, -4.685903943619324, -0.4045084971874737,
                                   4.685903943619324, 0.15450849718747373, -0.9245562347271623});
  expect_near(Dft{false, true}.eval({x, length(6)})[0],
              {5.5, 0, -0.75, -0.4330127018922192, 3.25, -3.031088913245535, -4.5, 0});
}

TEST(Dft, InverseGoesBack) {
  const Tensor x = signal({1, 2, -1, 3});
  const Tensor half = Dft{false, true}.eval({x})[0];
  const Tensor back = Dft{true, true}.eval({half, length(4)})[0];
  EXPECT_EQ(back.dims(), (Dims{1, 4, 1}));
  expect_near(back, {1, 2, -1, 3});
  expect_near(Dft{true, false}.eval(Dft{}.eval({x}))[0], {1, 0, 2, 0, -1, 0, 3, 0});
}

TEST(Dft, AlongAnotherAxis) {
  // Two columns; the transform runs over the rows.
  const Tensor x = Tensor::from_doubles(DType::f64, {2, 2, 1}, std::vector<double>{1, 10, 3, 30});
  expect_near(Dft{}.eval({x, {}, Tensor::scalar(int64_t{0})})[0], {4, 0, 40, 0, -2, 0, -20, 0});
}

TEST(Dft, SymbolicSizes) {
  const Dim n = Dim::fresh("n", 1);
  const Type x = Type::tensor(DType::f32, {1, n, 1});
  EXPECT_EQ((Dft{false, true}.infer({x})[0].shape), (Shape{1, floordiv(n, 2) + 1, 2}));
  const Type step = Type::of_constant(Tensor::scalar(int64_t{160}));
  const Type frame = Type::of_constant(Tensor::scalar(int64_t{512}));
  const Type out = Stft{}.infer({Type::tensor(DType::f32, {2, 16000, 1}), step, Type{}, frame})[0];
  EXPECT_EQ(out.shape, (Shape{2, 97, 257, 2}));
}

TEST(Window, Shapes) {
  const Tensor four = Tensor::scalar(int64_t{4});
  expect_near(HannWindow{DType::f64, true}.eval({four})[0], {0, 0.5, 1, 0.5});
  expect_near(HannWindow{DType::f64, false}.eval({four})[0], {0, 0.75, 0.75, 0});
  expect_near(HammingWindow{DType::f64, true}.eval({four})[0],
              {0.08695652173913043, 0.5434782608695652, 1, 0.5434782608695653});
  expect_near(BlackmanWindow{DType::f64, false}.eval({four})[0], {0, 0.63, 0.63, 0});
  EXPECT_EQ((HannWindow{}.infer({Type::of_constant(four)})[0].shape), (Shape{4}));
}

}  // namespace
}  // namespace tenrec
