// SPDX-License-Identifier: Apache-2.0
// Tile loops over f64 and integer registers: plain loops, compiled once per instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/tile_scalar.cpp"
#include "targets/cpu/run/highway_each.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "targets/cpu/run/tile.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace {

template <class T, class R, class Map>
HWY_INLINE void each1(const TileArgs& t, Map&& map) {
  const auto* a = static_cast<const T*>(t.a.data);
  auto* to = static_cast<R*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = static_cast<R>(map(a[i * t.a.step]));
}
template <class T, class R, class Map>
HWY_INLINE void each2(const TileArgs& t, Map&& map) {
  const auto* a = static_cast<const T*>(t.a.data);
  const auto* b = static_cast<const T*>(t.b.data);
  auto* to = static_cast<R*>(t.to);
  if (t.a.step == 1 && t.b.step == 1) {
    for (int i = 0; i < t.n; ++i) to[i] = static_cast<R>(map(a[i], b[i]));
    return;
  }
  for (int i = 0; i < t.n; ++i) to[i] = static_cast<R>(map(a[i * t.a.step], b[i * t.b.step]));
}

#define TENREC_EACH1(fn, R, expression) \
  case Fn::fn:                          \
    return [](const TileArgs& t)        \
               HWY_ATTR { each1<T, R>(t, [](T a) HWY_ATTR { return expression; }); };
#define TENREC_EACH2(fn, R, expression) \
  case Fn::fn:                          \
    return [](const TileArgs& t)        \
               HWY_ATTR { each2<T, R>(t, [](T a, T b) HWY_ATTR { return expression; }); };

template <class T>
void select(const TileArgs& t) {
  const auto* condition = static_cast<const int32_t*>(t.a.data);
  const auto* b = static_cast<const T*>(t.b.data);
  const auto* c = static_cast<const T*>(t.c.data);
  auto* to = static_cast<T*>(t.to);
  for (int i = 0; i < t.n; ++i) {
    to[i] = condition[i * t.a.step] != 0 ? b[i * t.b.step] : c[i * t.c.step];
  }
}

template <class T>
T power(T base, T exponent) {
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0)
      return static_cast<T>(base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0);
  }
  uint64_t result = 1;
  auto b = static_cast<uint64_t>(base);
  for (auto e = static_cast<uint64_t>(exponent); e != 0; e >>= 1, b *= b) {
    if (e & 1) result *= b;
  }
  return static_cast<T>(result);
}
// Division never traps: by 0 it gives 0, by -1 it wraps.
template <class T>
T quotient(T a, T b) {
  using U = std::make_unsigned_t<T>;
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return static_cast<T>(U{0} - static_cast<U>(a));
  }
  return static_cast<T>(a / b);
}
template <class T>
T remainder(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
  }
  return static_cast<T>(a % b);
}
template <class T>
T modulo(T a, T b) {
  const T r = remainder(a, b);
  if constexpr (std::is_signed_v<T>) {
    if (r != 0 && (r < 0) != (b < 0)) return static_cast<T>(r + b);
  }
  return r;
}
template <class T>
T shift_right(T a, T b) {
  constexpr auto bits = static_cast<uint64_t>(sizeof(T) * 8);
  if (static_cast<uint64_t>(b) >= bits) {
    if constexpr (std::is_signed_v<T>) return static_cast<T>(a < 0 ? -1 : 0);
    return 0;
  }
  return static_cast<T>(a >> b);
}
template <class T>
T shift_left(T a, T b) {
  using U = std::make_unsigned_t<T>;
  if (static_cast<uint64_t>(b) >= sizeof(T) * 8) return 0;
  return static_cast<T>(static_cast<U>(a) << b);
}

// Wrap-around arithmetic happens in the unsigned type.
template <class T>
TileFn integer_loop(Fn fn) {
  using U = std::make_unsigned_t<T>;
  switch (fn) {
    case Fn::select:
      return select<T>;
      TENREC_EACH2(add, T, static_cast<U>(a) + static_cast<U>(b))
      TENREC_EACH2(sub, T, static_cast<U>(a) - static_cast<U>(b))
      TENREC_EACH2(mul, T, static_cast<U>(a) * static_cast<U>(b))
      TENREC_EACH2(div, T, quotient(a, b))
      TENREC_EACH2(fmod, T, remainder(a, b))
      TENREC_EACH2(mod, T, modulo(a, b))
      TENREC_EACH2(min, T, b < a ? b : a)
      TENREC_EACH2(max, T, a < b ? b : a)
      TENREC_EACH2(pow, T, power(a, b))
      TENREC_EACH1(neg, T, U{0} - static_cast<U>(a))
      TENREC_EACH1(abs, T, a < T{0} ? U{0} - static_cast<U>(a) : static_cast<U>(a))
      TENREC_EACH1(sign, T, (a > T{0}) - (a < T{0}))
      TENREC_EACH1(floor, T, a)
      TENREC_EACH1(ceil, T, a)
      TENREC_EACH1(round, T, a)
      TENREC_EACH1(trunc, T, a)
      TENREC_EACH1(is_nan, int32_t, a != a)
      TENREC_EACH1(is_inf, int32_t, a != a)
      TENREC_EACH2(equal, int32_t, a == b)
      TENREC_EACH2(less, int32_t, a < b)
      TENREC_EACH2(less_equal, int32_t, a <= b)
      TENREC_EACH2(logical_and, int32_t, (a != 0) & (b != 0))
      TENREC_EACH2(logical_or, int32_t, (a != 0) | (b != 0))
      TENREC_EACH2(logical_xor, int32_t, (a != 0) != (b != 0))
      TENREC_EACH1(logical_not, int32_t, a == 0)
      TENREC_EACH2(bit_and, T, a & b)
      TENREC_EACH2(bit_or, T, a | b)
      TENREC_EACH2(bit_xor, T, a ^ b)
      TENREC_EACH1(bit_not, T, ~a)
      TENREC_EACH2(shift_left, T, shift_left(a, b))
      TENREC_EACH2(shift_right, T, shift_right(a, b))
    default: return nullptr;
  }
}

double mod_of(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
double min_of(double a, double b) { return std::isnan(a) ? a : std::isnan(b) ? b : b < a ? b : a; }
double max_of(double a, double b) { return std::isnan(a) ? a : std::isnan(b) ? b : a < b ? b : a; }
double sigmoid_of(double a) {
  return a >= 0 ? 1 / (1 + std::exp(-a)) : std::exp(a) / (1 + std::exp(a));
}

TileFn double_loop(Fn fn) {
  using T = double;
  switch (fn) {
    case Fn::select:
      return select<double>;
      TENREC_EACH2(add, T, a + b)
      TENREC_EACH2(sub, T, a - b)
      TENREC_EACH2(mul, T, a * b)
      TENREC_EACH2(div, T, a / b)
      TENREC_EACH2(fmod, T, std::fmod(a, b))
      TENREC_EACH2(mod, T, mod_of(a, b))
      TENREC_EACH2(min, T, min_of(a, b))
      TENREC_EACH2(max, T, max_of(a, b))
      TENREC_EACH2(pow, T, std::pow(a, b))
      TENREC_EACH2(atan2, T, std::atan2(a, b))
      TENREC_EACH1(neg, T, -a)
      TENREC_EACH1(abs, T, std::abs(a))
      TENREC_EACH1(sign, T, std::isnan(a) ? a : static_cast<double>((a > 0) - (a < 0)))
      TENREC_EACH1(reciprocal, T, 1 / a)
      TENREC_EACH1(exp, T, std::exp(a))
      TENREC_EACH1(log, T, std::log(a))
      TENREC_EACH1(sqrt, T, std::sqrt(a))
      TENREC_EACH1(rsqrt, T, 1 / std::sqrt(a))
      TENREC_EACH1(expm1, T, std::expm1(a))
      TENREC_EACH1(log1p, T, std::log1p(a))
      TENREC_EACH1(sin, T, std::sin(a))
      TENREC_EACH1(cos, T, std::cos(a))
      TENREC_EACH1(tan, T, std::tan(a))
      TENREC_EACH1(asin, T, std::asin(a))
      TENREC_EACH1(acos, T, std::acos(a))
      TENREC_EACH1(atan, T, std::atan(a))
      TENREC_EACH1(sinh, T, std::sinh(a))
      TENREC_EACH1(cosh, T, std::cosh(a))
      TENREC_EACH1(tanh, T, std::tanh(a))
      TENREC_EACH1(asinh, T, std::asinh(a))
      TENREC_EACH1(acosh, T, std::acosh(a))
      TENREC_EACH1(atanh, T, std::atanh(a))
      TENREC_EACH1(erf, T, std::erf(a))
      TENREC_EACH1(sigmoid, T, sigmoid_of(a))
      TENREC_EACH1(floor, T, std::floor(a))
      TENREC_EACH1(ceil, T, std::ceil(a))
      TENREC_EACH1(round, T, std::nearbyint(a))
      TENREC_EACH1(trunc, T, std::trunc(a))
      TENREC_EACH1(is_nan, int32_t, std::isnan(a))
      TENREC_EACH1(is_inf, int32_t, std::isinf(a))
      TENREC_EACH2(equal, int32_t, a == b)
      TENREC_EACH2(less, int32_t, a < b)
      TENREC_EACH2(less_equal, int32_t, a <= b)
    default: return nullptr;
  }
}

}  // namespace

TileFn pick_scalar(Fn fn, DType reg);
TileFn pick_scalar(Fn fn, DType reg) {
  switch (reg) {
    case DType::f64: return double_loop(fn);
    case DType::i32: return integer_loop<int32_t>(fn);
    case DType::u32: return integer_loop<uint32_t>(fn);
    case DType::i64: return integer_loop<int64_t>(fn);
    case DType::u64: return integer_loop<uint64_t>(fn);
    default: return nullptr;
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {

TileFn tile_scalar(Isa isa, Fn fn, DType reg) { return TENREC_CPU_PICK(isa, pick_scalar)(fn, reg); }

}  // namespace tenrec::cpu
#endif
