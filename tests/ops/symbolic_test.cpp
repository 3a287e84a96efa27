// SPDX-License-Identifier: Apache-2.0
// Inference of the heavy operators on sizes that are still symbols.
#include <gtest/gtest.h>

#include <bit>

#include "ops/attention.h"
#include "ops/conv.h"
#include "ops/conv_transpose.h"
#include "ops/non_max_suppression.h"
#include "ops/pool.h"
#include "ops/reduce.h"
#include "ops/resize.h"
#include "ops/topk.h"

namespace tenrec {
namespace {

Dim named(const char* name, int64_t lower = 1) { return Dim::fresh(name, lower); }
Type f32(Shape shape) { return Type::tensor(DType::f32, std::move(shape)); }
Type ints(std::vector<Dim> values) {
  const Dim count(static_cast<int64_t>(values.size()));
  return Type::tensor(DType::i64, {count}).with_known_ints(std::move(values));
}

// What a symbolic size gives for one value of the only symbol in it.
int64_t at(const Dim& dim, int64_t value) {
  return dim.evaluate([&](const Symbol&) { return value; });
}

TEST(Symbolic, ConvSizes) {
  const Dim height = named("H");
  const Types in{f32({named("N"), 3, height, 32}), f32({8, 3, 3, 3})};
  const Conv conv{.pads = {1, 1, 1, 1}, .strides = {2, 2}};
  const Shape out = conv.infer(in)[0].shape;
  EXPECT_EQ(out[0], in[0].shape[0]);
  EXPECT_EQ(out[1], Dim(8));
  EXPECT_EQ(at(out[2], 7), 4);
  EXPECT_EQ(at(out[2], 8), 4);
  EXPECT_EQ(out[3], Dim(16));
  const Conv same{.auto_pad = AutoPad::same_upper, .strides = {2, 2}};
  EXPECT_EQ(same.infer(in)[0].shape[2], ceildiv(height, 2));
}

TEST(Symbolic, ConvKeepsASizeItPadsBack) {
  const Dim height = named("H");
  const Types in{f32({1, 3, height, height}), f32({8, 3, 3, 3})};
  EXPECT_EQ((Conv{.pads = {1, 1, 1, 1}}.infer(in)[0].shape[2]), height);
}

TEST(Symbolic, ConvErrorsNameBothSides) {
  const Types in{f32({1, 4, 8, 8}), f32({8, 3, 3, 3})};
  try {
    Conv{}.infer(in);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_model);
    EXPECT_NE(std::string(error.what()).find("takes 3 channels, the input f32[1, 4, 8, 8] has 4"),
              std::string::npos)
        << error.what();
  }
  EXPECT_THROW(Conv{}.infer({f32({1, 3, 2, 2}), f32({8, 3, 3, 3})}), Error);
  const Conv no_stride{.strides = {0, 1}};
  EXPECT_THROW(no_stride.infer({f32({1, 3, 8, 8}), f32({8, 3, 3, 3})}), Error);
}

TEST(Symbolic, ConvTransposeDoubles) {
  const Dim height = named("H");
  const ConvTranspose up{.strides = {2, 2}};
  const Shape out = up.infer({f32({1, 4, height, 5}), f32({4, 2, 2, 2})})[0].shape;
  EXPECT_EQ(out[2], height * 2);
  EXPECT_EQ(out[3], Dim(10));
}

TEST(Symbolic, CeilModeNeverStartsAWindowInThePadding) {
  const Dim length = named("L");
  const MaxPool pool{.ceil_mode = true, .kernel_shape = {1}, .strides = {2}};
  const Dim out = pool.infer({f32({1, 1, length})})[0].shape[2];
  for (int64_t n = 1; n < 9; ++n) EXPECT_EQ(at(out, n), (n + 1) / 2) << n;
}

TEST(Symbolic, ReduceFollowsValues) {
  const Dim a = named("a");
  const Dim b = named("b");
  const Type values = ints({a, b, 3});
  const Type product = Reduce{.kind = ReduceKind::prod, .keepdims = false}.infer({values})[0];
  ASSERT_NE(product.known_ints(), nullptr);
  EXPECT_EQ((*product.known_ints())[0], a * b * 3);
  const Type greatest = Reduce{.kind = ReduceKind::max}.infer({values})[0];
  ASSERT_NE(greatest.known_ints(), nullptr);
  EXPECT_EQ(at((*greatest.known_ints())[0].substitute({{a.as_symbol().get(), b}}), 2), 3);
}

TEST(Symbolic, ReduceOverUnknownAxes) {
  const Type axes = Type::tensor(DType::i64, {1});
  const Type x = f32({2, 3, 4});
  EXPECT_EQ(Reduce{}.infer({x, axes})[0].rank(), 3);
  EXPECT_EQ(Reduce{.keepdims = false}.infer({x, axes})[0].rank(), 2);
  EXPECT_FALSE(
      Reduce{.keepdims = false}.infer({x, Type::tensor(DType::i64, {named("k")})})[0].ranked);
}

TEST(Symbolic, ResizeByARunTimeScale) {
  auto symbol = std::make_shared<Symbol>();
  symbol->name = "ratio";
  symbol->is_float = true;
  const Dim height = named("H");
  const Type x = f32({1, 3, height, 1920});
  const Type scales = f32({4}).with_known_floats({{1, {}}, {1, {}}, {0, symbol}, {0, symbol}});
  const Shape out = Resize{.mode = ResizeMode::linear}.infer({x, Type{}, scales})[0].shape;
  EXPECT_EQ(out[0], Dim(1));
  const auto value_of = [&](float ratio) {
    return [&, ratio](const Symbol& s) {
      return s.is_float ? static_cast<int64_t>(std::bit_cast<uint32_t>(ratio)) : int64_t{1080};
    };
  };
  // The product is rounded to float32 first: 1080 * 0.35 is 378, not 377.
  EXPECT_EQ(out[2].evaluate(value_of(0.35F)), 378);
  EXPECT_EQ(out[2].evaluate(value_of(0.45F)), 486);
  EXPECT_EQ(out[3].evaluate(value_of(0.7F)), 1344);
}

TEST(Symbolic, ResizeByNumbersAndSizes) {
  const Dim height = named("H");
  const Type x = f32({1, 3, height, 1080});
  const Type scales = f32({4}).with_known_floats({{1, {}}, {1, {}}, {2, {}}, {0.35F, {}}});
  const Shape out = Resize{}.infer({x, Type{}, scales})[0].shape;
  EXPECT_EQ(at(out[2], 13), 26);
  EXPECT_EQ(out[3], Dim(378));
  const Dim wanted = named("wanted");
  const Shape sized = Resize{}.infer({x, Type{}, Type{}, ints({1, 3, wanted, 7})})[0].shape;
  EXPECT_EQ(sized, (Shape{1, 3, wanted, 7}));
}

TEST(Symbolic, DataDependentSizesAreBounded) {
  const Types topk = TopK{}.infer({f32({2, 9}), Type::tensor(DType::i64, {1})});
  EXPECT_EQ(topk[0].shape[0], Dim(2));
  EXPECT_EQ(topk[0].shape[1].upper(), 9);
  EXPECT_EQ(topk[0].shape, topk[1].shape);
  const Types selected = NonMaxSuppression{}.infer({f32({2, 10, 4}), f32({2, 3, 10}), ints({4})});
  EXPECT_EQ(selected[0].shape[0].upper(), 24);
  EXPECT_EQ(selected[0].shape[1], Dim(3));
}

TEST(Symbolic, AttentionAppendsToItsCache) {
  const Dim past = named("past");
  const Type q = f32({1, 4, 1, 8});
  const Type kv = f32({1, 2, 1, 8});
  const Type cache = f32({1, 2, past, 8});
  const Types out = Attention{.outputs = 3}.infer({q, kv, kv, Type{}, cache, cache});
  EXPECT_EQ(out[0].shape, q.shape);
  EXPECT_EQ(out[1].shape[2], past + 1);
}

}  // namespace
}  // namespace tenrec
