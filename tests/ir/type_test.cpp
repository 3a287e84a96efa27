// SPDX-License-Identifier: Apache-2.0
#include "ir/type.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tenrec {
namespace {

const Dim n = Dim::fresh("N", 1), h = Dim::fresh("H", 1), big = Dim::fresh("B", 2);

std::string message_of(auto&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Type, Text) {
  EXPECT_EQ(Type().str(), "none");
  EXPECT_EQ(Type::tensor(DType::f32, {n, 3, 2 * h}).str(), "f32[N, 3, 2*H]");
  EXPECT_EQ(Type::tensor(DType::i64, {}).str(), "i64[]");
  EXPECT_EQ(Type::sequence_of(Type::unranked(DType::f32)).str(), "seq(f32[?])");
  EXPECT_EQ(Type::optional_of(Type::tensor(DType::boolean, {1})).str(), "optional(bool[1])");
  EXPECT_EQ(Type::map_of(DType::string, Type::tensor(DType::f32, {})).str(), "map(string, f32[])");
}

TEST(Type, EqualityIgnoresTheValue) {
  const Type type = Type::tensor(DType::i64, {2});
  EXPECT_EQ(type, type.with_known_ints({n, 3}));
  EXPECT_NE(type, Type::tensor(DType::i32, {2}));
  EXPECT_NE(type, Type::tensor(DType::i64, {n}));
  EXPECT_NE(type, Type::unranked(DType::i64));
  EXPECT_EQ(Type::sequence_of(type), Type::sequence_of(type));
  EXPECT_NE(Type::sequence_of(type), Type::optional_of(type));
  EXPECT_NE(Type::sequence_of(type), Type::sequence_of(Type()));
  Type blocked = type;
  blocked.layout.channels_last = true;
  EXPECT_NE(blocked, type);
}

TEST(Type, ConstantsAreKnown) {
  const Type ints = Type::of_constant(Tensor::of<int64_t>({3}, {1, -1, 7}));
  EXPECT_EQ(ints.str(), "i64[3]");
  ASSERT_NE(ints.known_ints(), nullptr);
  EXPECT_EQ(ints.constant_ints(), (std::vector<int64_t>{1, -1, 7}));
  EXPECT_EQ(ints.known_floats(), nullptr);
  EXPECT_EQ(Type::of_constant(Tensor::of<int32_t>({}, {5})).constant_ints(),
            std::vector<int64_t>{5});
  EXPECT_EQ(Type::of_constant(Tensor::of<uint8_t>({1}, {255})).constant_ints(),
            std::vector<int64_t>{255});
  EXPECT_EQ(Type::of_constant(Tensor::of<bool>({2}, {true, false})).constant_ints(),
            (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(Type::of_constant(Tensor::of<uint64_t>({1}, {UINT64_MAX})).known_ints(), nullptr);
  EXPECT_EQ(Type::of_constant(Tensor::of<int64_t>({0}, {})).constant_ints(),
            std::vector<int64_t>{});

  const Type floats = Type::of_constant(Tensor::of<float>({2}, {1, 0.35F}));
  ASSERT_NE(floats.known_floats(), nullptr);
  EXPECT_EQ((*floats.known_floats())[1], (Scale{0.35F, nullptr}));
  EXPECT_EQ(floats.constant_ints(), std::nullopt);
  EXPECT_EQ(Type::of_constant(Tensor::of<double>({1}, {1})).known, nullptr);

  const auto at_limit = static_cast<int64_t>(max_known_elements);
  EXPECT_NE(Type::of_constant(Tensor(DType::i64, {at_limit})).known, nullptr);
  EXPECT_EQ(Type::of_constant(Tensor(DType::i64, {at_limit + 1})).known, nullptr);
}

TEST(Type, KnownSymbolsAreNotConstant) {
  const Type type = Type::tensor(DType::i64, {2}).with_known_ints({n, 3});
  EXPECT_EQ(*type.known_ints(), (std::vector<Dim>{n, 3}));
  EXPECT_EQ(type.constant_ints(), std::nullopt);
  EXPECT_EQ(Type::tensor(DType::i64, {2}).constant_ints(), std::nullopt);
  const Type scale = Type::tensor(DType::f32, {1}).with_known_floats({{0, n.as_symbol()}});
  EXPECT_EQ(scale.known_floats()->at(0).symbol, n.as_symbol());
}

TEST(Type, Rank) {
  EXPECT_EQ(Type::tensor(DType::f32, {n, 3}).rank(), 2);
  EXPECT_EQ(message_of([] { return Type::unranked(DType::f32).rank(); }),
            "a tensor of known rank is needed here, the value is f32[?]");
  EXPECT_TRUE(Type::tensor(DType::f32, {2, 3}).is_static());
  EXPECT_FALSE(Type::tensor(DType::f32, {n, 3}).is_static());
  EXPECT_FALSE(Type::unranked(DType::f32).is_static());
}

TEST(Type, NormaliseAxis) {
  EXPECT_EQ(normalise_axis(-1, 4), 3);
  EXPECT_EQ(normalise_axis(-4, 4), 0);
  EXPECT_EQ(normalise_axis(3, 4), 3);
  EXPECT_EQ(message_of([] { return normalise_axis(4, 4); }),
            "axis 4 is out of range for a tensor of rank 4: expected -4 to 3");
  EXPECT_THROW(normalise_axis(0, 0), Error);
}

TEST(Type, BroadcastShapes) {
  EXPECT_EQ(broadcast_shapes({n, 1, h}, {3, 1}), (Shape{n, 3, h}));
  EXPECT_EQ(broadcast_shapes({}, {n, 2}), (Shape{n, 2}));
  EXPECT_EQ(broadcast_shapes({n, 2}, {}), (Shape{n, 2}));
  EXPECT_EQ(broadcast_shapes({h}, {7}), (Shape{7}));
  EXPECT_EQ(broadcast_shapes({h}, {big}), (Shape{big}));
  EXPECT_EQ(broadcast_shapes({h}, {n}), (Shape{broadcast(h, n)}));
  EXPECT_EQ(broadcast_shapes({0}, {1}), (Shape{0}));
  EXPECT_EQ(
      message_of([] { return broadcast_shapes({n, 3}, {4}); }),
      "shapes [N, 3] and [4] do not broadcast: aligned at the right, sizes must be equal or one "
      "of them 1");
  EXPECT_EQ(broadcast_dims({2, 1, 4}, {3, 1}), (Dims{2, 3, 4}));
  EXPECT_EQ(broadcast_dims({1}, {0}), Dims{0});
  EXPECT_THROW(broadcast_dims({2}, {3}), Error);
}

}  // namespace
}  // namespace tenrec
