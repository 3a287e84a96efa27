// SPDX-License-Identifier: Apache-2.0
#include "ir/expr.h"

#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "ir/tensor.h"
#include "ir/type.h"

namespace tenrec {
namespace {

struct FnInfo {
  Fn fn;
  std::string_view name;
  int arity;
};
constexpr std::array functions{FnInfo{Fn::input, "input", 0},
                               FnInfo{Fn::constant, "constant", 0},
                               FnInfo{Fn::cast, "cast", 1},
                               FnInfo{Fn::select, "select", 3},
                               FnInfo{Fn::add, "add", 2},
                               FnInfo{Fn::sub, "sub", 2},
                               FnInfo{Fn::mul, "mul", 2},
                               FnInfo{Fn::div, "div", 2},
                               FnInfo{Fn::fmod, "fmod", 2},
                               FnInfo{Fn::mod, "mod", 2},
                               FnInfo{Fn::min, "min", 2},
                               FnInfo{Fn::max, "max", 2},
                               FnInfo{Fn::pow, "pow", 2},
                               FnInfo{Fn::atan2, "atan2", 2},
                               FnInfo{Fn::neg, "neg", 1},
                               FnInfo{Fn::abs, "abs", 1},
                               FnInfo{Fn::sign, "sign", 1},
                               FnInfo{Fn::reciprocal, "reciprocal", 1},
                               FnInfo{Fn::exp, "exp", 1},
                               FnInfo{Fn::log, "log", 1},
                               FnInfo{Fn::sqrt, "sqrt", 1},
                               FnInfo{Fn::rsqrt, "rsqrt", 1},
                               FnInfo{Fn::expm1, "expm1", 1},
                               FnInfo{Fn::log1p, "log1p", 1},
                               FnInfo{Fn::sin, "sin", 1},
                               FnInfo{Fn::cos, "cos", 1},
                               FnInfo{Fn::tan, "tan", 1},
                               FnInfo{Fn::asin, "asin", 1},
                               FnInfo{Fn::acos, "acos", 1},
                               FnInfo{Fn::atan, "atan", 1},
                               FnInfo{Fn::sinh, "sinh", 1},
                               FnInfo{Fn::cosh, "cosh", 1},
                               FnInfo{Fn::tanh, "tanh", 1},
                               FnInfo{Fn::asinh, "asinh", 1},
                               FnInfo{Fn::acosh, "acosh", 1},
                               FnInfo{Fn::atanh, "atanh", 1},
                               FnInfo{Fn::erf, "erf", 1},
                               FnInfo{Fn::sigmoid, "sigmoid", 1},
                               FnInfo{Fn::floor, "floor", 1},
                               FnInfo{Fn::ceil, "ceil", 1},
                               FnInfo{Fn::round, "round", 1},
                               FnInfo{Fn::trunc, "trunc", 1},
                               FnInfo{Fn::is_nan, "is_nan", 1},
                               FnInfo{Fn::is_inf, "is_inf", 1},
                               FnInfo{Fn::equal, "equal", 2},
                               FnInfo{Fn::less, "less", 2},
                               FnInfo{Fn::less_equal, "less_equal", 2},
                               FnInfo{Fn::logical_and, "and", 2},
                               FnInfo{Fn::logical_or, "or", 2},
                               FnInfo{Fn::logical_xor, "xor", 2},
                               FnInfo{Fn::logical_not, "not", 1},
                               FnInfo{Fn::bit_and, "bit_and", 2},
                               FnInfo{Fn::bit_or, "bit_or", 2},
                               FnInfo{Fn::bit_xor, "bit_xor", 2},
                               FnInfo{Fn::bit_not, "bit_not", 1},
                               FnInfo{Fn::shift_left, "shift_left", 2},
                               FnInfo{Fn::shift_right, "shift_right", 2}};

const FnInfo* find(Fn fn) {
  for (const FnInfo& info : functions) {
    if (info.fn == fn) return &info;
  }
  return nullptr;
}

bool gives_bool(Fn fn) {
  return fn == Fn::is_nan || fn == Fn::is_inf || fn == Fn::equal || fn == Fn::less ||
         fn == Fn::less_equal || (fn >= Fn::logical_and && fn <= Fn::logical_not);
}

ExprNode constant_node(DType dtype, double value, int64_t integer) {
  ExprNode node;
  node.fn = Fn::constant;
  node.dtype = dtype;
  if (is_float(dtype)) {
    // Floats narrower than f64 compute in float32, so their constants are float32 values.
    node.value = dtype == DType::f64 ? value : static_cast<double>(static_cast<float>(value));
  } else {
    node.integer = integer;
  }
  return node;
}

// One scalar of the oracle: floats live in `f`, everything else in `i`.
struct Scalar {
  double f = 0;
  int64_t i = 0;
};

int64_t wrap(DType dtype, int64_t value) {
  switch (dtype) {
    case DType::i8: return static_cast<int8_t>(value);
    case DType::i16: return static_cast<int16_t>(value);
    case DType::i32: return static_cast<int32_t>(value);
    case DType::u8: return static_cast<uint8_t>(value);
    case DType::u16: return static_cast<uint16_t>(value);
    case DType::u32: return static_cast<uint32_t>(value);
    case DType::boolean: return value != 0;
    case DType::i4: return (value & 15) - ((value & 8) << 1);
    case DType::u4: return value & 15;
    case DType::i2: return (value & 3) - ((value & 2) << 1);
    case DType::u2: return value & 3;
    default: return value;
  }
}

double float_call(Fn fn, double a, double b) {
  switch (fn) {
    case Fn::add: return a + b;
    case Fn::sub: return a - b;
    case Fn::mul: return a * b;
    case Fn::div: return a / b;
    case Fn::fmod: return std::fmod(a, b);
    case Fn::mod: {
      const double r = std::fmod(a, b);
      return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    }
    case Fn::min: return std::isnan(a) || std::isnan(b) ? std::nan("") : std::min(a, b);
    case Fn::max: return std::isnan(a) || std::isnan(b) ? std::nan("") : std::max(a, b);
    case Fn::pow: return std::pow(a, b);
    case Fn::atan2: return std::atan2(a, b);
    case Fn::neg: return -a;
    case Fn::abs: return std::abs(a);
    case Fn::sign: return std::isnan(a) ? a : static_cast<double>((a > 0) - (a < 0));
    case Fn::reciprocal: return 1 / a;
    case Fn::exp: return std::exp(a);
    case Fn::log: return std::log(a);
    case Fn::sqrt: return std::sqrt(a);
    case Fn::rsqrt: return 1 / std::sqrt(a);
    case Fn::expm1: return std::expm1(a);
    case Fn::log1p: return std::log1p(a);
    case Fn::sin: return std::sin(a);
    case Fn::cos: return std::cos(a);
    case Fn::tan: return std::tan(a);
    case Fn::asin: return std::asin(a);
    case Fn::acos: return std::acos(a);
    case Fn::atan: return std::atan(a);
    case Fn::sinh: return std::sinh(a);
    case Fn::cosh: return std::cosh(a);
    case Fn::tanh: return std::tanh(a);
    case Fn::asinh: return std::asinh(a);
    case Fn::acosh: return std::acosh(a);
    case Fn::atanh: return std::atanh(a);
    case Fn::erf: return std::erf(a);
    case Fn::sigmoid: return a >= 0 ? 1 / (1 + std::exp(-a)) : std::exp(a) / (1 + std::exp(a));
    case Fn::floor: return std::floor(a);
    case Fn::ceil: return std::ceil(a);
    case Fn::round: return std::nearbyint(a);
    case Fn::trunc: return std::trunc(a);
    default: TENREC_ASSERT(false, "{} on floats", name(fn));
  }
}

bool float_test(Fn fn, double a, double b) {
  switch (fn) {
    case Fn::is_nan: return std::isnan(a);
    case Fn::is_inf: return std::isinf(a);
    case Fn::equal: return a == b;
    case Fn::less: return a < b;
    case Fn::less_equal: return a <= b;
    default: TENREC_ASSERT(false, "{} on floats", name(fn));
  }
}

int64_t integer_pow(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
  uint64_t result = 1;
  auto b = static_cast<uint64_t>(base);
  for (auto e = static_cast<uint64_t>(exponent); e != 0; e >>= 1, b *= b) {
    if (e & 1) result *= b;
  }
  return static_cast<int64_t>(result);
}

int64_t unsigned_call(Fn fn, uint64_t a, uint64_t b) {
  switch (fn) {
    case Fn::div: return static_cast<int64_t>(b == 0 ? 0 : a / b);
    case Fn::fmod:
    case Fn::mod: return static_cast<int64_t>(b == 0 ? 0 : a % b);
    case Fn::min: return static_cast<int64_t>(std::min(a, b));
    case Fn::max: return static_cast<int64_t>(std::max(a, b));
    case Fn::less: return a < b;
    case Fn::less_equal: return a <= b;
    case Fn::abs: return static_cast<int64_t>(a);
    case Fn::sign: return a != 0;
    case Fn::shift_right: return static_cast<int64_t>(b >= 64 ? 0 : a >> b);
    default: TENREC_ASSERT(false, "{} on unsigned integers", name(fn));
  }
}

// Wrap-around arithmetic is done in uint64_t; the caller wraps the result to the dtype.
int64_t integer_call(Fn fn, DType dtype, int64_t a, int64_t b) {
  const auto ua = static_cast<uint64_t>(a);
  const auto ub = static_cast<uint64_t>(b);
  switch (fn) {
    case Fn::add: return static_cast<int64_t>(ua + ub);
    case Fn::sub: return static_cast<int64_t>(ua - ub);
    case Fn::mul: return static_cast<int64_t>(ua * ub);
    case Fn::neg: return static_cast<int64_t>(0 - ua);
    case Fn::pow: return integer_pow(a, b);
    case Fn::equal: return a == b;
    case Fn::logical_and: return a != 0 && b != 0;
    case Fn::logical_or: return a != 0 || b != 0;
    case Fn::logical_xor: return (a != 0) != (b != 0);
    case Fn::logical_not: return a == 0;
    case Fn::bit_and: return a & b;
    case Fn::bit_or: return a | b;
    case Fn::bit_xor: return a ^ b;
    case Fn::bit_not: return ~a;
    case Fn::shift_left: return static_cast<int64_t>(ub >= 64 ? 0 : ua << ub);
    case Fn::floor:
    case Fn::ceil:
    case Fn::round:
    case Fn::trunc: return a;
    case Fn::is_nan:
    case Fn::is_inf: return 0;
    default: break;
  }
  if (!is_signed(dtype)) return unsigned_call(fn, ua, ub);
  switch (fn) {
    // INT64_MIN / -1 wraps, like every other overflow.
    case Fn::div: return b == 0 ? 0 : b == -1 ? static_cast<int64_t>(0 - ua) : a / b;
    case Fn::fmod: return b == 0 || b == -1 ? 0 : a % b;
    case Fn::mod: {
      if (b == 0 || b == -1) return 0;
      const int64_t r = a % b;
      return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    }
    case Fn::min: return std::min(a, b);
    case Fn::max: return std::max(a, b);
    case Fn::less: return a < b;
    case Fn::less_equal: return a <= b;
    case Fn::abs: return a < 0 ? static_cast<int64_t>(0 - ua) : a;
    case Fn::sign: return (a > 0) - (a < 0);
    case Fn::shift_right: return b >= 64 ? (a < 0 ? -1 : 0) : a >> b;
    default: TENREC_ASSERT(false, "{} on integers", name(fn));
  }
}

Scalar cast_scalar(const Scalar& x, DType from, DType to) {
  if (is_float(to)) {
    double value = x.f;
    if (!is_float(from)) {
      value = from == DType::u64 ? static_cast<double>(static_cast<uint64_t>(x.i))
                                 : static_cast<double>(x.i);
    }
    // A cast is the one operation whose point is to round.
    return {Tensor::from_doubles(to, {}, std::array{value}).to_doubles()[0], 0};
  }
  if (!is_float(from)) return {0, wrap(to, x.i)};
  if (to == DType::boolean) return {0, x.f != 0};
  if (to == DType::u64 && x.f >= 9223372036854775808.0) {
    return {0, static_cast<int64_t>(x.f < 18446744073709551616.0 ? static_cast<uint64_t>(x.f)
                                                                 : ~uint64_t{0})};
  }
  if (std::isnan(x.f)) return {0, 0};
  const double limit = 9223372036854775807.0;
  const int64_t value = x.f >= limit    ? std::numeric_limits<int64_t>::max()
                        : x.f <= -limit ? std::numeric_limits<int64_t>::min()
                                        : static_cast<int64_t>(x.f);
  return {0, wrap(to, value)};
}

Scalar evaluate_node(const ExprProgram& program, const ExprNode& node,
                     const std::vector<Scalar>& values) {
  const Scalar& a = values[static_cast<size_t>(node.a)];
  const DType from = program.nodes[static_cast<size_t>(node.a)].dtype;
  if (node.fn == Fn::cast) return cast_scalar(a, from, node.dtype);
  if (node.fn == Fn::select) return values[static_cast<size_t>(a.i != 0 ? node.b : node.c)];
  const Scalar& b = node.b >= 0 ? values[static_cast<size_t>(node.b)] : a;
  if (is_float(from)) {
    if (gives_bool(node.fn)) return {0, float_test(node.fn, a.f, b.f)};
    return {float_call(node.fn, a.f, b.f), 0};
  }
  return {0, wrap(node.dtype, integer_call(node.fn, from, a.i, b.i))};
}

// Element offset of each input for the running output index, stepped without divisions.
class Odometer {
 public:
  Odometer(const Dims& out, const std::vector<Tensor>& inputs) : dims_(out), index_(out.size(), 0) {
    for (const Tensor& input : inputs) {
      Dims strides(out.size(), 0);
      const Dims own = row_major_strides(input.dims());
      const size_t shift = out.size() - input.dims().size();
      for (size_t i = 0; i < input.dims().size(); ++i) {
        if (input.dims()[i] != 1) strides[i + shift] = own[i];
      }
      strides_.push_back(std::move(strides));
    }
    offsets_.assign(inputs.size(), 0);
  }
  size_t offset(size_t input) const { return static_cast<size_t>(offsets_[input]); }
  void next() {
    for (size_t axis = dims_.size(); axis-- > 0;) {
      const bool wraps = ++index_[axis] == dims_[axis];
      for (size_t i = 0; i < offsets_.size(); ++i) {
        offsets_[i] += wraps ? strides_[i][axis] * (1 - dims_[axis]) : strides_[i][axis];
      }
      if (!wraps) return;
      index_[axis] = 0;
    }
  }

 private:
  Dims dims_, index_;
  std::vector<Dims> strides_;
  Dims offsets_;
};

}  // namespace

std::string_view name(Fn fn) {
  const FnInfo* info = find(fn);
  return info ? info->name : "?";
}

int arity(Fn fn) {
  const FnInfo* info = find(fn);
  return info ? info->arity : -1;
}

int32_t ExprProgram::add(ExprNode node) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    // NaN constants never compare equal and are simply repeated.
    if (nodes[i] == node) return static_cast<int32_t>(i);
  }
  nodes.push_back(node);
  return static_cast<int32_t>(nodes.size() - 1);
}

std::string ExprProgram::str() const {
  std::string text;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const ExprNode& n = nodes[i];
    std::string args;
    if (n.fn == Fn::input) args = fmt::format("{}", n.input);
    else if (n.fn == Fn::constant)
      args = is_float(n.dtype) ? fmt::format("{}", n.value) : fmt::format("{}", n.integer);
    for (const int32_t arg : {n.a, n.b, n.c}) {
      if (arg >= 0) args += fmt::format("{}%{}", args.empty() ? "" : " ", arg);
    }
    text += fmt::format("%{} = {} {} : {}\n", i, tenrec::name(n.fn), args, tenrec::name(n.dtype));
  }
  return text + fmt::format("return {}\n", fmt::join(outputs, ", "));
}

namespace {

bool takes(Fn fn, DType dtype) {
  const bool floats_only =
      fn == Fn::reciprocal || fn == Fn::atan2 || (fn >= Fn::exp && fn <= Fn::sigmoid);
  const bool integers_only = fn >= Fn::logical_and && fn <= Fn::shift_right;
  return is_float(dtype) ? !integers_only : !floats_only;
}

}  // namespace

void validate(const ExprProgram& program) {
  const auto check = [](bool ok, size_t i, const char* what) {
    TENREC_CHECK(ok, invalid_engine, "expression node {}: {}", i, what);
  };
  TENREC_CHECK(program.nodes.size() <= 4096, invalid_engine,
               "an expression has {} nodes, limit 4096", program.nodes.size());
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const ExprNode& node = program.nodes[i];
    const int wanted = arity(node.fn);
    check(wanted >= 0, i, "unknown function");
    check(bit_width(node.dtype) > 0, i, "type is not numeric");
    const std::array args{node.a, node.b, node.c};
    for (int k = 0; k < 3; ++k) {
      const int32_t arg = args[static_cast<size_t>(k)];
      check(k < wanted ? arg >= 0 && arg < static_cast<int32_t>(i) : arg == -1, i,
            "argument is not an earlier node");
    }
    if (node.fn == Fn::input)
      check(node.input >= 0 && node.input < program.inputs, i, "no such input");
    const auto type_of = [&](int32_t arg) { return program.nodes[static_cast<size_t>(arg)].dtype; };
    if (node.fn == Fn::select) {
      check(type_of(node.a) == DType::boolean && type_of(node.b) == node.dtype &&
                type_of(node.c) == node.dtype,
            i, "select of mismatched types");
    } else if (wanted == 2) {
      check(type_of(node.a) == type_of(node.b), i, "arguments differ in type");
    }
    if (wanted > 0 && node.fn != Fn::cast && node.fn != Fn::select) {
      TENREC_CHECK(takes(node.fn, type_of(node.a)), invalid_engine, "{} has no meaning for {}",
                   name(node.fn), name(type_of(node.a)));
      check(gives_bool(node.fn) ? node.dtype == DType::boolean : node.dtype == type_of(node.a), i,
            "wrong result type");
    }
  }
  for (const int32_t out : program.outputs) {
    check(out >= 0 && out < static_cast<int32_t>(program.nodes.size()), 0, "output is no node");
  }
}

DType Expr::dtype() const {
  TENREC_ASSERT(typed());
  return program_->nodes[static_cast<size_t>(node_)].dtype;
}

Expr Expr::cast(DType to) const {
  TENREC_ASSERT(typed());
  if (dtype() == to) return *this;
  ExprNode node;
  node.fn = Fn::cast;
  node.dtype = to;
  node.a = node_;
  return {*program_, program_->add(node)};
}

int32_t Expr::typed_like(const Expr& other) const {
  if (typed()) return node_;
  TENREC_ASSERT(other.typed(), "an expression of constants only");
  return other.program()->add(constant_node(other.dtype(), value_, integer_));
}

Expr call(Fn fn, const Expr& a) {
  TENREC_ASSERT(a.typed());
  TENREC_CHECK(a.dtype() != DType::string, invalid_model, "{} of strings", name(fn));
  ExprNode node;
  node.fn = fn;
  node.dtype = gives_bool(fn) ? DType::boolean : a.dtype();
  node.a = a.node();
  return {*a.program(), a.program()->add(node)};
}

Expr call(Fn fn, const Expr& a, const Expr& b) {
  const Expr& typed = a.typed() ? a : b;
  TENREC_CHECK(typed.dtype() != DType::string || fn == Fn::equal, invalid_model, "{} of strings",
               name(fn));
  if (a.typed() && b.typed()) {
    TENREC_CHECK(a.dtype() == b.dtype(), invalid_model,
                 "{} of {} and {}: both operands must have one type; insert a Cast", name(fn),
                 name(a.dtype()), name(b.dtype()));
  }
  ExprNode node;
  node.fn = fn;
  node.a = a.typed_like(typed);
  node.b = b.typed_like(typed);
  node.dtype = gives_bool(fn) ? DType::boolean : typed.dtype();
  return {*typed.program(), typed.program()->add(node)};
}

Expr select(const Expr& condition, const Expr& a, const Expr& b) {
  const Expr& typed = a.typed() ? a : b;
  ExprNode node;
  node.fn = Fn::select;
  TENREC_CHECK(condition.typed() && condition.dtype() == DType::boolean, invalid_model,
               "choosing by a condition that is not bool");
  node.a = condition.node();
  if (a.typed() && b.typed()) {
    TENREC_CHECK(a.dtype() == b.dtype(), invalid_model, "choosing between {} and {}",
                 name(a.dtype()), name(b.dtype()));
  }
  node.b = a.typed_like(typed);
  node.c = b.typed_like(typed);
  node.dtype = typed.dtype();
  return {*typed.program(), typed.program()->add(node)};
}

namespace {

// Strings take part as numbers: equal strings are equal numbers.
class StringNumbers {
 public:
  explicit StringNumbers(const std::vector<Tensor>& inputs) {
    for (const Tensor& input : inputs) {
      if (input.dtype() != DType::string) continue;
      texts_.insert(texts_.end(), input.strings().begin(), input.strings().end());
    }
    std::sort(texts_.begin(), texts_.end());
    texts_.erase(std::unique(texts_.begin(), texts_.end()), texts_.end());
  }

  std::vector<int64_t> numbers(const Tensor& tensor) const {
    std::vector<int64_t> result;
    for (const std::string& text : tensor.strings())
      result.push_back(std::lower_bound(texts_.begin(), texts_.end(), text) - texts_.begin());
    return result;
  }

  Tensor strings(const Dims& dims, const std::vector<int64_t>& numbers) const {
    std::vector<std::string> result;
    for (const int64_t number : numbers) result.push_back(texts_[static_cast<size_t>(number)]);
    return Tensor::of_strings(dims, std::move(result));
  }

 private:
  std::vector<std::string> texts_;
};

}  // namespace

std::vector<Tensor> evaluate(const ExprProgram& program, const std::vector<Tensor>& inputs) {
  const StringNumbers texts(inputs);
  Dims dims;
  std::vector<std::vector<double>> floats(inputs.size());
  std::vector<std::vector<int64_t>> ints(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    dims = broadcast_dims(dims, inputs[i].dims());
    if (is_float(inputs[i].dtype())) floats[i] = inputs[i].to_doubles();
    else if (inputs[i].dtype() == DType::string) ints[i] = texts.numbers(inputs[i]);
    else ints[i] = inputs[i].to_ints();
  }
  const size_t count = static_cast<size_t>(element_count(dims));
  std::vector<std::vector<double>> out_floats(program.outputs.size());
  std::vector<std::vector<int64_t>> out_ints(program.outputs.size());
  const auto type_of = [&](size_t k) {
    return program.nodes[static_cast<size_t>(program.outputs[k])].dtype;
  };
  for (size_t k = 0; k < program.outputs.size(); ++k) {
    (is_float(type_of(k)) ? out_floats[k].resize(count) : out_ints[k].resize(count));
  }
  std::vector<Scalar> values(program.nodes.size());
  Odometer at(dims, inputs);
  for (size_t element = 0; element < count; ++element, at.next()) {
    for (size_t n = 0; n < program.nodes.size(); ++n) {
      const ExprNode& node = program.nodes[n];
      const auto input = static_cast<size_t>(node.input);
      if (node.fn == Fn::constant) values[n] = {node.value, node.integer};
      else if (node.fn == Fn::input)
        values[n] = is_float(node.dtype) ? Scalar{floats[input][at.offset(input)], 0}
                                         : Scalar{0, ints[input][at.offset(input)]};
      else values[n] = evaluate_node(program, node, values);
    }
    for (size_t k = 0; k < program.outputs.size(); ++k) {
      const Scalar& value = values[static_cast<size_t>(program.outputs[k])];
      if (is_float(type_of(k))) out_floats[k][element] = value.f;
      else out_ints[k][element] = value.i;
    }
  }
  std::vector<Tensor> outputs;
  for (size_t k = 0; k < program.outputs.size(); ++k) {
    if (type_of(k) == DType::string) {
      outputs.push_back(texts.strings(dims, out_ints[k]));
      continue;
    }
    outputs.push_back(is_float(type_of(k)) ? Tensor::from_doubles(type_of(k), dims, out_floats[k])
                                           : Tensor::from_ints(type_of(k), dims, out_ints[k]));
  }
  return outputs;
}

}  // namespace tenrec
