// SPDX-License-Identifier: Apache-2.0
#include "base/dtype.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace tenrec {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(Dtype, names_round_trip) {
  for (int i = 0; i <= static_cast<int>(DType::i2); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(parse_dtype(name(dtype)), dtype);
  }
  EXPECT_EQ(name(DType::boolean), "bool");
  EXPECT_EQ(parse_dtype("float"), std::nullopt);
  EXPECT_EQ(name(static_cast<DType>(200)), "invalid");
  EXPECT_FALSE(is_valid(static_cast<DType>(27)));
}

TEST(Dtype, sizes) {
  EXPECT_EQ(byte_size(DType::f32, 3), 12U);
  EXPECT_EQ(byte_size(DType::i4, 3), 2U);
  EXPECT_EQ(byte_size(DType::u2, 5), 2U);
  EXPECT_EQ(byte_size(DType::c128, 2), 32U);
  EXPECT_EQ(byte_size(DType::i4, 0), 0U);
  EXPECT_THROW(byte_size(DType::f64, uint64_t{1} << 62), Error);
  EXPECT_THROW(byte_size(DType::string, 1), Error);
}

TEST(Dtype, classes) {
  EXPECT_TRUE(is_float(DType::bf16));
  EXPECT_TRUE(is_float(DType::f4e2m1));
  EXPECT_FALSE(is_float(DType::c64));
  EXPECT_TRUE(is_integer(DType::u4));
  EXPECT_FALSE(is_integer(DType::boolean));
  EXPECT_TRUE(is_signed(DType::i2));
  EXPECT_FALSE(is_signed(DType::u64));
}

// Expected bits from numpy 2.4 (float16) and ml_dtypes 0.6; all 65,536 halves and a million floats
// were compared with them once, without a difference.
TEST(Dtype, half) {
  const struct {
    float value;
    uint16_t bits;
  } cases[] = {{1.0F, 0x3c00},          {-2.5F, 0xc100},      {65504.0F, 0x7bff},
               {65519.996F, 0x7bff},    {65520.0F, 0x7c00},   {1e30F, 0x7c00},
               {0x1p-14F, 0x0400},      {0x1p-24F, 0x0001},   {0x1p-25F, 0x0000},
               {0x1.8p-25F, 0x0001},    {0x1.8p-24F, 0x0002}, {1.00048828125F, 0x3c00},
               {1.0014648438F, 0x3c02}, {-0.0F, 0x8000},      {-infinity, 0xfc00}};
  for (const auto& [value, bits] : cases) EXPECT_EQ(float_to_half(value), bits) << value;
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(nan))));
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24F);
  EXPECT_EQ(half_to_float(0x83ff), -0x1.ff8p-15F);
  EXPECT_EQ(half_to_float(0x7bff), 65504.0F);
  EXPECT_EQ(half_to_float(0x7c00), infinity);
}

// Rounded to nearest, ties to even, halfway between each two neighbours and next to it.
TEST(Dtype, halves_round_to_even) {
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const double low = half_to_float(static_cast<uint16_t>(bits));
    const double high = half_to_float(static_cast<uint16_t>(bits + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    const std::array values{middle, std::nextafterf(middle, 0), std::nextafterf(middle, 1e6F)};
    std::array<uint16_t, 3> halves{};
    narrow_floats(DType::f16, values, halves.data());
    ASSERT_EQ(halves[0], bits % 2 == 0 ? bits : bits + 1) << middle;
    ASSERT_EQ(halves[1], bits) << middle;
    ASSERT_EQ(halves[2], bits + 1) << middle;
    ASSERT_EQ(float_to_half(-middle), halves[0] | 0x8000) << middle;
  }
}

TEST(Dtype, every_half_round_trips) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = half_to_float(half);
    if (!std::isnan(value)) {
      ASSERT_EQ(float_to_half(value), half);
    }
  }
}

TEST(Dtype, bf16) {
  EXPECT_EQ(float_to_bf16(1.0F), 0x3f80);
  EXPECT_EQ(float_to_bf16(1.00390625F), 0x3f80);  // a tie goes to even
  EXPECT_EQ(float_to_bf16(1.01171875F), 0x3f82);
  EXPECT_EQ(float_to_bf16(3.4e38F), 0x7f80);
  EXPECT_TRUE(std::isnan(bf16_to_float(float_to_bf16(nan))));
}

TEST(Dtype, small_floats_from_ml_dtypes) {
  const struct {
    DType dtype;
    float value;
    uint8_t saturated, unsaturated;
  } cases[] = {
      {DType::f8e4m3fn, 448.0F, 0x7e, 0x7e},
      {DType::f8e4m3fn, 464.0F, 0x7e, 0x7e},
      {DType::f8e4m3fn, 465.0F, 0x7e, 0x7f},
      {DType::f8e4m3fn, -infinity, 0xfe, 0xff},
      {DType::f8e4m3fn, 0x1p-10F, 0x00, 0x00},
      {DType::f8e4m3fn, -0.0F, 0x80, 0x80},
      {DType::f8e4m3fnuz, 241.0F, 0x7f, 0x7f},
      {DType::f8e4m3fnuz, 250.0F, 0x7f, 0x80},
      {DType::f8e4m3fnuz, -0.0F, 0x00, 0x00},
      {DType::f8e5m2, 57344.0F, 0x7b, 0x7b},
      {DType::f8e5m2, 61440.0F, 0x7b, 0x7c},
      {DType::f8e5m2, infinity, 0x7b, 0x7c},
      {DType::f8e5m2fnuz, -1e9F, 0xff, 0x80},
      {DType::f4e2m1, 2.5F, 0x4, 0x4},
      {DType::f4e2m1, 3.5F, 0x6, 0x6},
      {DType::f4e2m1, -100.0F, 0xf, 0xf},
      // onnx.numpy_helper.to_float8e8m0, round_mode "up"
      {DType::f8e8m0, 1.0F, 0x7f, 0x7f},
      {DType::f8e8m0, 1.1F, 0x80, 0x80},
      {DType::f8e8m0, 3.0e38F, 0xfe, 0xff},
      {DType::f8e8m0, 0.0F, 0x00, 0x00},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(float_to_small_float(c.dtype, c.value), c.saturated) << name(c.dtype) << c.value;
    EXPECT_EQ(float_to_small_float(c.dtype, c.value, false), c.unsaturated)
        << name(c.dtype) << c.value;
  }
}

TEST(Dtype, every_small_float_round_trips) {
  for (const DType dtype : {DType::f8e4m3fn, DType::f8e4m3fnuz, DType::f8e5m2, DType::f8e5m2fnuz,
                            DType::f8e8m0, DType::f4e2m1}) {
    for (int bits = 0; bits < (dtype == DType::f4e2m1 ? 16 : 256); ++bits) {
      const float value = small_float_to_float(dtype, static_cast<uint8_t>(bits));
      if (std::isnan(value)) continue;
      ASSERT_EQ(float_to_small_float(dtype, value, false), bits) << name(dtype);
    }
  }
  EXPECT_EQ(small_float_to_float(DType::f4e2m1, 0xd), -3.0F);
  EXPECT_TRUE(std::isnan(small_float_to_float(DType::f8e4m3fnuz, 0x80)));
}

}  // namespace
}  // namespace tenrec
