// SPDX-License-Identifier: Apache-2.0
#include "ir/dim.h"

#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"

namespace tenrec {

void PrintTo(const Dim& dim, std::ostream* out) { *out << dim.str(); }

namespace {

Dim bits(float scale) { return static_cast<int64_t>(std::bit_cast<uint32_t>(scale)); }

SymbolRef float_symbol(std::string name) {
  auto symbol = std::make_shared<Symbol>();
  symbol->name = std::move(name);
  symbol->is_float = true;
  return symbol;
}

int64_t at(const Dim& dim, const std::vector<std::pair<Dim, int64_t>>& values) {
  return dim.evaluate([&](const Symbol& symbol) -> int64_t {
    for (const auto& [name, value] : values) {
      if (name.as_symbol().get() == &symbol) return value;
    }
    ADD_FAILURE() << symbol.name;
    return 0;
  });
}

struct DimTest : testing::Test {
  Dim n = Dim::fresh("N", 1), c = Dim::fresh("C", 1), h = Dim::fresh("H", 1),
      w = Dim::fresh("W", 1);
  Dim x = Dim::fresh("x", INT64_MIN), y = Dim::fresh("y", INT64_MIN);
};

TEST_F(DimTest, SumsAndProductsHaveOneForm) {
  EXPECT_EQ(h + w, w + h);
  EXPECT_EQ((h + w) * (h - w), h * h - w * w);
  EXPECT_EQ(h - h, Dim(0));
  EXPECT_EQ((h + 1) * 2 - 2, 2 * h);
  EXPECT_EQ(n * c * h, h * (n * c));
  EXPECT_EQ((h * w - w * h + 3).value(), 3);
  EXPECT_EQ(((h + 1) * 0).value(), 0);
  EXPECT_NE(h, w);
  EXPECT_NE(h, Dim::fresh("H", 1)) << "symbols are identities";
  EXPECT_EQ((h + w).hash(), (w + h).hash());
  EXPECT_EQ((2 * h).kind(), Dim::Kind::mul);
  EXPECT_EQ((h + 1).kind(), Dim::Kind::add);
  EXPECT_EQ((2 * h + 1).operands(), (std::vector<Dim>{2 * h, 1}));
  EXPECT_EQ((2 * h * w).operands(), (std::vector<Dim>{2, h, w}));
}

TEST_F(DimTest, DivisionSplitsMultiples) {
  EXPECT_EQ(floordiv(4 * h + 6, 4), h + 1);
  EXPECT_EQ(floordiv(4 * h + 6, 2), 2 * h + 3);
  EXPECT_EQ(floordiv(2 * h + 3, 2), h + 1);
  EXPECT_EQ(floordiv(floordiv(h, 2), 3), floordiv(h, 6));
  EXPECT_EQ(floordiv(floordiv(h - 1, 2), 2), floordiv(h - 1, 4));
  EXPECT_EQ(floordiv(h - 1, 2) + 1, floordiv(h + 1, 2));
  EXPECT_EQ(ceildiv(h, 2), floordiv(h + 1, 2));
  EXPECT_EQ(floordiv(6 * h, 4), h + floordiv(h, 2));
  EXPECT_EQ(floordiv(0 - h, 2), floordiv(h, 2) - h);
  EXPECT_EQ(mod(6 * h, 3), Dim(0));
  EXPECT_EQ(mod(2 * h + 1, 2), Dim(1));
  EXPECT_EQ(mod(mod(h, 12), 4), mod(h, 4));
  EXPECT_EQ(mod(5 * h, 4), mod(h, 4));
  EXPECT_EQ(mod(4 * h + 2, 8), 4 * mod(h, 2) + 2);
  EXPECT_EQ(floordiv(mod(h, 4), 4), Dim(0));
  EXPECT_EQ(floordiv(Dim(-7), 2).value(), -4);
  EXPECT_EQ(ceildiv(Dim(-7), 2).value(), -3);
  EXPECT_EQ(mod(Dim(-7), 3).value(), 2);
  EXPECT_THROW(floordiv(h, 0), Error);
  EXPECT_THROW(mod(h, -1), Error);
}

// What Reshape's -1 computes.
TEST_F(DimTest, SymbolicDivision) {
  EXPECT_EQ(floordiv(n * c * h * w, n * c), h * w);
  EXPECT_EQ(floordiv(4 * n * h, 2 * n), 2 * h);
  EXPECT_EQ(floordiv(n * (2 * h + 1) * (w + 3), (w + 3) * n), 2 * h + 1);
  EXPECT_EQ(floordiv(h * h - w * w, h + w), h - w);
  EXPECT_EQ(floordiv(n, n), Dim(1));
  EXPECT_EQ(floordiv(n * h + h, n), h + floordiv(h, n));
  EXPECT_EQ(floordiv(3 * n * h, 2 * n), h + floordiv(h, 2));
  EXPECT_EQ(ceildiv(n * h, n), h);
  EXPECT_EQ(mod(n * h, n), Dim(0));
  EXPECT_EQ(mod(h * n + n - 1, n), n - 1);
  const Dim rows = floordiv(h - 1, 2) + 1;
  EXPECT_EQ(floordiv(n * 64 * rows * w, n * rows), 64 * w);
}

TEST_F(DimTest, MinMaxDropTheBeaten) {
  EXPECT_EQ(max(h, h), h);
  EXPECT_EQ(max(h, 0), h);
  EXPECT_EQ(min(h, h + 1), h);
  EXPECT_EQ(max(max(h, w), h), max(w, h));
  EXPECT_EQ(min(min(h, 5), min(7, w)), min(min(w, h), 5));
  EXPECT_EQ(max(h, floordiv(h, 2)), h);
  EXPECT_EQ(max(Dim(3), 5).value(), 5);
  EXPECT_EQ(min(max(h, 0), h), h);
  const Dim three = max(max(n, h), w);
  ASSERT_EQ(three.operands().size(), 2U);
  EXPECT_EQ(max(three.operands()[0], three.operands()[1]), three);
}

TEST_F(DimTest, Broadcast) {
  const Dim big = Dim::fresh("big", 2);
  EXPECT_EQ(broadcast(h, h), h);
  EXPECT_EQ(broadcast(1, h), h);
  EXPECT_EQ(broadcast(h, 1), h);
  EXPECT_EQ(broadcast(big, h), big);
  EXPECT_EQ(broadcast(h, big), big);
  EXPECT_EQ(broadcast(big, 7), Dim(7));
  EXPECT_EQ(broadcast(7, h), Dim(7));
  EXPECT_EQ(broadcast(h, 0), Dim(0));
  EXPECT_EQ(broadcast(h, w), broadcast(w, h));
  EXPECT_EQ(broadcast(h, broadcast(w, h)), broadcast(h, w));
  EXPECT_EQ(broadcast(h, w).kind(), Dim::Kind::broadcast);
  EXPECT_EQ(at(broadcast(h, w), {{h, 1}, {w, 5}}), 5);
  EXPECT_EQ(at(broadcast(h, w), {{h, 5}, {w, 1}}), 5);
  EXPECT_TRUE(provably_ge(broadcast(h, w), h));
  EXPECT_FALSE(provably_ge(h, broadcast(h, w)));
}

// onnxruntime rounds the product to float32: 1080 x 0.35 is 378 there, 377 in doubles.
TEST_F(DimTest, ScaledRoundsAsOnnxruntime) {
  const Dim ratio = Dim::symbol(float_symbol("ratio"));
  const Dim out = scaled(h, ratio);
  const auto size = [&](int64_t height, float r) {
    return at(out, {{h, height}, {ratio, bits(r).value()}});
  };
  EXPECT_EQ(size(1080, 0.35F), 378);
  EXPECT_EQ(size(1920, 0.35F), 672);
  EXPECT_EQ(size(1080, 0.45F), 486);
  EXPECT_EQ(size(1920, 0.45F), 864);
  EXPECT_EQ(size(1080, 0.7F), 756);
  EXPECT_EQ(size(1920, 0.7F), 1344);
  EXPECT_EQ(scaled(1080, bits(0.35F)).value(), 378);
  EXPECT_EQ(out.substitute({{h.as_symbol().get(), 1080}, {ratio.as_symbol().get(), bits(0.35F)}}),
            Dim(378));
  EXPECT_EQ(scaled(h, bits(2)), 2 * h);
  EXPECT_EQ(scaled(h, bits(1)), h);
  EXPECT_EQ(scaled(h, bits(0.25F)), floordiv(h, 4));
  EXPECT_EQ(scaled(x, bits(0.5F)).kind(), Dim::Kind::scaled)
      << "truncates, for negative sizes upwards";
  EXPECT_EQ(out.lower(), 0);
  EXPECT_EQ(scaled(Dim::fresh("s", 10, 20), bits(0.35F)).lower(), 3);
  EXPECT_EQ(scaled(Dim::fresh("s", 10, 20), bits(0.35F)).upper(), 7);
  EXPECT_THROW(size(1080, -1.0F), Error);
  EXPECT_THROW(size(1080, std::numeric_limits<float>::quiet_NaN()), Error);
  EXPECT_THROW(size(1080, std::numeric_limits<float>::infinity()), Error);
}

// RVM: the encoder halves scaled(H, ratio) four times rounding up (strided convolutions), the skip
// pictures are halved by ceil-mode average pools; each decoder stage doubles and is cropped to its
// skip.
TEST_F(DimTest, DecoderCropsAreProved) {
  const Dim ratio = Dim::symbol(float_symbol("ratio"));
  for (const Dim& height : {h, scaled(h, ratio), Dim(2) * h + 1}) {
    std::vector<Dim> features{height}, pools{height};
    for (int i = 0; i < 4; ++i) {
      features.push_back(floordiv(features.back() + 2 - 3, 2) + 1);
      pools.push_back(ceildiv(pools.back(), 2));
    }
    for (size_t i = 0; i < 4; ++i) {
      const Dim doubled = scaled(features[i + 1], bits(2));
      EXPECT_TRUE(provably_ge(doubled, features[i]))
          << doubled.str() << " >= " << features[i].str();
      EXPECT_TRUE(provably_ge(doubled, pools[i])) << doubled.str() << " >= " << pools[i].str();
      EXPECT_EQ(features[i], pools[i]);
      EXPECT_EQ(min(doubled, pools[i]), pools[i]) << "the end of the crop's Slice";
    }
  }
}

TEST_F(DimTest, Proofs) {
  EXPECT_TRUE(provably_ge(2 * ceildiv(x, 2), x));
  EXPECT_TRUE(provably_ge(x, 2 * floordiv(x, 2)));
  EXPECT_FALSE(provably_ge(2 * floordiv(x, 2), x));
  EXPECT_TRUE(provably_ge(h + 31 - mod(h + 31, 32), h));
  EXPECT_TRUE(provably_ge(h, mod(h, 8)));
  EXPECT_TRUE(provably_ge(max(x, y), x));
  EXPECT_TRUE(provably_ge(x, min(x, y)));
  EXPECT_TRUE(provably_ge(max(x, y) + 1, min(x, y)));
  EXPECT_FALSE(provably_ge(min(x, y), x));
  EXPECT_TRUE(provably_ge(3 * n * c, 2 * n * c));
  EXPECT_FALSE(provably_ge(n * c, h));
  EXPECT_TRUE(provably_ge(5, 5));
  EXPECT_FALSE(provably_ge(4, 5));
  EXPECT_FALSE(provably_ge(Dim(INT64_MIN) + x, Dim(INT64_MAX) + y));
}

TEST_F(DimTest, Bounds) {
  const Dim a = Dim::fresh("a", 2, 10), b = Dim::fresh("b", -3, 4);
  const auto expect = [](const Dim& dim, int64_t lower, int64_t upper) {
    EXPECT_EQ(dim.lower(), lower) << dim.str();
    EXPECT_EQ(dim.upper(), upper) << dim.str();
  };
  expect(a + b, -1, 14);
  expect(a - b, -2, 13);
  expect(a * b, -30, 40);
  expect(floordiv(b, 2), -2, 2);
  expect(floordiv(a, b + 4), 0, 10);
  expect(mod(b, 3), 0, 2);
  expect(mod(a, 64), 2, 10);
  expect(max(a, b), 2, 10);
  expect(min(a, b), -3, 4);
  expect(h, 1, Dim::unbounded);
  expect(0 - h, INT64_MIN, -1);
  expect(h * h, 1, Dim::unbounded);
  expect(floordiv(0 - a, 2), -5, -1);
  expect(a - 2 * floordiv(a, 2), 0, 1);
  expect(Dim::fresh("v", 0, INT64_MAX / 2) * 8, 0, Dim::unbounded);
  EXPECT_EQ(floordiv(Dim::fresh("small", 0, 7), 8), Dim(0));
}

TEST_F(DimTest, OverflowIsAnError) {
  const auto code = [](auto&& body) {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("size overflows int64: "), std::string::npos)
          << error.what();
      return error.code();
    }
    return ErrorCode::internal;
  };
  EXPECT_EQ(code([] { return Dim(INT64_MAX) + 1; }), ErrorCode::invalid_model);
  EXPECT_EQ(code([] { return Dim(INT64_MAX) * 2; }), ErrorCode::invalid_model);
  EXPECT_EQ(code([] { return Dim(INT64_MIN) - 1; }), ErrorCode::invalid_model);
  EXPECT_EQ(code([&] { return h * INT64_MAX * 2; }), ErrorCode::invalid_model);
  EXPECT_EQ(code([] { return product({1 << 30, 1 << 30, 1 << 30}); }), ErrorCode::invalid_model);
  EXPECT_EQ(code([&] { return at(h * w, {{h, INT64_MAX}, {w, 2}}); }), ErrorCode::invalid_input);
  EXPECT_EQ(code([&] { return at(h + 1, {{h, INT64_MAX}}); }), ErrorCode::invalid_input);
  EXPECT_EQ(at((h - w) * h, {{h, INT64_MAX}, {w, INT64_MAX}}), 0) << "only the result must fit";
}

TEST_F(DimTest, HostileGrowthIsAnErrorNotACrash) {
  Dim deep = h;
  EXPECT_THROW(for (int i = 0; i < 100000; ++i) deep = floordiv(deep * 3 + 1, n) + mod(deep, w),
               Error);
  Dim tall = h;
  EXPECT_THROW(for (int i = 0; i < 100000; ++i) tall = floordiv(tall + 1, n + 1), Error);
  Dim wide = h + w + n + c + x + y;
  EXPECT_THROW(for (int i = 0; i < 20; ++i) wide = wide * wide, Error);
  EXPECT_EQ(at(deep, {{h, 1}, {w, 3}, {n, 7}}), at(deep, {{h, 1}, {w, 3}, {n, 7}}));
}

TEST_F(DimTest, Text) {
  const Dim ratio = Dim::symbol(float_symbol("ratio"));
  EXPECT_EQ(n.str(), "N");
  EXPECT_EQ((2 * h + 1).str(), "2*H + 1");
  EXPECT_EQ((1 - h).str(), "-H + 1");
  EXPECT_EQ((w - 3 * h - 2).str(), "-3*H + W - 2");
  EXPECT_EQ((n * c * 4 + h).str(), "4*C*N + H");
  EXPECT_EQ(ceildiv(h, 2).str(), "floordiv(H + 1, 2)");
  EXPECT_EQ(scaled(h, ratio).str(), "scaled(H, ratio)");
  EXPECT_EQ(max(max(w, h), 3 * n).str(), "max(H, 3*N, W)");
  EXPECT_EQ(Dim(INT64_MIN).str(), "-9223372036854775808");
  EXPECT_EQ(Dim::fresh("past + 1, [x]").str(), R"("past + 1\x2c \x5bx\x5d")");
  EXPECT_EQ(to_string(Shape{n, 3, 2 * h}), "[N, 3, 2*H]");
}

TEST_F(DimTest, ParseReadsBack) {
  std::map<std::string, SymbolRef, std::less<>> symbols;
  const auto lookup = [&](std::string_view name) {
    auto& entry = symbols[std::string(name)];
    if (!entry) entry = Dim::fresh(std::string(name), 1).as_symbol();
    return entry;
  };
  const Dim odd = Dim::fresh("a \"b\"\\ c, (d)]}", 1), ratio = Dim::symbol(float_symbol("r"));
  for (const Dim& dim : {n, h, odd, ratio, x}) symbols[dim.as_symbol()->name] = dim.as_symbol();
  for (const Dim& dim :
       {n, Dim(7), Dim(INT64_MIN), Dim(INT64_MAX), odd * 2 - 1, floordiv(h - x * n, 3),
        max(max(n, h), x) * h + mod(h, 5), scaled(h, ratio) - 1, broadcast(n, h),
        min(floordiv(h, n), 9), h * INT64_MIN}) {
    EXPECT_EQ(parse_dim(dim.str(), lookup), dim) << dim.str();
  }
  EXPECT_EQ(parse_dim(" ( H+ 1 )*2 - -3 ", lookup), 2 * h + 5);
  EXPECT_EQ(parse_dim("ceildiv(H, 2)", lookup), ceildiv(h, 2));
  for (const char* bad : {"", "H +", "floordiv(H)", "floordiv(H, 1, 2)", "f(H, 1)", "(H", "H H",
                          "\"a", "9223372036854775808", "\"\\q\"", "1 2", "mod(H, 0)"}) {
    EXPECT_THROW(parse_dim(bad, lookup), Error) << bad;
  }
  EXPECT_THROW(parse_dim(std::string(100000, '('), lookup), Error);
}

TEST_F(DimTest, SymbolsOfOneNameKeepTheirOrder) {
  const Dim first = Dim::fresh("k", 1), second = Dim::fresh("k", 1);
  const Dim sum = 2 * second + first;
  EXPECT_EQ(sum.str(), "k + 2*k");
  std::vector<SymbolRef> symbols;
  (sum * h).collect_symbols(symbols);
  ASSERT_EQ(symbols.size(), 3U);
  EXPECT_EQ(symbols[0], h.as_symbol());
  EXPECT_EQ(symbols[1], first.as_symbol());
  EXPECT_EQ(symbols[2], second.as_symbol());
  h.collect_symbols(symbols);
  EXPECT_EQ(symbols.size(), 3U);
}

// Random expressions: built twice, once as a Dim and once as a closure that computes directly.
class RandomDims {
 public:
  using Values = std::vector<int64_t>;
  struct Pair {
    Dim dim;
    std::function<int64_t(const Values&)> direct;
    std::string text{};
  };

  explicit RandomDims(unsigned seed) : random_(seed) {
    for (int i = 0; i < 4; ++i) {
      const int64_t lower = pick(-6, 4);
      symbols_.push_back(
          Dim::fresh(std::string(1, static_cast<char>('p' + i)), lower, lower + pick(0, 40)));
    }
  }

  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

  Values values() {
    Values out;
    for (const Dim& symbol : symbols_) out.push_back(pick(symbol.lower(), symbol.upper()));
    return out;
  }

  Pair expression(int depth) {
    if (depth == 0 || pick(0, 9) == 0) return leaf();
    const Pair a = expression(depth - 1), b = expression(depth - 1);
    const auto both = [&](const Dim& dim, auto combine) -> Pair {
      return {dim,
              [=, this](const Values& v) {
                const int64_t p = a.direct(v), q = b.direct(v);
                large_ |= std::abs(p) > float_exact || std::abs(q) > float_exact;
                return large_ ? 0 : combine(p, q);
              },
              dim.str() + " <- {" + a.text + " | " + b.text + "}"};
    };
    const auto floor_of = [](int64_t p, int64_t q) {
      return static_cast<int64_t>(std::floor(static_cast<double>(p) / static_cast<double>(q)));
    };
    switch (pick(0, 8)) {
      case 0: return both(a.dim + b.dim, std::plus<>());
      case 1: return both(a.dim - b.dim, std::minus<>());
      case 2: return both(a.dim * b.dim, std::multiplies<>());
      case 3: return both(min(a.dim, b.dim), [](int64_t p, int64_t q) { return std::min(p, q); });
      case 4: return both(max(a.dim, b.dim), [](int64_t p, int64_t q) { return std::max(p, q); });
      case 5: {  // a divisor that is always >= 1
        const Dim divisor = max(b.dim, 1);
        return both(floordiv(a.dim, divisor),
                    [=](int64_t p, int64_t q) { return floor_of(p, std::max<int64_t>(q, 1)); });
      }
      case 6: {
        const int64_t k = pick(1, 9);
        if (pick(0, 1))
          return both(ceildiv(a.dim, k), [=](int64_t p, int64_t) { return -floor_of(-p, k); });
        return both(floordiv(a.dim, k), [=](int64_t p, int64_t) { return floor_of(p, k); });
      }
      case 7: {
        const int64_t k = pick(1, 9);
        return both(mod(a.dim, k), [=](int64_t p, int64_t) { return p - k * floor_of(p, k); });
      }
      default: {
        constexpr float scales[] = {0.35F, 0.5F, 2.0F, 1.5F, 0.7F};
        const float scale = scales[pick(0, 4)];
        return both(scaled(a.dim, bits(scale)), [=](int64_t p, int64_t) {
          return static_cast<int64_t>(static_cast<float>(p) * scale);
        });
      }
    }
  }

  std::vector<Dim> symbols_;
  bool large_ = false;  // an operand on the way was too large for the direct computation

 private:
  static constexpr int64_t float_exact = 1 << 20;

  Pair leaf() {
    if (pick(0, 3) == 0) {
      const int64_t value = pick(-5, 12);
      return {value, [=](const Values&) { return value; }, std::to_string(value)};
    }
    const auto index = static_cast<size_t>(pick(0, 3));
    return {symbols_[index], [=](const Values& v) { return v[index]; }, symbols_[index].str()};
  }

  std::mt19937 random_;
};

TEST(DimLaws, RandomExpressions) {
  int proved = 0, compared = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    RandomDims random(seed);
    const auto a = random.expression(static_cast<int>(seed % 5)), b = random.expression(3);
    // A symbol may only be bound to what keeps its bounds.
    const int64_t least = random.symbols_[1].lower(), most = random.symbols_[1].upper();
    const Dim bound = max(min(random.symbols_[2] + 2, most), least);
    const Dim::Binding partial{{random.symbols_[0].as_symbol().get(), random.symbols_[0]},
                               {random.symbols_[1].as_symbol().get(), bound}};
    const Dim substituted = a.dim.substitute(partial);
    std::map<std::string, SymbolRef, std::less<>> names;
    for (const Dim& symbol : random.symbols_) names[symbol.str()] = symbol.as_symbol();
    const auto lookup = [&](std::string_view name) { return names.find(name)->second; };
    ASSERT_EQ(parse_dim(a.dim.str(), lookup), a.dim) << a.dim.str();
    ASSERT_EQ(a.dim.substitute({}), a.dim);
    const bool ge = provably_ge(a.dim, b.dim);
    proved += ge;
    for (int i = 0; i < 20; ++i) {
      const auto values = random.values();
      const auto value_of = [&](const Symbol& symbol) {
        for (size_t s = 0; s < 4; ++s) {
          if (random.symbols_[s].as_symbol().get() == &symbol) return values[s];
        }
        return int64_t{0};
      };
      random.large_ = false;
      const int64_t direct = a.direct(values);
      if (random.large_) continue;
      ++compared;
      ASSERT_EQ(a.dim.evaluate(value_of), direct) << "seed " << seed << ": " << a.text;
      ASSERT_GE(direct, a.dim.lower()) << a.dim.str();
      ASSERT_LE(direct, a.dim.upper()) << a.dim.str();
      if (ge) {
        const int64_t other = b.direct(values);
        ASSERT_TRUE(random.large_ || direct >= other) << a.dim.str() << " >= " << b.dim.str();
      }
      Dim::Binding all;
      for (size_t s = 0; s < 4; ++s) all[random.symbols_[s].as_symbol().get()] = values[s];
      ASSERT_EQ(a.dim.substitute(all), Dim(direct)) << a.dim.str();
      auto shifted = values;
      shifted[1] = std::clamp(values[2] + 2, least, most);
      random.large_ = false;
      const int64_t expected = a.direct(shifted);
      ASSERT_TRUE(random.large_ || substituted.evaluate(value_of) == expected) << a.text;
    }
  }
  EXPECT_GT(proved, 100);
  EXPECT_GT(compared, 40000);
}

// Three sizes that broadcast: each is 1 or the common size.
TEST(DimLaws, BroadcastOfValidSizes) {
  for (const int64_t lower : {0, 1, 2}) {
    const Dim a = Dim::fresh("a"), b = Dim::fresh("b", lower), c = Dim::fresh("c", 1);
    const Dim all = broadcast(broadcast(a, b), c), other = broadcast(c, broadcast(b, a));
    for (const int64_t common : {0, 1, 2, 9}) {
      for (int mask = 0; mask < 8; ++mask) {
        const auto size = [&](int bit) { return mask >> bit & 1 ? common : 1; };
        if (size(1) < b.lower() || size(2) < c.lower()) continue;
        const int64_t expected = mask == 0 ? 1 : common;
        EXPECT_EQ(at(all, {{a, size(0)}, {b, size(1)}, {c, size(2)}}), expected);
        EXPECT_EQ(at(other, {{a, size(0)}, {b, size(1)}, {c, size(2)}}), expected);
        EXPECT_GE(expected, all.lower());
      }
    }
  }
}

// Provably true and false relations among halvings, by exhaustion over small values.
TEST(DimLaws, ProofsOfHalvingsNeverLie) {
  const Dim h = Dim::fresh("H", 1, 64);
  std::vector<Dim> all;
  for (int64_t k : {2, 3, 4, 8}) {
    for (int64_t shift : {-1, 0, 1, 3}) {
      for (int64_t times : {1, 2, 3}) all.push_back(times * floordiv(h + shift, k));
    }
  }
  for (const Dim& a : all) {
    for (const Dim& b : all) {
      if (!provably_ge(a, b)) continue;
      for (int64_t v = 1; v <= 64; ++v)
        ASSERT_GE(at(a - b, {{h, v}}), 0) << a.str() << " " << b.str();
    }
  }
}

TEST(DimSpeed, LongSumsAreCheap) {
  std::vector<Dim> symbols;
  for (int i = 0; i < 50; ++i) symbols.push_back(Dim::fresh("s" + std::to_string(i), 1));
  const auto start = std::chrono::steady_clock::now();
  Dim sum = 0;
  for (int round = 0; round < 100; ++round) {
    sum = 0;
    for (const Dim& symbol : symbols) sum = sum + symbol;
  }
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(sum.operands().size(), 50U);
  RecordProperty("microseconds_per_sum_of_50", std::to_string(took.count() / 100));
  EXPECT_LT(took.count() / 100, 5000) << "microseconds for a sum of 50, also under sanitizers";
}

}  // namespace
}  // namespace tenrec
