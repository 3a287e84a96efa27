// SPDX-License-Identifier: Apache-2.0
// Expected numbers are numpy's, on arange(24).reshape(2, 3, 4).
#include "ops/slice.h"

#include <gtest/gtest.h>

#include <limits>

#include "ops/movement.h"
#include "ops/split.h"

namespace tenrec {
namespace {

using Ints = std::vector<int64_t>;
constexpr int64_t huge = std::numeric_limits<int64_t>::max();
constexpr int64_t tiny = std::numeric_limits<int64_t>::min();

Tensor vector(const Ints& values) {
  return Tensor::of({static_cast<int64_t>(values.size())}, values);
}
Tensor block() { return Tensor::from_ints(DType::f32, {2, 3, 4}, even_offsets(24, 1)); }
Ints sliced(const Ints& starts, const Ints& ends, const Ints& axes, const Ints& steps) {
  return Slice{}
      .eval({block(), vector(starts), vector(ends), vector(axes), vector(steps)})[0]
      .to_ints();
}
Dim count(const Dim& size, const Dim& start, const Dim& end, int64_t step = 1) {
  return slice_range(size, start, end, step)->count;
}

TEST(Slice, MatchesNumpy) {
  EXPECT_EQ(sliced({-1, 1}, {tiny, huge}, {1, 2}, {-1, 2}),
            (Ints{9, 11, 5, 7, 1, 3, 21, 23, 17, 19, 13, 15}));
  EXPECT_EQ(sliced({-1, 0, -3}, {huge, 2, huge}, {0, 1, 2}, {1, 1, 1}),
            (Ints{13, 14, 15, 17, 18, 19}));
  EXPECT_EQ(sliced({5}, {9}, {1}, {1}), Ints{});
}

TEST(Slice, SizesStaySimple) {
  const Dim n = Dim::fresh("n", 1);
  EXPECT_EQ(count(n, 0, huge), n);
  EXPECT_EQ(count(n, 0, std::numeric_limits<int32_t>::max()), n);
  EXPECT_EQ(count(n, 0, n), n);
  EXPECT_EQ(count(n, -1, huge), Dim(1));
  EXPECT_EQ(count(n + 3, 1, -1), n + 1);
  EXPECT_EQ(count(n * 2, 0, n), n);
  EXPECT_EQ(count(n, -1, tiny, -1), n);
  EXPECT_EQ(count(n * 2, 0, huge, 2), n);
  EXPECT_EQ(count(n * 2, 1, huge, 2), n);
  EXPECT_EQ(count(Dim(10), 8, 2, -3), Dim(2));
  EXPECT_EQ(count(Dim(10), -100, 3), Dim(3));
  // The last 5 of n: no more than there are.
  EXPECT_EQ(count(n, -5, huge), min(Dim(5), n));
  EXPECT_FALSE(slice_range(n, Dim(0), n - 3, 1).has_value());  // of either sign: only running tells
}

TEST(Slice, FollowsKnownValues) {
  const Dim n = Dim::fresh("n", 1);
  const Type shape = Type::tensor(DType::i64, {4}).with_known_ints({n, 3, n * 2, 5});
  const auto constant = [](const Ints& values) { return Type::of_constant(vector(values)); };
  const Type last = Slice{}.infer({shape, constant({-2}), constant({huge}), constant({0})})[0];
  ASSERT_NE(last.known_ints(), nullptr);
  EXPECT_EQ(*last.known_ints(), (std::vector<Dim>{n * 2, 5}));
  const Type back =
      Slice{}.infer({shape, constant({-1}), constant({tiny}), constant({0}), constant({-1})})[0];
  EXPECT_EQ(*back.known_ints(), (std::vector<Dim>{5, n * 2, 3, n}));
}

TEST(Slice, BoundsOfUnknownValueGiveABoundedSize) {
  const Types in{Type::tensor(DType::f32, {8, 3}), Type::tensor(DType::i64, {1}),
                 Type::tensor(DType::i64, {1})};
  const Type out = Slice{}.infer(in)[0];
  EXPECT_EQ(out.shape[0].upper(), 8);
  EXPECT_FALSE(out.shape[0].is_const());
  EXPECT_EQ(out.shape[1], Dim(3));
}

TEST(Split, BySizesAndByNumber) {
  const Tensor x = Tensor::from_ints(DType::i32, {2, 5}, even_offsets(10, 1));
  const Tensors parts = Split{1, 2}.eval({x, vector({2, 3})});
  EXPECT_EQ(parts[0].to_ints(), (Ints{0, 1, 5, 6}));
  EXPECT_EQ(parts[1].to_ints(), (Ints{2, 3, 4, 7, 8, 9}));
  const Tensors chunks = Split{1, 3}.eval({x});
  EXPECT_EQ(chunks[2].to_ints(), (Ints{4, 9}));
  EXPECT_THROW((Split{1, 2, true}.eval({x})), Error);
  EXPECT_THROW((Split{1, 2}.eval({x, vector({2, 2})})), Error);
}

TEST(Split, SymbolicPiecesAreEqual) {
  const Dim c = Dim::fresh("c", 1);
  const Types halves = Split{1, 2}.infer({Type::tensor(DType::f32, {1, c * 2})});
  EXPECT_EQ(halves[0].shape, (Shape{1, c}));
  EXPECT_EQ(halves[1].shape, (Shape{1, c}));
  const Types even = Split{0, 3, true}.infer({Type::tensor(DType::f32, {c})});
  EXPECT_EQ(even[0].shape, even[2].shape);
}

}  // namespace
}  // namespace tenrec
