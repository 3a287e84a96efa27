// SPDX-License-Identifier: Apache-2.0
// Elementary functions of float vectors, a few units in the last place off over the whole range.
// Coefficients are minimax fits of our own (weighted least squares on Chebyshev nodes).
#if defined(TENREC_CPU_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TENREC_CPU_MATH_INL_H_
#undef TENREC_CPU_MATH_INL_H_
#else
#define TENREC_CPU_MATH_INL_H_
#endif

#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
#include "targets/cpu/run/extremes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V, class... C>
HWY_INLINE V horner(D d, V x, float first, C... rest) {
  V sum = hn::Set(d, first);
  ((sum = hn::MulAdd(sum, x, hn::Set(d, static_cast<float>(rest)))), ...);
  return sum;
}

// Of several vectors side by side: one alone waits for its own multiply-adds.
template <size_t N, class D, class V, class... C>
HWY_INLINE void horner(D d, const V (&x)[N], V (&sum)[N], float first, C... rest) {
  for (size_t i = 0; i < N; ++i) sum[i] = hn::Set(d, first);
  const auto step = [&](float c) HWY_ATTR {
    for (size_t i = 0; i < N; ++i) sum[i] = hn::MulAdd(sum[i], x[i], hn::Set(d, c));
  };
  (step(static_cast<float>(rest)), ...);
}

// Adding and taking it off again rounds a float below 2^22 to the nearest integer, which meanwhile
// stands in the last bits.
constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23

// For x <= 0, as after a softmax's largest is taken off: what would be denormal is 0, NaN stays.
template <class D, class V>
HWY_INLINE V exp_below_zero(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V least = hn::Set(d, -87.0f), rounder = hn::Set(d, kRounder + 127);
  const V t = hn::MulAdd(larger_or_second(least, x), hn::Set(d, 1.44269504f), rounder);
  const V n = hn::Sub(t, rounder);
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), larger_or_second(least, x));
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  const V p = horner(d, r, 0.0013814610429108143f, 0.008368710055947304f, 0.04166838899254799f,
                     0.1666652113199234f, 0.4999999403953552f);
  const V y = hn::Add(hn::MulAdd(hn::Mul(r, r), p, r), hn::Set(d, 1.0f));
  const V power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(di, t)));
  return hn::IfThenZeroElse(hn::Lt(x, least), hn::Mul(y, power));
}

// Overflows to infinity, underflows through denormals to 0, NaN stays.
template <class D, class V>
HWY_INLINE V exp_of(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V clamped = hn::Min(hn::Max(x, hn::Set(d, -104.5f)), hn::Set(d, 89.0f));
  const V n = hn::Round(hn::Mul(clamped, hn::Set(d, 1.44269504f)));
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), clamped);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  const V p = horner(d, r, 0.0013814610429108143f, 0.008368710055947304f, 0.04166838899254799f,
                     0.1666652113199234f, 0.4999999403953552f);
  const V y = hn::Add(hn::MulAdd(hn::Mul(r, r), p, r), hn::Set(d, 1.0f));
  // Two factors, since 2^n alone would not be representable at both ends.
  const auto whole = hn::ConvertTo(di, n);
  const auto half = hn::ShiftRight<1>(whole);
  const auto power = [&](auto e) {
    return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(e, hn::Set(di, 127))));
  };
  const V scaled = hn::Mul(hn::Mul(y, power(half)), power(hn::Sub(whole, half)));
  return hn::IfThenElse(hn::IsNaN(x), x, scaled);
}

template <class D, class V>
HWY_INLINE V log_of(D d, V x) {
  const V infinity = hn::Inf(d);
  V y = hn::Log(d, x);
  y = hn::IfThenElse(hn::Eq(x, infinity), infinity, y);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), y);
  return hn::IfThenElse(hn::Or(hn::Lt(x, hn::Zero(d)), hn::IsNaN(x)), hn::NaN(d), y);
}

template <class D, class V>
HWY_INLINE V log1p_of(D d, V x) {
  const V infinity = hn::Inf(d);
  V y = hn::Log1p(d, x);
  y = hn::IfThenElse(hn::Eq(x, infinity), infinity, y);
  y = hn::IfThenElse(hn::Eq(x, hn::Set(d, -1.0f)), hn::Neg(infinity), y);
  return hn::IfThenElse(hn::Or(hn::Lt(x, hn::Set(d, -1.0f)), hn::IsNaN(x)), hn::NaN(d), y);
}

template <class D, class V>
HWY_INLINE V expm1_of(D d, V x) {
  const V small = hn::Expm1(d, hn::Min(hn::Max(x, hn::Set(d, -80.0f)), hn::Set(d, 80.0f)));
  const V large = hn::Sub(exp_of(d, x), hn::Set(d, 1.0f));
  return hn::IfThenElse(hn::Lt(hn::Abs(x), hn::Set(d, 20.0f)), small, large);
}

template <class D, class V>
HWY_INLINE V sigmoid_of(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, exp_of(d, hn::Neg(x))));
}

template <class D, class V>
HWY_INLINE V tanh_of(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V size = hn::Abs(x);
  const V z = hn::Mul(x, x);
  const V p = horner(d, z, -0.005717036779969931f, 0.020650578662753105f, -0.05374349653720856f,
                     0.13331490755081177f, -0.3333328366279602f);
  const V near = hn::MulAdd(hn::Mul(x, z), p, x);
  const V e = exp_of(d, hn::Add(size, size));
  const V far = hn::Sub(one, hn::Div(hn::Set(d, 2.0f), hn::Add(e, one)));
  const V y = hn::IfThenElse(hn::Lt(size, hn::Set(d, 0.625f)), near, hn::CopySign(far, x));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

template <class D, class V>
HWY_INLINE V erf_of(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V size = hn::Abs(x);
  const V z = hn::Mul(x, x);
  const V p = horner(d, z, 7.889119297033176e-05f, -0.0008020841050893068f, 0.005189535208046436f,
                     -0.026854444295167923f, 0.11283600330352783f, -0.3761262595653534f,
                     0.12837916612625122f);
  const V near = hn::MulAdd(x, p, x);
  // -log(erfc(t)) is smooth: one polynomial serves from 1 to where erf rounds to 1.
  const V t = hn::Min(size, hn::Set(d, 3.95f));
  const V q = horner(d, t, -0.0001855748560046777f, 0.002939615398645401f, -0.021805349737405777f,
                     0.10303743183612823f, 0.6382256150245667f, 1.1270400285720825f,
                     0.00035370929981581867f);
  const V far = hn::Sub(one, exp_of(d, hn::Neg(q)));
  const V y = hn::IfThenElse(hn::Lt(size, one), near, hn::CopySign(far, x));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

// x * Phi(x), Phi the normal distribution. -log2(Phi(-u)) is smooth and small: one polynomial in
// |x| and one power of two serve both signs, where erf needs two branches. Within 1e-7 of the true
// value + 1.5 units in the last place; where Phi(-u) < 1e-9 it counts as 0.
template <size_t N, class D, class V>
HWY_INLINE void gelu_of(D d, V (&x)[N]) {
  const hn::RebindToSigned<D> di;
  const V one = hn::Set(d, 1.0f), rounder = hn::Set(d, kRounder);
  V u[N], y[N], power[N];
  for (size_t i = 0; i < N; ++i) u[i] = hn::Abs(x[i]);
  horner(d, u, y, 2.9266868750710273e-07f, -6.408752142306184e-06f, 5.670501195709221e-05f,
         -0.00022893608547735137f, -7.976549386512488e-05f, 0.007022705394774675f,
         -0.05248209834098816f, -0.4592100977897644f, -1.1511051654815674f, -1.0f);
  V whole[N];
  for (size_t i = 0; i < N; ++i) whole[i] = hn::Add(y[i], rounder);
  for (size_t i = 0; i < N; ++i) y[i] = hn::Sub(y[i], hn::Sub(whole[i], rounder));
  horner(d, y, power, 0.00015353361959569156f, 0.0013398875016719103f, 0.00961843691766262f,
         0.055503323674201965f, 0.24022647738456726f, 0.6931471824645996f, 1.0f);
  for (size_t i = 0; i < N; ++i) {
    const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, whole[i]));
    const V scaled = hn::BitCast(d, hn::Add(hn::BitCast(di, power[i]), exponent));
    const V tail = hn::IfThenElseZero(hn::Le(u[i], hn::Set(d, 6.0f)), scaled);
    x[i] = hn::Mul(x[i], hn::IfThenElse(hn::Lt(x[i], hn::Zero(d)), tail, hn::Sub(one, tail)));
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
