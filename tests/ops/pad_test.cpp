// SPDX-License-Identifier: Apache-2.0
// Expected numbers are numpy's (pad, tile, broadcast_to, triu, tril, cumsum, arange).
#include "ops/pad.h"

#include <gtest/gtest.h>

#include "ops/constant_of_shape.h"
#include "ops/cum_sum.h"
#include "ops/expand.h"
#include "ops/eye_like.h"
#include "ops/movement.h"
#include "ops/range.h"
#include "ops/tile.h"
#include "ops/trilu.h"

namespace tenrec {
namespace {

using Ints = std::vector<int64_t>;
Tensor tensor(const Dims& dims, const Ints& values, DType dtype = DType::i64) {
  return Tensor::from_ints(dtype, dims, values);
}
Tensor vector(const Ints& values) { return tensor({static_cast<int64_t>(values.size())}, values); }
Ints padded(const std::string& mode, const Tensor& x, const Ints& pads) {
  return Pad{mode}.eval({x, vector(pads)})[0].to_ints();
}

TEST(Pad, Modes) {
  EXPECT_EQ(
      padded("wrap", tensor({2, 3}, {1, 2, 3, 4, 5, 6}), {1, 2, 1, 2}),
      (Ints{5, 6, 4, 5, 6, 4, 5, 2, 3, 1, 2, 3, 1, 2, 5, 6, 4, 5, 6, 4, 5, 2, 3, 1, 2, 3, 1, 2}));
  EXPECT_EQ(padded("reflect", vector({1, 2, 3, 4}), {3, 4}),
            (Ints{4, 3, 2, 1, 2, 3, 4, 3, 2, 1, 2}));
  EXPECT_EQ(padded("edge", vector({1, 2, 3}), {2, 2}), (Ints{1, 1, 1, 2, 3, 3, 3}));
  EXPECT_EQ(padded("constant", vector({1, 2, 3, 4}), {-1, 2}), (Ints{2, 3, 4, 0, 0}));
  EXPECT_EQ((Pad{}.eval({vector({1}), vector({1, 1}), tensor({}, {7})})[0].to_ints()),
            (Ints{7, 1, 7}));
  const Tensor axes = Pad{}.eval({tensor({1, 2}, {1, 2}), vector({1, 0}), {}, vector({-1})})[0];
  EXPECT_EQ(axes.to_ints(), (Ints{0, 1, 2}));
  EXPECT_THROW(padded("constant", vector({1, 2}), {-2, -1}), Error);
}

TEST(Pad, SymbolicSizes) {
  const Dim h = Dim::fresh("h", 1);
  const Type pads = Type::tensor(DType::i64, {2}).with_known_ints({1, h * 0 + 2});
  EXPECT_EQ((Pad{}.infer({Type::tensor(DType::f32, {h}), pads})[0].shape), (Shape{h + 3}));
  const Type unknown = Type::tensor(DType::i64, {2});
  EXPECT_EQ((Pad{}.infer({Type::tensor(DType::f32, {h}), unknown})[0].rank()), 1);
}

TEST(Expand, RepeatsAndTiles) {
  EXPECT_EQ(Expand{}.eval({tensor({2, 1}, {1, 2}), vector({1, 3})})[0].to_ints(),
            (Ints{1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(Expand{}.eval({tensor({2}, {1, 2}), vector({2, 1})})[0].to_ints(), (Ints{1, 2, 1, 2}));
  EXPECT_EQ(Tile{}.eval({tensor({2, 2}, {0, 1, 2, 3}), vector({2, 2})})[0].to_ints(),
            (Ints{0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3}));
  const Dim n = Dim::fresh("n", 1);
  const Type target = Type::tensor(DType::i64, {2}).with_known_ints({n, 1});
  EXPECT_EQ((Expand{}.infer({Type::tensor(DType::f32, {1, 4}), target})[0].shape), (Shape{n, 4}));
  EXPECT_EQ((Tile{}.infer({Type::tensor(DType::f32, {3, 4}), target})[0].shape), (Shape{n * 3, 4}));
}

TEST(Range, SizesAndValues) {
  const Dim n = Dim::fresh("n", 0);
  const auto scalar = [](const Dim& value) {
    return Type::tensor(DType::i64, {}).with_known_ints({value});
  };
  EXPECT_EQ((Range{}.infer({scalar(0), scalar(n), scalar(1)})[0].shape), (Shape{n}));
  EXPECT_EQ((Range{}.infer({scalar(0), scalar(n * 4), scalar(2)})[0].shape), (Shape{n * 2}));
  EXPECT_EQ(*(Range{}.infer({scalar(n), scalar(n + 3), scalar(1)})[0].known_ints()),
            (std::vector<Dim>{n, n + 1, n + 2}));
  EXPECT_EQ((Range{}.eval({tensor({}, {10}), tensor({}, {4}), tensor({}, {-2})})[0].to_ints()),
            (Ints{10, 8, 6}));
  const Tensors floats{Tensor::scalar(1.F), Tensor::scalar(2.F), Tensor::scalar(0.3F)};
  EXPECT_EQ(Range{}.eval(floats)[0].elements(), 4U);
}

TEST(Fill, ConstantOfShapeIsKnown) {
  const Type target = Type::of_constant(vector({2, 1}));
  const Type out = ConstantOfShape{vector({-1})}.infer({target})[0];
  EXPECT_EQ(*out.known_ints(), (std::vector<Dim>{-1, -1}));
  EXPECT_EQ((ConstantOfShape{vector({3})}.eval({vector({2})})[0].to_ints()), (Ints{3, 3}));
  EXPECT_EQ(ConstantOfShape{}.eval({vector({})})[0].dtype(), DType::f32);
}

TEST(Fill, TrianglesAndRunningSums) {
  const Tensor x = tensor({3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_EQ((Trilu{true}.eval({x, tensor({}, {1})})[0].to_ints()),
            (Ints{0, 1, 2, 3, 0, 0, 6, 7, 0, 0, 0, 11}));
  EXPECT_EQ((Trilu{false}.eval({x, tensor({}, {-1})})[0].to_ints()),
            (Ints{0, 0, 0, 0, 4, 0, 0, 0, 8, 9, 0, 0}));
  const Tensor y = tensor({2, 3}, {1, 2, 3, 4, 5, 6}, DType::f32);
  EXPECT_EQ((CumSum{}.eval({y, tensor({}, {1})})[0].to_ints()), (Ints{1, 3, 6, 4, 9, 15}));
  EXPECT_EQ((CumSum{true, true}.eval({y, tensor({}, {1})})[0].to_ints()),
            (Ints{5, 3, 0, 11, 6, 0}));
  EXPECT_EQ((EyeLike{DType::i32, 1}.eval({y})[0].to_ints()), (Ints{0, 1, 0, 0, 0, 1}));
}

}  // namespace
}  // namespace tenrec
