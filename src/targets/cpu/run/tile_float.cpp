// SPDX-License-Identifier: Apache-2.0
// Tile loops over f32 registers.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/tile_float.cpp"
#include "targets/cpu/run/highway_each.h"
#include "targets/cpu/run/math-inl.h"

#include <cmath>
#include <cstring>

#include "targets/cpu/run/tile.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

// At most tile_group lanes, so that whole groups are whole vectors.
using F = hn::CappedTag<float, tile_group>;
using I = hn::RebindToSigned<F>;
using VF = hn::Vec<F>;
constexpr F f{};
constexpr I i32{};

#define TENREC_TILE_LOOP for (int i = 0; i < t.n; i += lanes)

template <class Map>
HWY_INLINE void map1(const TileArgs& t, Map&& map) {
  const int lanes = static_cast<int>(hn::Lanes(f));
  const auto* a = static_cast<const float*>(t.a.data);
  auto* to = static_cast<float*>(t.to);
  TENREC_TILE_LOOP hn::StoreU(map(hn::LoadU(f, a + i * t.a.step)), f, to + i);
}
template <class Map>
HWY_INLINE void map2(const TileArgs& t, Map&& map) {
  const int lanes = static_cast<int>(hn::Lanes(f));
  const auto* a = static_cast<const float*>(t.a.data);
  const auto* b = static_cast<const float*>(t.b.data);
  auto* to = static_cast<float*>(t.to);
  TENREC_TILE_LOOP {
    hn::StoreU(map(hn::LoadU(f, a + i * t.a.step), hn::LoadU(f, b + i * t.b.step)), f, to + i);
  }
}
template <class Map>
HWY_INLINE void map3(const TileArgs& t, Map&& map) {
  const int lanes = static_cast<int>(hn::Lanes(f));
  const auto* a = static_cast<const float*>(t.a.data);
  const auto* b = static_cast<const float*>(t.b.data);
  const auto* c = static_cast<const float*>(t.c.data);
  auto* to = static_cast<float*>(t.to);
  TENREC_TILE_LOOP {
    hn::StoreU(map(hn::LoadU(f, a + i * t.a.step), hn::LoadU(f, b + i * t.b.step),
                   hn::LoadU(f, c + i * t.c.step)),
               f, to + i);
  }
}
// Masks are stored as 0 and 1 in i32.
template <class Test>
HWY_INLINE void test2(const TileArgs& t, Test&& test) {
  const int lanes = static_cast<int>(hn::Lanes(f));
  const auto* a = static_cast<const float*>(t.a.data);
  const auto* b = static_cast<const float*>(t.b.data);
  auto* to = static_cast<int32_t*>(t.to);
  TENREC_TILE_LOOP {
    const auto mask = test(hn::LoadU(f, a + i * t.a.step), hn::LoadU(f, b + i * t.b.step));
    hn::StoreU(hn::IfThenElseZero(hn::RebindMask(i32, mask), hn::Set(i32, 1)), i32, to + i);
  }
}
// Of one operand: `b` has no memory behind it.
template <class Test>
HWY_INLINE void test1(const TileArgs& t, Test&& test) {
  const int lanes = static_cast<int>(hn::Lanes(f));
  const auto* a = static_cast<const float*>(t.a.data);
  auto* to = static_cast<int32_t*>(t.to);
  TENREC_TILE_LOOP {
    const auto mask = test(hn::LoadU(f, a + i * t.a.step));
    hn::StoreU(hn::IfThenElseZero(hn::RebindMask(i32, mask), hn::Set(i32, 1)), i32, to + i);
  }
}
template <float (*fn)(float)>
void scalar1(const TileArgs& t) {
  const auto* a = static_cast<const float*>(t.a.data);
  auto* to = static_cast<float*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = fn(a[i * t.a.step]);
}
template <float (*fn)(float, float)>
void scalar2(const TileArgs& t) {
  const auto* a = static_cast<const float*>(t.a.data);
  const auto* b = static_cast<const float*>(t.b.data);
  auto* to = static_cast<float*>(t.to);
  for (int i = 0; i < t.n; ++i) to[i] = fn(a[i * t.a.step], b[i * t.b.step]);
}

#define TENREC_TILE1(name, expression)                 \
  void name(const TileArgs& t) {                       \
    map1(t, [](VF x) HWY_ATTR { return expression; }); \
  }
#define TENREC_TILE2(name, expression)                       \
  void name(const TileArgs& t) {                             \
    map2(t, [](VF a, VF b) HWY_ATTR { return expression; }); \
  }
#define TENREC_TILE3(name, expression)                             \
  void name(const TileArgs& t) {                                   \
    map3(t, [](VF a, VF b, VF c) HWY_ATTR { return expression; }); \
  }
#define TENREC_TEST(name, expression)                                          \
  void name(const TileArgs& t) {                                               \
    test2(t, [](VF a, [[maybe_unused]] VF b) HWY_ATTR { return expression; }); \
  }

TENREC_TILE2(add, hn::Add(a, b))
TENREC_TILE2(sub, hn::Sub(a, b))
TENREC_TILE2(mul, hn::Mul(a, b))
TENREC_TILE2(div, hn::Div(a, b))
// x86's min and max give b when either is NaN, others the NaN: a's is left to be kept.
TENREC_TILE2(min, hn::IfThenElse(hn::IsNaN(a), a, smaller_or_second(a, b)))
TENREC_TILE2(max, hn::IfThenElse(hn::IsNaN(a), a, larger_or_second(a, b)))
TENREC_TILE3(fma, hn::MulAdd(a, b, c))
TENREC_TILE3(fms, hn::MulSub(a, b, c))
TENREC_TILE3(fnma, hn::NegMulAdd(a, b, c))
TENREC_TILE2(keep, hn::And(a, b))
TENREC_TILE1(neg, hn::Neg(x))
TENREC_TILE1(abs, hn::Abs(x))
TENREC_TILE1(reciprocal, hn::Div(hn::Set(f, 1.0f), x))
TENREC_TILE1(sqrt, hn::Sqrt(x))
TENREC_TILE1(rsqrt, hn::Div(hn::Set(f, 1.0f), hn::Sqrt(x)))
TENREC_TILE1(exp, exp_of(f, x))
TENREC_TILE1(log, log_of(f, x))
TENREC_TILE1(expm1, expm1_of(f, x))
TENREC_TILE1(log1p, log1p_of(f, x))
TENREC_TILE1(tanh, tanh_of(f, x))
TENREC_TILE1(erf, erf_of(f, x))
TENREC_TILE1(sigmoid, sigmoid_of(f, x))
TENREC_TILE1(floor, hn::Floor(x))
TENREC_TILE1(ceil, hn::Ceil(x))
TENREC_TILE1(round, hn::Round(x))
TENREC_TILE1(trunc, hn::Trunc(x))
TENREC_TEST(equal, hn::Eq(a, b))
TENREC_TEST(less, hn::Lt(a, b))
TENREC_TEST(less_equal, hn::Le(a, b))

void is_nan(const TileArgs& t) {
  test1(t, [](VF a) HWY_ATTR { return hn::IsNaN(a); });
}
void is_inf(const TileArgs& t) {
  test1(t, [](VF a) HWY_ATTR { return hn::IsInf(a); });
}

void gelu(const TileArgs& t) {
  const int lanes = static_cast<int>(hn::Lanes(f));
  const auto* a = static_cast<const float*>(t.a.data);
  auto* to = static_cast<float*>(t.to);
  constexpr int many = 4;
  int i = 0;
  for (; i + many * lanes <= t.n; i += many * lanes) {
    VF x[many];
    for (int k = 0; k < many; ++k) x[k] = hn::LoadU(f, a + (i + k * lanes) * t.a.step);
    gelu_of(f, x);
    for (int k = 0; k < many; ++k) hn::StoreU(x[k], f, to + i + k * lanes);
  }
  for (; i < t.n; i += lanes) {
    VF x[1] = {hn::LoadU(f, a + i * t.a.step)};
    gelu_of(f, x);
    hn::StoreU(x[0], f, to + i);
  }
}

void sign(const TileArgs& t) {
  map1(t, [](VF x) HWY_ATTR {
    const VF one = hn::CopySign(hn::Set(f, 1.0f), x);
    return hn::IfThenElse(hn::Or(hn::Eq(x, hn::Zero(f)), hn::IsNaN(x)), x, one);
  });
}

void select(const TileArgs& t) {
  const int lanes = static_cast<int>(hn::Lanes(f));
  const auto* condition = static_cast<const int32_t*>(t.a.data);
  const auto* b = static_cast<const float*>(t.b.data);
  const auto* c = static_cast<const float*>(t.c.data);
  auto* to = static_cast<float*>(t.to);
  TENREC_TILE_LOOP {
    const auto mask = hn::Ne(hn::LoadU(i32, condition + i * t.a.step), hn::Zero(i32));
    hn::StoreU(hn::IfThenElse(hn::RebindMask(f, mask), hn::LoadU(f, b + i * t.b.step),
                              hn::LoadU(f, c + i * t.c.step)),
               f, to + i);
  }
}

float mod_of(float a, float b) {
  const float r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

TileFn float_loop(Fn fn) {
  switch (fn) {
    case Fn::select: return select;
    case Fn::add: return add;
    case Fn::sub: return sub;
    case Fn::mul: return mul;
    case Fn::div: return div;
    case Fn::min: return min;
    case Fn::max: return max;
    case Fn::neg: return neg;
    case Fn::abs: return abs;
    case Fn::sign: return sign;
    case Fn::reciprocal: return reciprocal;
    case Fn::exp: return exp;
    case Fn::log: return log;
    case Fn::sqrt: return sqrt;
    case Fn::rsqrt: return rsqrt;
    case Fn::expm1: return expm1;
    case Fn::log1p: return log1p;
    case Fn::tanh: return tanh;
    case Fn::erf: return erf;
    case Fn::sigmoid: return sigmoid;
    case Fn::floor: return floor;
    case Fn::ceil: return ceil;
    case Fn::round: return round;
    case Fn::trunc: return trunc;
    case Fn::is_nan: return is_nan;
    case Fn::is_inf: return is_inf;
    case Fn::equal: return equal;
    case Fn::less: return less;
    case Fn::less_equal: return less_equal;
    case Fn::fmod: return scalar2<std::fmod>;
    case Fn::mod: return scalar2<mod_of>;
    case Fn::pow: return scalar2<std::pow>;
    case Fn::atan2: return scalar2<std::atan2>;
    case Fn::sin: return scalar1<std::sin>;
    case Fn::cos: return scalar1<std::cos>;
    case Fn::tan: return scalar1<std::tan>;
    case Fn::asin: return scalar1<std::asin>;
    case Fn::acos: return scalar1<std::acos>;
    case Fn::atan: return scalar1<std::atan>;
    case Fn::sinh: return scalar1<std::sinh>;
    case Fn::cosh: return scalar1<std::cosh>;
    case Fn::asinh: return scalar1<std::asinh>;
    case Fn::acosh: return scalar1<std::acosh>;
    case Fn::atanh: return scalar1<std::atanh>;
    default: return nullptr;
  }
}

template <class T>
void copy(const TileArgs& t) {
  const auto* a = static_cast<const T*>(t.a.data);
  auto* to = static_cast<T*>(t.to);
  if (t.a.step == 1) {
    std::memmove(to, a, static_cast<size_t>(t.n) * sizeof(T));
    return;
  }
  for (int i = 0; i < t.n; ++i) to[i] = *a;
}

}  // namespace

TileFn pick_float(Fn fn);
TileFn pick_float(Fn fn) { return float_loop(fn); }

TileFn pick_extra(TileExtra fn, DType reg);
TileFn pick_extra(TileExtra fn, DType reg) {
  switch (fn) {
    case TileExtra::copy: return bit_width(reg) == 64 ? copy<int64_t> : copy<int32_t>;
    case TileExtra::fma: return fma;
    case TileExtra::fms: return fms;
    case TileExtra::fnma: return fnma;
    case TileExtra::gelu: return gelu;
    case TileExtra::keep: return keep;
  }
  return nullptr;
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {

TileFn tile_float(Isa isa, Fn fn, DType reg) {
  return reg == DType::f32 ? TENREC_CPU_PICK(isa, pick_float)(fn) : nullptr;
}
TileFn tile_extra(Isa isa, TileExtra fn, DType reg) {
  if (fn != TileExtra::copy && reg != DType::f32) return nullptr;
  return TENREC_CPU_PICK(isa, pick_extra)(fn, reg);
}

DType register_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::f16:
    case DType::bf16: return DType::f32;
    case DType::f64: return DType::f64;
    case DType::boolean:
    case DType::i8:
    case DType::u8:
    case DType::i16:
    case DType::u16:
    case DType::i32: return DType::i32;
    case DType::u32: return DType::u32;
    case DType::i64: return DType::i64;
    case DType::u64: return DType::u64;
    default: return DType::undefined;
  }
}

}  // namespace tenrec::cpu
#endif
