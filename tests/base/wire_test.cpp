// SPDX-License-Identifier: Apache-2.0
#include "base/wire.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/dtype.h"

namespace tenrec {
namespace {

struct Fraction {  // a type without fields, as Dim and Tensor are
  int64_t over = 0, under = 1;
  friend bool operator==(const Fraction&, const Fraction&) = default;
};

enum class Colour : uint8_t { red = 0, green = 1, blue = 2 };
bool is_valid(Colour colour) { return colour <= Colour::blue; }

}  // namespace

template <>
struct WireCodec<Fraction> {
  static std::string encode(const Fraction& f) { return fmt::format("{}/{}", f.over, f.under); }
  static Fraction decode(std::string_view text) {
    Fraction f;
    TENREC_CHECK(std::sscanf(std::string(text).c_str(), "%ld/%ld", &f.over, &f.under) == 2,
                 invalid_engine, "\"{}\" is no fraction", text);
    return f;
  }
};

namespace {

struct Inner {
  int32_t a = -1;
  std::string text = "default";
  static auto fields(auto& s) { return std::tuple{field(1, "a", s.a), field(2, "text", s.text)}; }
};

struct Everything {
  bool flag = false;
  int32_t small = 7;
  int64_t big = 0;
  uint64_t huge = 0;
  uint8_t tiny = 0;
  float f = 0;
  double d = 0;
  Colour colour = Colour::green;
  DType dtype = DType::f32;
  std::string text;
  std::vector<int64_t> ints = {1, 2};
  std::vector<bool> flags;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<Colour> colours;
  std::vector<std::string> texts;
  Inner inner;
  std::vector<Inner> inners;
  std::vector<Everything> children;
  std::optional<int64_t> maybe_int;
  std::optional<std::string> maybe_text;
  std::optional<std::vector<int64_t>> maybe_ints;
  std::optional<Inner> maybe_inner;
  std::vector<std::vector<int64_t>> table;
  Fraction fraction;
  std::vector<Fraction> fractions;
  static auto fields(auto& s) {
    return std::tuple{field(1, "flag", s.flag),
                      field(2, "small", s.small),
                      field(3, "big", s.big),
                      field(4, "huge", s.huge),
                      field(5, "tiny", s.tiny),
                      field(6, "f", s.f),
                      field(7, "d", s.d),
                      field(8, "colour", s.colour),
                      field(9, "dtype", s.dtype),
                      field(10, "text", s.text),
                      field(11, "ints", s.ints),
                      field(12, "flags", s.flags),
                      field(13, "floats", s.floats),
                      field(14, "doubles", s.doubles),
                      field(15, "colours", s.colours),
                      field(16, "texts", s.texts),
                      field(17, "inner", s.inner),
                      field(18, "inners", s.inners),
                      field(19, "children", s.children),
                      field(20, "maybe_int", s.maybe_int),
                      field(21, "maybe_text", s.maybe_text),
                      field(22, "maybe_ints", s.maybe_ints),
                      field(23, "maybe_inner", s.maybe_inner),
                      field(24, "table", s.table),
                      field(25, "fraction", s.fraction),
                      field(26, "fractions", s.fractions)};
  }
};

Everything full() {
  Everything e;
  e.flag = true;
  e.small = -5;
  e.big = INT64_MIN;
  e.huge = UINT64_MAX;
  e.tiny = 255;
  e.f = -0.0F;
  e.d = 0.1;
  e.colour = Colour::red;
  e.dtype = DType::i4;
  e.text = std::string("a\0b", 3);
  e.ints = {-1, 0, INT64_MAX};
  e.flags = {true, false, true};
  e.floats = {1.5F, -2.0F};
  e.doubles = {0.1, -1e300};
  e.colours = {Colour::blue, Colour::red};
  e.texts = {"", "x"};
  e.inner = {.a = 0, .text = ""};
  e.inners = {{}, {.a = 9, .text = "nine"}};
  e.children.resize(2);
  e.children[1].ints = {};
  e.maybe_int = 0;
  e.maybe_text = "";
  e.maybe_ints = std::vector<int64_t>{};
  e.maybe_inner = Inner{};
  e.table = {{}, {1, -2}};
  e.fraction = {.over = 1, .under = 2};
  e.fractions = {{}, {.over = 3, .under = 4}};
  return e;
}

std::string message_of(std::string_view bytes) {
  try {
    (void)decode<Everything>(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_engine);
    return error.what();
  }
  return "no error";
}

TEST(Wire, defaults_take_no_bytes) {
  EXPECT_EQ(encode(Everything{}), "");
  EXPECT_TRUE(wire::same(decode<Everything>(""), Everything{}));
}

TEST(Wire, everything_round_trips) {
  const std::string bytes = encode(full());
  const Everything back = decode<Everything>(bytes);
  EXPECT_TRUE(wire::same(back, full()));
  EXPECT_TRUE(std::signbit(back.f));
  EXPECT_TRUE(back.children[1].ints.empty());
  EXPECT_TRUE(back.maybe_ints.has_value());
  EXPECT_EQ(encode(back), bytes);
}

// Bytes worked out by hand from the protobuf encoding guide.
TEST(Wire, is_plain_protobuf) {
  Inner inner{.a = 150, .text = "testing"};
  EXPECT_EQ(encode(inner), std::string("\x08\x96\x01\x12\x07testing"));
  Everything e;
  e.ints = {3, 270, 86942};
  EXPECT_EQ(encode(e), std::string("\x5a\x06\x03\x8e\x02\x9e\xa7\x05"));
  e = {};
  e.small = -2;
  EXPECT_EQ(encode(e), std::string("\x10\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
}

TEST(Wire, unpacked_numbers_and_unknown_fields) {
  std::string bytes;
  ProtobufWriter writer(bytes);
  writer.varint(11, 5);
  writer.varint(11, static_cast<uint64_t>(-6));
  writer.bytes(1000, "from the future");
  EXPECT_EQ(decode<Everything>(bytes).ints, (std::vector<int64_t>{5, -6}));
}

TEST(Wire, errors_name_the_field) {
  EXPECT_EQ(message_of("\x0a\x01x"),
            "decoding flag (field 1) at byte 1: field 1 holds a length-delimited value where a "
            "integer one is expected; the data is damaged");
  EXPECT_EQ(message_of("\x08\x02"),
            "decoding flag (field 1) at byte 1: 2 is no truth value; the data is damaged");
  EXPECT_EQ(message_of("\x28\x80\x02"),
            "decoding tiny (field 5) at byte 1: 256 is out of range; the data is damaged");
  EXPECT_EQ(message_of("\x10\xff\xff\xff\xff\x0f"),
            "decoding small (field 2) at byte 1: 4294967295 is out of range; the data is damaged");
  EXPECT_EQ(message_of("\x40\x03"),
            "decoding colour (field 8) at byte 1: 3 is not one of the values known here; the data "
            "is damaged");
  EXPECT_EQ(message_of("\x48\x1b").substr(0, 24), "decoding dtype (field 9)");
  EXPECT_EQ(message_of("\x92\x01\x02\x08\x01\x92\x01\x03\x12\x09x").substr(0, 33),
            "decoding inners[1].text (field 2)");
  EXPECT_EQ(message_of("\xca\x01\x01x"), "decoding fraction (field 25): \"x\" is no fraction");
}

TEST(Wire, depth_and_memory_are_limited) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    std::string outer;
    ProtobufWriter(outer).bytes(19, bytes);
    bytes = outer;
  }
  EXPECT_NE(message_of(bytes).find("nested more than 64 deep"), std::string::npos);
  std::string many;
  for (int i = 0; i < 1000; ++i) ProtobufWriter(many).bytes(19, "");
  EXPECT_EQ(decode<Everything>(many).children.size(), 1000U);
  EXPECT_THROW(decode<Everything>(many, {.memory = 1000}), Error);
}

TEST(Wire, damage_never_crashes) {
  const std::string bytes = encode(full());
  for (size_t size = 0; size < bytes.size(); ++size) {
    try {
      (void)decode<Everything>(std::string_view(bytes).substr(0, size));
    } catch (const Error&) {
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bad = bytes;
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
      bad[random() % bad.size()] ^= static_cast<char>(1 << random() % 8);
    }
    try {
      (void)decode<Everything>(bad);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_engine);
    }
  }
}

}  // namespace
}  // namespace tenrec
