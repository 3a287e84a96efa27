// SPDX-License-Identifier: Apache-2.0
// The pointwise family. Each operator states its arithmetic once, in `apply`; inference, the oracle
// and the fused kernels of every target come from it (ir/expr.h).
#pragma once
#include <limits>
#include <optional>

#include "ir/expr.h"
#include "ir/op_decl.h"

namespace tenrec {

// `legacy_broadcast`: before opset 7 ONNX aligned the second operand by attributes, see
// pointwise.h.

struct Exp {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::exp, x); }
};
TENREC_OP(Exp, "exp")

struct Log {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::log, x); }
};
TENREC_OP(Log, "log")

struct Sqrt {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::sqrt, x); }
};
TENREC_OP(Sqrt, "sqrt")

struct Sin {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::sin, x); }
};
TENREC_OP(Sin, "sin")

struct Cos {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::cos, x); }
};
TENREC_OP(Cos, "cos")

struct Tan {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::tan, x); }
};
TENREC_OP(Tan, "tan")

struct Asin {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::asin, x); }
};
TENREC_OP(Asin, "asin")

struct Acos {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::acos, x); }
};
TENREC_OP(Acos, "acos")

struct Atan {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::atan, x); }
};
TENREC_OP(Atan, "atan")

struct Sinh {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::sinh, x); }
};
TENREC_OP(Sinh, "sinh")

struct Cosh {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::cosh, x); }
};
TENREC_OP(Cosh, "cosh")

struct Tanh {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::tanh, x); }
};
TENREC_OP(Tanh, "tanh")

struct Asinh {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::asinh, x); }
};
TENREC_OP(Asinh, "asinh")

struct Acosh {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::acosh, x); }
};
TENREC_OP(Acosh, "acosh")

struct Atanh {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::atanh, x); }
};
TENREC_OP(Atanh, "atanh")

struct Erf {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::erf, x); }
};
TENREC_OP(Erf, "erf")

struct Sigmoid {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::sigmoid, x); }
};
TENREC_OP(Sigmoid, "sigmoid")

struct Reciprocal {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return call(Fn::reciprocal, x); }
};
TENREC_OP(Reciprocal, "reciprocal")

struct Abs {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return call(Fn::abs, x); }
  // Of a size: itself.
  std::optional<Dim> apply_dims(const Dim& x) const {
    return x.lower() >= 0 ? std::optional(x) : std::nullopt;
  }
};
TENREC_OP(Abs, "abs")

struct Sign {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return call(Fn::sign, x); }
};
TENREC_OP(Sign, "sign")

struct Floor {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return call(Fn::floor, x); }
  // Of a size: itself.
  std::optional<Dim> apply_dims(const Dim& x) const {
    return x.lower() >= 0 ? std::optional(x) : std::nullopt;
  }
};
TENREC_OP(Floor, "floor")

struct Ceil {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return call(Fn::ceil, x); }
  // Of a size: itself.
  std::optional<Dim> apply_dims(const Dim& x) const {
    return x.lower() >= 0 ? std::optional(x) : std::nullopt;
  }
};
TENREC_OP(Ceil, "ceil")

struct Round {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return call(Fn::round, x); }
  // Of a size: itself.
  std::optional<Dim> apply_dims(const Dim& x) const {
    return x.lower() >= 0 ? std::optional(x) : std::nullopt;
  }
};
TENREC_OP(Round, "round")

struct Not {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return call(Fn::logical_not, x); }
};
TENREC_OP(Not, "not")

struct BitwiseNot {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return call(Fn::bit_not, x); }
};
TENREC_OP(BitwiseNot, "bitwise_not")

struct IsNaN {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return call(Fn::is_nan, x); }
};
TENREC_OP(IsNaN, "is_nan")

struct Neg {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return -x; }
  std::optional<Dim> apply_dims(const Dim& x) const { return Dim(0) - x; }
};
TENREC_OP(Neg, "neg")

struct IsInf {
  bool detect_positive = true;
  bool detect_negative = true;
  static auto fields(auto& s) {
    return std::tuple{field(1, "detect_positive", s.detect_positive),
                      field(2, "detect_negative", s.detect_negative)};
  }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const {
    const Expr infinite = call(Fn::is_inf, x);
    if (detect_positive && detect_negative) return infinite;
    if (detect_positive) return infinite && x > 0;
    if (detect_negative) return infinite && x < 0;
    return infinite && !infinite;
  }
};
TENREC_OP(IsInf, "is_inf")

struct Relu {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return max(x, 0); }
  std::optional<Dim> apply_dims(const Dim& x) const { return max(x, Dim(0)); }
};
TENREC_OP(Relu, "relu")

struct LeakyRelu {
  float alpha = 0.01F;
  static auto fields(auto& s) { return std::tuple{field(1, "alpha", s.alpha)}; }
  Expr apply(const Expr& x) const { return select(x < 0, x * alpha, x); }
};
TENREC_OP(LeakyRelu, "leaky_relu")

struct PRelu {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x, const Expr& slope) const { return select(x < 0, x * slope, x); }
  // Opset 6 and older give one slope a channel (axis 1) without saying so in its shape.
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(PRelu, "prelu")

struct Elu {
  float alpha = 1.0F;
  static auto fields(auto& s) { return std::tuple{field(1, "alpha", s.alpha)}; }
  Expr apply(const Expr& x) const { return select(x < 0, call(Fn::expm1, x) * alpha, x); }
};
TENREC_OP(Elu, "elu")

struct Selu {
  float alpha = 1.67326319217681884765625F;
  float gamma = 1.05070102214813232421875F;
  static auto fields(auto& s) {
    return std::tuple{field(1, "alpha", s.alpha), field(2, "gamma", s.gamma)};
  }
  Expr apply(const Expr& x) const { return select(x <= 0, call(Fn::expm1, x) * alpha, x) * gamma; }
};
TENREC_OP(Selu, "selu")

struct Celu {
  float alpha = 1.0F;
  static auto fields(auto& s) { return std::tuple{field(1, "alpha", s.alpha)}; }
  Expr apply(const Expr& x) const { return max(x, 0) + min(call(Fn::expm1, x / alpha) * alpha, 0); }
};
TENREC_OP(Celu, "celu")

struct ThresholdedRelu {
  float alpha = 1.0F;
  static auto fields(auto& s) { return std::tuple{field(1, "alpha", s.alpha)}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return select(x > alpha, x, 0); }
};
TENREC_OP(ThresholdedRelu, "thresholded_relu")

struct HardSigmoid {
  float alpha = 0.2F;
  float beta = 0.5F;
  static auto fields(auto& s) {
    return std::tuple{field(1, "alpha", s.alpha), field(2, "beta", s.beta)};
  }
  Expr apply(const Expr& x) const { return max(min(x * alpha + beta, 1), 0); }
};
TENREC_OP(HardSigmoid, "hard_sigmoid")

struct HardSwish {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return x * max(min(x * (1.0 / 6) + 0.5, 1), 0); }
};
TENREC_OP(HardSwish, "hard_swish")

struct Softplus {
  static auto fields(auto&) { return std::tuple{}; }
  // log(1 + e^x) without overflow for large x.
  Expr apply(const Expr& x) const { return max(x, 0) + call(Fn::log1p, exp(-abs(x))); }
};
TENREC_OP(Softplus, "softplus")

struct Softsign {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return x / (abs(x) + 1); }
};
TENREC_OP(Softsign, "softsign")

struct Mish {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& x) const { return x * tanh(Softplus{}.apply(x)); }
};
TENREC_OP(Mish, "mish")

// x * sigmoid(alpha * x); SiLU for alpha 1.
struct Swish {
  float alpha = 1.0F;
  static auto fields(auto& s) { return std::tuple{field(1, "alpha", s.alpha)}; }
  Expr apply(const Expr& x) const { return x * sigmoid(alpha == 1.0F ? x : x * alpha); }
};
TENREC_OP(Swish, "swish")

struct Gelu {
  std::string approximate = "none";
  static auto fields(auto& s) { return std::tuple{field(1, "approximate", s.approximate)}; }
  Expr apply(const Expr& x) const {
    if (approximate == "tanh") {
      return x * 0.5 * (tanh((x + x * x * x * 0.044715) * 0.7978845608028654) + 1);
    }
    return x * 0.5 * (erf(x * 0.7071067811865476) + 1);
  }
};
TENREC_OP(Gelu, "gelu")

struct Shrink {
  float lambd = 0.5F;
  float bias = 0.0F;
  static auto fields(auto& s) {
    return std::tuple{field(1, "lambd", s.lambd), field(2, "bias", s.bias)};
  }
  Expr apply(const Expr& x) const {
    // The bounds of integers are no integers: 2 is above 1.5.
    const Expr number = is_float(x.dtype()) ? x : x.cast(DType::f64);
    const Expr high = select(number > lambd, number - bias, 0);
    return select(number < -lambd, number + bias, high).cast(x.dtype());
  }
};
TENREC_OP(Shrink, "shrink")

// min(max(x, low), high) with constant bounds; run-time bounds become Max and Min nodes.
struct Clip {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  static auto fields(auto& s) { return std::tuple{field(1, "min", s.min), field(2, "max", s.max)}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const {
    Expr result = x;
    if (min != -std::numeric_limits<double>::infinity())
      result = tenrec::max(result, bound(x, min));
    if (max != std::numeric_limits<double>::infinity()) result = tenrec::min(result, bound(x, max));
    return result;
  }
  static Expr bound(const Expr& x, double value) {
    return is_float(x.dtype()) ? Expr(value) : Expr(static_cast<int64_t>(value));
  }
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Clip, "clip")

struct Cast {
  DType to = DType::f32;
  static auto fields(auto& s) { return std::tuple{field(1, "to", s.to)}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& x) const { return x.cast(to); }
  // Sizes fit every integer type that a model would carry them in.
  std::optional<Dim> apply_dims(const Dim& x) const {
    if (to == DType::i64 || to == DType::i32) return x;
    if (!x.is_const()) return std::nullopt;
    return to == DType::boolean ? std::optional(Dim(x.value() != 0)) : std::nullopt;
  }
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Cast, "cast")

// condition ? a : b.
struct Where {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& condition, const Expr& a, const Expr& b) const {
    return select(condition, a, b);
  }
  std::optional<Dim> apply_dims(const Dim& condition, const Dim& a, const Dim& b) const {
    if (a == b) return a;
    if (!condition.is_const()) return std::nullopt;
    return condition.value() != 0 ? a : b;
  }
};
TENREC_OP(Where, "where")

struct Add {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& a, const Expr& b) const { return a + b; }
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const { return a + b; }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Add, "add")

struct Sub {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& a, const Expr& b) const { return a - b; }
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const { return a - b; }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Sub, "sub")

struct Mul {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& a, const Expr& b) const { return a * b; }
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const { return a * b; }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Mul, "mul")

struct Div {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& a, const Expr& b) const { return a / b; }
  // Truncation is floor where nothing is negative.
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const {
    if (b == Dim(1)) return a;
    if (a.is_const() && b.is_const() && b.value() != 0) return Dim(a.value() / b.value());
    return a.lower() >= 0 && b.lower() >= 1 ? std::optional(floordiv(a, b)) : std::nullopt;
  }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Div, "div")

// Sign of the divisor, or with `fmod` of the dividend.
struct Mod {
  bool fmod = false;
  static auto fields(auto& s) { return std::tuple{field(1, "fmod", s.fmod)}; }
  Expr apply(const Expr& a, const Expr& b) const { return call(fmod ? Fn::fmod : Fn::mod, a, b); }
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const {
    return a.lower() >= 0 && b.lower() >= 1 ? std::optional(mod(a, b)) : std::nullopt;
  }
};
TENREC_OP(Mod, "mod")

// The exponent may have another type than the base; the result has the base's.
struct Pow {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply(const Expr& base, const Expr& exponent) const {
    if (is_float(base.dtype()) == is_float(exponent.dtype())) {
      return call(Fn::pow, base, exponent.cast(base.dtype()));
    }
    if (is_float(base.dtype())) return call(Fn::pow, base, exponent.cast(base.dtype()));
    return call(Fn::pow, base.cast(DType::f64), exponent.cast(DType::f64)).cast(base.dtype());
  }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Pow, "pow")

struct Min {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply_all(const std::vector<Expr>& x) const {
    Expr result = x[0];
    for (size_t i = 1; i < x.size(); ++i) result = call(Fn::min, result, x[i]);
    return result;
  }
  std::optional<Dim> apply_dims(const std::vector<Dim>& x) const {
    Dim result = x[0];
    for (size_t i = 1; i < x.size(); ++i) result = tenrec::min(result, x[i]);
    return result;
  }
};
TENREC_OP(Min, "min")

struct Max {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply_all(const std::vector<Expr>& x) const {
    Expr result = x[0];
    for (size_t i = 1; i < x.size(); ++i) result = call(Fn::max, result, x[i]);
    return result;
  }
  std::optional<Dim> apply_dims(const std::vector<Dim>& x) const {
    Dim result = x[0];
    for (size_t i = 1; i < x.size(); ++i) result = tenrec::max(result, x[i]);
    return result;
  }
};
TENREC_OP(Max, "max")

struct Sum {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply_all(const std::vector<Expr>& x) const {
    Expr result = x[0];
    for (size_t i = 1; i < x.size(); ++i) result = result + x[i];
    return result;
  }
};
TENREC_OP(Sum, "sum")

struct Mean {
  static auto fields(auto&) { return std::tuple{}; }
  Expr apply_all(const std::vector<Expr>& x) const {
    return Sum{}.apply_all(x) / static_cast<double>(x.size());
  }
};
TENREC_OP(Mean, "mean")

struct Equal {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return a == b; }
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const {
    if (a == b) return Dim(1);
    if (provably_ge(a, b + 1) || provably_ge(b, a + 1)) return Dim(0);
    return std::nullopt;
  }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Equal, "equal")

struct Greater {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return a > b; }
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const {
    if (provably_ge(a, b + 1)) return Dim(1);
    if (provably_ge(b, a)) return Dim(0);
    return std::nullopt;
  }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Greater, "greater")

struct Less {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return a < b; }
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const {
    if (provably_ge(b, a + 1)) return Dim(1);
    if (provably_ge(a, b)) return Dim(0);
    return std::nullopt;
  }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Less, "less")

struct GreaterOrEqual {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return a >= b; }
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const {
    if (provably_ge(a, b)) return Dim(1);
    if (provably_ge(b, a + 1)) return Dim(0);
    return std::nullopt;
  }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(GreaterOrEqual, "greater_or_equal")

struct LessOrEqual {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return a <= b; }
  std::optional<Dim> apply_dims(const Dim& a, const Dim& b) const {
    if (provably_ge(b, a)) return Dim(1);
    if (provably_ge(a, b + 1)) return Dim(0);
    return std::nullopt;
  }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(LessOrEqual, "less_or_equal")

struct And {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return call(Fn::logical_and, a, b); }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(And, "and")

struct Or {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return call(Fn::logical_or, a, b); }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Or, "or")

struct Xor {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return call(Fn::logical_xor, a, b); }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(Xor, "xor")

struct BitwiseAnd {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return call(Fn::bit_and, a, b); }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(BitwiseAnd, "bitwise_and")

struct BitwiseOr {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return call(Fn::bit_or, a, b); }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(BitwiseOr, "bitwise_or")

struct BitwiseXor {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const { return call(Fn::bit_xor, a, b); }
  static constexpr bool legacy_broadcast = true;
};
TENREC_OP(BitwiseXor, "bitwise_xor")

struct BitShift {
  std::string direction = "LEFT";
  static auto fields(auto& s) { return std::tuple{field(1, "direction", s.direction)}; }
  static constexpr Accuracy accuracy = exact();
  Expr apply(const Expr& a, const Expr& b) const {
    return call(direction == "LEFT" ? Fn::shift_left : Fn::shift_right, a, b);
  }
};
TENREC_OP(BitShift, "bit_shift")

}  // namespace tenrec
