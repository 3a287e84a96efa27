// SPDX-License-Identifier: Apache-2.0
// Scalar expressions: the body of pointwise operators and of fused code.
//
// A pointwise operator records itself once through `Expr` (overloaded operators and the functions
// below); the resulting ExprProgram is interpreted in double/int64 by the oracle, run as a SIMD
// tile program by the CPU target and printed as CUDA text by the CUDA target.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/fields.h"

namespace tenrec {

// Numbers are permanent (engine files hold programs).
enum class Fn : uint8_t {
  input = 0,
  constant = 1,
  cast = 2,
  select = 3,  // select(bool, a, b)
  add = 10,
  sub = 11,
  mul = 12,
  div = 13,  // integer div truncates towards zero; x / 0 = 0
  fmod = 14,
  mod = 15,  // sign of the dividend / of the divisor
  min = 16,
  max = 17,
  pow = 18,
  atan2 = 19,  // min, max propagate NaN
  neg = 30,
  abs = 31,
  sign = 32,
  reciprocal = 33,
  exp = 40,
  log = 41,
  sqrt = 42,
  rsqrt = 43,
  expm1 = 44,
  log1p = 45,
  sin = 50,
  cos = 51,
  tan = 52,
  asin = 53,
  acos = 54,
  atan = 55,
  sinh = 56,
  cosh = 57,
  tanh = 58,
  asinh = 59,
  acosh = 60,
  atanh = 61,
  erf = 62,
  sigmoid = 63,
  floor = 70,
  ceil = 71,
  round = 72,
  trunc = 73,  // round: half to even
  is_nan = 80,
  is_inf = 81,  // to bool
  equal = 90,
  less = 91,
  less_equal = 92,  // to bool
  logical_and = 100,
  logical_or = 101,
  logical_xor = 102,
  logical_not = 103,
  bit_and = 110,
  bit_or = 111,
  bit_xor = 112,
  bit_not = 113,
  shift_left = 114,
  shift_right = 115,
};
std::string_view name(Fn fn);
int arity(Fn fn);

// One scalar operation; arguments are indices of earlier nodes. `dtype` is the result's type; float
// values of every width compute in float32 (f64 in float64), integers wrap to their width.
struct ExprNode {
  Fn fn = Fn::constant;
  DType dtype = DType::f32;
  int32_t a = -1, b = -1, c = -1;
  int32_t input = -1;   // of Fn::input
  double value = 0;     // of Fn::constant, floats
  int64_t integer = 0;  // of Fn::constant, integers and bool
  static auto fields(auto& s) {
    return std::tuple{field(1, "fn", s.fn),       field(2, "dtype", s.dtype),
                      field(3, "a", s.a),         field(4, "b", s.b),
                      field(5, "c", s.c),         field(6, "input", s.input),
                      field(7, "value", s.value), field(8, "integer", s.integer)};
  }
  bool operator==(const ExprNode&) const = default;
};

struct ExprProgram {
  int32_t inputs = 0;
  std::vector<ExprNode> nodes;   // hash-consed, every argument before its use
  std::vector<int32_t> outputs;  // node indices
  static auto fields(auto& s) {
    return std::tuple{field(1, "inputs", s.inputs), field(2, "nodes", s.nodes),
                      field(3, "outputs", s.outputs)};
  }
  bool operator==(const ExprProgram&) const = default;
  int32_t add(ExprNode node);  // the index of an equal node if there is one
  std::string str() const;     // "%0 = input 0 : f32\n..." deterministic
};
void validate(const ExprProgram& program);  // untrusted programs: indices, dtypes, arity

// Recording. An Expr is a node of `program`, or an untyped constant until it meets a typed operand.
class Expr {
 public:
  Expr(double constant) : value_(constant) {}                   // NOLINT
  Expr(int constant) : value_(constant), integer_(constant) {}  // NOLINT
  Expr(int64_t constant)                                        // NOLINT
      : value_(static_cast<double>(constant)), integer_(constant) {}
  Expr(ExprProgram& program, int32_t node) : program_(&program), node_(node) {}

  bool typed() const { return program_ != nullptr; }
  DType dtype() const;  // of a typed one
  int32_t node() const { return node_; }
  ExprProgram* program() const { return program_; }
  Expr cast(DType to) const;
  int32_t typed_like(const Expr& other) const;  // node index, constants typed like `other`

 private:
  ExprProgram* program_ = nullptr;
  int32_t node_ = -1;
  double value_ = 0;
  int64_t integer_ = 0;
};

Expr call(Fn fn, const Expr& a);
Expr call(Fn fn, const Expr& a, const Expr& b);
Expr select(const Expr& condition, const Expr& a, const Expr& b);

#define TENREC_EXPR_BINARY(op, fn) \
  inline Expr operator op(const Expr& a, const Expr& b) { return call(Fn::fn, a, b); }
TENREC_EXPR_BINARY(+, add)
TENREC_EXPR_BINARY(-, sub)
TENREC_EXPR_BINARY(*, mul)
TENREC_EXPR_BINARY(/, div)
TENREC_EXPR_BINARY(<, less)
TENREC_EXPR_BINARY(<=, less_equal)
TENREC_EXPR_BINARY(==, equal)
#undef TENREC_EXPR_BINARY
inline Expr operator>(const Expr& a, const Expr& b) { return call(Fn::less, b, a); }
inline Expr operator>=(const Expr& a, const Expr& b) { return call(Fn::less_equal, b, a); }
inline Expr operator-(const Expr& a) { return call(Fn::neg, a); }
inline Expr operator!(const Expr& a) { return call(Fn::logical_not, a); }
inline Expr operator&&(const Expr& a, const Expr& b) { return call(Fn::logical_and, a, b); }
inline Expr operator||(const Expr& a, const Expr& b) { return call(Fn::logical_or, a, b); }
inline Expr min(const Expr& a, const Expr& b) { return call(Fn::min, a, b); }
inline Expr max(const Expr& a, const Expr& b) { return call(Fn::max, a, b); }
inline Expr exp(const Expr& a) { return call(Fn::exp, a); }
inline Expr log(const Expr& a) { return call(Fn::log, a); }
inline Expr sqrt(const Expr& a) { return call(Fn::sqrt, a); }
inline Expr tanh(const Expr& a) { return call(Fn::tanh, a); }
inline Expr erf(const Expr& a) { return call(Fn::erf, a); }
inline Expr abs(const Expr& a) { return call(Fn::abs, a); }
inline Expr floor(const Expr& a) { return call(Fn::floor, a); }
inline Expr sigmoid(const Expr& a) { return call(Fn::sigmoid, a); }

// The oracle's scalar evaluation: every element of the outputs, inputs broadcast to one shape.
// Floats in double, rounded to each output's dtype at the end; integers in int64 with wrap-around.
class Tensor;
std::vector<Tensor> evaluate(const ExprProgram& program, const std::vector<Tensor>& inputs);

}  // namespace tenrec
