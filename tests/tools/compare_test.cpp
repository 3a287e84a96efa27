// SPDX-License-Identifier: Apache-2.0
#include "compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tenrec {
namespace {

Tensor floats(const std::vector<float>& values) {
  return Tensor::of<float>({static_cast<int64_t>(values.size())}, values);
}
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Compare, FloatsByTheLargestValue) {
  const Difference difference = compare(floats({1, -100}), floats({1.01F, -100}));
  EXPECT_NEAR(difference.absolute, 0.01, 1e-6);
  EXPECT_EQ(difference.magnitude, 100);
  EXPECT_NEAR(difference.relative(), 1e-4, 1e-8);
  EXPECT_TRUE(difference.tolerable());  // 2e-4 * 100
  EXPECT_FALSE(compare(floats({1, -100}), floats({1.03F, -100})).tolerable());
  EXPECT_TRUE(compare(floats({0, 1e-7F}), floats({0, 0})).tolerable());
  EXPECT_FALSE(compare(floats({0, 1e-5F}), floats({0, 0})).tolerable());
}

TEST(Compare, NanAndInfinity) {
  EXPECT_TRUE(compare(floats({NAN, kInfinity, 1}), floats({NAN, kInfinity, 1})).tolerable());
  EXPECT_FALSE(compare(floats({NAN, 1}), floats({1, 1})).reason.empty());
  EXPECT_FALSE(compare(floats({1, 1}), floats({NAN, 1})).tolerable());
  EXPECT_FALSE(compare(floats({kInfinity, 1}), floats({-kInfinity, 1})).tolerable());
  EXPECT_FALSE(compare(floats({kInfinity, 1}), floats({5, 1})).tolerable());
  EXPECT_FALSE(compare(floats({5, 1}), floats({kInfinity, 1})).tolerable());
}

TEST(Compare, EverythingElseExactly) {
  const Tensor a = Tensor::of<int64_t>({2}, {1, int64_t{1} << 60});
  const Tensor b = Tensor::of<int64_t>({2}, {1, (int64_t{1} << 60) + 1});
  EXPECT_TRUE(compare(a, a).tolerable());
  EXPECT_EQ(compare(a, b).different, 1U);
  EXPECT_FALSE(compare(a, b).tolerable());
  const Tensor text = Tensor::of_strings({2}, {"a", "b"});
  EXPECT_TRUE(compare(text, text).tolerable());
  EXPECT_FALSE(compare(text, Tensor::of_strings({2}, {"a", "c"})).tolerable());
}

TEST(Compare, TypesAndShapes) {
  EXPECT_FALSE(compare(floats({1}), floats({1, 1})).tolerable());
  EXPECT_FALSE(compare(floats({1}), Tensor::of<double>({1}, {1})).tolerable());
  EXPECT_NE(compare(floats({1}), floats({1, 1})).str().find("f32[2]"), std::string::npos);
}

}  // namespace
}  // namespace tenrec
