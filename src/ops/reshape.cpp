// SPDX-License-Identifier: Apache-2.0
#include "ops/reshape.h"

#include <algorithm>
#include <numeric>

#include "ops/movement.h"
#include "ops/onnx_context.h"

namespace tenrec {
namespace {

// The factors of a product, with all constants gathered into one.
struct Factors {
  int64_t constant = 1;
  std::vector<Dim> symbolic;
};

void add_factor(Factors& factors, const Dim& dim) {
  if (dim.is_const()) {
    TENREC_CHECK(!__builtin_mul_overflow(factors.constant, dim.value(), &factors.constant),
                 invalid_model, "the number of elements overflows");
  } else if (dim.kind() == Dim::Kind::mul) {
    for (const Dim& operand : dim.operands()) add_factor(factors, operand);
  } else {
    factors.symbolic.push_back(dim);
  }
}

Factors factors_of(const Shape& shape) {
  Factors factors;
  for (const Dim& dim : shape) add_factor(factors, dim);
  return factors;
}

Dim product_of(const Factors& factors) {
  Dim result(factors.constant);
  for (const Dim& dim : factors.symbolic) result = result * dim;
  return result;
}

// total / known, where Reshape's rules make the division exact. Equal factors cancel first, which
// keeps the rest in the form that later operators compare with.
Dim exact_quotient(const Shape& total, const Shape& known) {
  Factors above = factors_of(total);
  Factors below = factors_of(known);
  for (auto it = below.symbolic.begin(); it != below.symbolic.end();) {
    const auto found = std::find(above.symbolic.begin(), above.symbolic.end(), *it);
    if (found == above.symbolic.end()) {
      ++it;
      continue;
    }
    above.symbolic.erase(found);
    it = below.symbolic.erase(it);
  }
  if (below.constant == 0 || above.constant == 0) {
    TENREC_CHECK(above.constant == 0, invalid_model,
                 "shape {} cannot become {} with one size to find", to_string(total),
                 to_string(known));
    TENREC_CHECK(below.constant != 0, invalid_model,
                 "a size of -1 beside a size of 0 has no value (shape {})", to_string(known));
    return Dim(0);
  }
  const int64_t common = std::gcd(above.constant, below.constant);
  above.constant /= common;
  below.constant /= common;
  if (above.symbolic.empty() && below.symbolic.empty()) {
    TENREC_CHECK(below.constant == 1, invalid_model,
                 "{} elements of shape {} do not divide by those of {}", product(total).str(),
                 to_string(total), to_string(known));
    return Dim(above.constant);
  }
  const Dim divisor = product_of(below);
  const Dim dividend = product_of(above);
  if (divisor == Dim(1)) return dividend;
  // A size that may be 0 cannot divide; where it is 0, so is the product, and any quotient will do.
  return floordiv(dividend, tight_max(divisor, Dim(1)));
}

void check_same_count(const Type& from, const Shape& to) {
  if (!from.ranked) return;
  const Dim before = product(from.shape);
  const Dim after = product(to);
  TENREC_CHECK(!before.is_const() || !after.is_const() || before == after, invalid_model,
               "shape {} has {} elements, shape {} has {}", to_string(from.shape), before.str(),
               to_string(to), after.str());
}

}  // namespace

Shape reshaped_shape(const Type& from, const std::vector<Dim>& target, bool allowzero) {
  Shape shape;
  std::optional<size_t> wanted;
  for (size_t i = 0; i < target.size(); ++i) {
    const Dim& size = target[i];
    if (size.is_const() && size.value() == -1) {
      TENREC_CHECK(!wanted, invalid_model, "a Reshape target has at most one -1, got {}",
                   to_string(target));
      wanted = i;
      shape.emplace_back(1);
    } else if (size.is_const() && size.value() == 0 && !allowzero) {
      TENREC_CHECK(!from.ranked || i < from.shape.size(), invalid_model,
                   "a Reshape target has 0 at axis {}, the input has {} axes", i,
                   from.shape.size());
      shape.push_back(from.ranked ? from.shape[i] : Dim::fresh("reshape"));
    } else {
      TENREC_CHECK(size.upper() >= 0, invalid_model, "a Reshape target has size {}", size.str());
      shape.push_back(size);
    }
  }
  if (!wanted) {
    check_same_count(from, shape);
    return shape;
  }
  if (!from.ranked) {
    shape[*wanted] = Dim::fresh("reshape");
    return shape;
  }
  Shape others = shape;
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(*wanted));
  shape[*wanted] = exact_quotient(from.shape, others);
  return shape;
}

namespace {

// A value that came in as data (a symbol that may be negative) might be -1: only running tells.
bool may_be_minus_one(const Dim& size) {
  const SymbolRef symbol = size.as_symbol();
  return symbol && symbol->lower < 0;
}

Shape unknown_target(const Type& from, int64_t length) {
  const Dim total = from.ranked ? product(from.shape) : Dim::fresh("elements");
  if (length == 1) return {total};
  // Beside a size of 0 the others may be anything.
  const int64_t most = total.lower() >= 1 ? total.upper() : Dim::unbounded;
  Shape shape;
  for (int64_t i = 0; i < length; ++i) {
    shape.push_back(Dim::fresh(fmt::format("reshape{}", i), 0, most));
  }
  return shape;
}

}  // namespace

Types Reshape::infer(const Types& in) const {
  check_input_count(in, 2, 2, "Reshape");
  const Type& data = tensor_input(in, 0, "Reshape");
  const Type& target = integer_input(in, 1, "Reshape");
  check_list(target, "the shape of Reshape");
  const std::vector<Dim>* known = target.known_ints();
  if (!known || std::any_of(known->begin(), known->end(), may_be_minus_one)) {
    const std::optional<int64_t> length = constant_length(target);
    if (!length) return {Type::unranked(data.dtype)};
    return {with_same_known(Type::tensor(data.dtype, unknown_target(data, *length)), data)};
  }
  return {with_same_known(Type::tensor(data.dtype, reshaped_shape(data, *known, allowzero)), data)};
}

Tensors Reshape::eval(const Tensors& in) const {
  const std::vector<int64_t> target = in[1].to_ints();
  const Shape from(in[0].dims().begin(), in[0].dims().end());
  const std::vector<Dim> to(target.begin(), target.end());
  const Shape shape = reshaped_shape(Type::tensor(in[0].dtype(), from), to, allowzero);
  return {in[0].reshaped(static_dims(shape))};
}

Values Reshape::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Reshape op;
  op.allowzero = node.integer("allowzero", 0) != 0;
  if (node.opset() >= 5) return context.add(op, context.inputs());
  const std::vector<int64_t> shape = node.integers("shape");
  const Dims dims{static_cast<int64_t>(shape.size())};
  return context.add(op, {context.input(0), context.constant(Tensor::of(dims, shape))});
}

}  // namespace tenrec
