// SPDX-License-Identifier: Apache-2.0
#include "ops/reshape.h"

#include <gtest/gtest.h>

#include "ops/concat.h"
#include "ops/flatten.h"
#include "ops/gather.h"
#include "ops/shape.h"
#include "ops/size.h"
#include "ops/squeeze.h"

namespace tenrec {
namespace {

Type ints(std::vector<Dim> values) {
  return Type::tensor(DType::i64, {static_cast<int64_t>(values.size())})
      .with_known_ints(std::move(values));
}
Type index(int64_t value) { return Type::of_constant(Tensor::scalar(value)); }
Type axes(std::vector<int64_t> values) {
  return Type::of_constant(Tensor::of({static_cast<int64_t>(values.size())}, values));
}
Shape reshaped(const Shape& from, std::vector<Dim> target, bool allowzero = false) {
  return Reshape{allowzero}
      .infer({Type::tensor(DType::f32, from), ints(std::move(target))})[0]
      .shape;
}

TEST(Reshape, FindsTheMissingSizeSymbolically) {
  const Dim n = Dim::fresh("n", 1);
  const Dim h = Dim::fresh("h", 1);
  EXPECT_EQ(reshaped({n, 3, h, 8}, {n, -1}), (Shape{n, h * 24}));
  EXPECT_EQ(reshaped({n, 12, h}, {-1, 4, h}), (Shape{n * 3, 4, h}));
  EXPECT_EQ(reshaped({n, h, 768}, {0, 0, 12, -1}), (Shape{n, h, 12, 64}));
  EXPECT_EQ(reshaped({n * 4, h}, {n, -1}), (Shape{n, h * 4}));
  EXPECT_EQ(reshaped({2, 3, 4}, {-1}), (Shape{24}));
  EXPECT_EQ(reshaped({0, 3}, {3, 0}, true), (Shape{3, 0}));
  EXPECT_EQ(reshaped({n, h + 1, 6}, {-1, h + 1, 2}), (Shape{n * 3, h + 1, 2}));
}

TEST(Reshape, RefusesWhatCannotBe) {
  EXPECT_THROW(reshaped({2, 3}, {4, -1}), Error);
  EXPECT_THROW(reshaped({2, 3}, {-1, -1}), Error);
  EXPECT_THROW(reshaped({2, 3}, {7}), Error);
  EXPECT_THROW(reshaped({2, 3}, {2, 3, 0}), Error);
}

TEST(Reshape, TargetOfUnknownValueKeepsItsRank) {
  const Types in{Type::tensor(DType::f32, {2, 3}), Type::tensor(DType::i64, {3})};
  EXPECT_EQ(Reshape{}.infer(in)[0].rank(), 3);
  const Types flat{Type::tensor(DType::f32, {2, 3}), Type::tensor(DType::i64, {1})};
  EXPECT_EQ(Reshape{}.infer(flat)[0].shape, (Shape{6}));
  EXPECT_EQ(Reshape{}.infer(in)[0].shape[0].upper(), 6);
  // Without elements every size is possible: [0, 3] may become [100, 0].
  const Types empty{Type::tensor(DType::f32, {0, 3}), Type::tensor(DType::i64, {2})};
  EXPECT_EQ(Reshape{}.infer(empty)[0].shape[0].upper(), Dim::unbounded);
}

TEST(Reshape, Evaluates) {
  const Tensor x = Tensor::of({2, 3}, std::vector<float>{0, 1, 2, 3, 4, 5});
  const Tensor y = Reshape{}.eval({x, Tensor::of({2}, std::vector<int64_t>{-1, 2})})[0];
  EXPECT_EQ(y.dims(), (Dims{3, 2}));
  EXPECT_EQ(y.to_ints(), (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
}

// x.view(x.shape[0], -1, 8), as exporters write it.
TEST(Reshape, FollowsAnExportersChain) {
  const Dim n = Dim::fresh("n", 1);
  const Dim t = Dim::fresh("t", 1);
  const Type x = Type::tensor(DType::f32, {n, t, 32});
  const Type shape = ShapeOf{}.infer({x})[0];
  const Type batch = Gather{}.infer({shape, index(0)})[0];
  const Type vector = Unsqueeze{}.infer({batch, axes({0})})[0];
  const Type target = Concat{}.infer({vector, axes({-1}), axes({8})})[0];
  EXPECT_EQ(Reshape{}.infer({x, target})[0].shape, (Shape{n, t * 4, 8}));
}

TEST(Reshape, ViewsOfOtherKinds) {
  const Dim n = Dim::fresh("n", 2);
  const Type x = Type::tensor(DType::f32, {n, 1, 3, 4});
  EXPECT_EQ((Flatten{2}.infer({x})[0].shape), (Shape{n, 12}));
  EXPECT_EQ((Flatten{0}.infer({x})[0].shape), (Shape{1, n * 12}));
  EXPECT_EQ((Flatten{-1}.infer({x})[0].shape), (Shape{n * 3, 4}));
  EXPECT_EQ((Squeeze{}.infer({x, axes({-3})})[0].shape), (Shape{n, 3, 4}));
  EXPECT_EQ((Squeeze{}.infer({x})[0].shape), (Shape{n, 3, 4}));
  EXPECT_THROW((Squeeze{}.infer({x, axes({2})})), Error);
  EXPECT_EQ((Unsqueeze{}.infer({x, axes({0, -1})})[0].shape), (Shape{1, n, 1, 3, 4, 1}));
  EXPECT_FALSE((Squeeze{}.infer({Type::tensor(DType::f32, {Dim::fresh("m", 1), 3})})[0].ranked));
  EXPECT_EQ(*Size{}.infer({x})[0].known_ints(), (std::vector<Dim>{n * 12}));
  EXPECT_EQ(*(ShapeOf{1, -1}.infer({x})[0].known_ints()), (std::vector<Dim>{1, 3}));
  const Tensor y = Squeeze{}.eval({Tensor(DType::f32, {1, 3, 1})})[0];
  EXPECT_EQ(y.dims(), (Dims{3}));
}

}  // namespace
}  // namespace tenrec
