// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "ops/elementwise.h"
#include "passes/recognise.h"

namespace tenrec {
namespace {

bool is_close(double a, double b) { return std::abs(a - b) <= 1e-5 * std::abs(b); }

// A product taken apart: `number` * the factors. Inner products count where nobody else reads them.
struct Product {
  double number = 1;
  std::vector<const Value*> factors;
};

void collect_factors(const Value* value, bool outermost, Product& product) {
  constexpr size_t most = 6;
  const std::optional<double> number = uniform_value(value);
  if (number && is_float(value->type.dtype)) {
    product.number *= *number;
    return;
  }
  if (product.factors.size() < most && (outermost || used_once(value))) {
    if (const Node* mul = producer_of<Mul>(value)) {
      for (const Value* input : mul->inputs()) collect_factors(input, false, product);
      return;
    }
    const Node* div = producer_of<Div>(value);
    const std::optional<double> divisor = div ? uniform_value(div->input(1)) : std::nullopt;
    if (divisor && *divisor != 0 && is_float(value->type.dtype)) {
      product.number /= *divisor;
      collect_factors(div->input(0), false, product);
      return;
    }
  }
  product.factors.push_back(value);
}

Product product_of(const Value* value) {
  Product product;
  collect_factors(value, true, product);
  return product;
}

// value = number * x?
bool is_scaled(const Value* value, const Value* x, double number) {
  const Product product = product_of(value);
  return product.factors == std::vector<const Value*>{x} && is_close(product.number, number);
}

// value = x^power * number?
bool is_power(const Value* value, const Value* x, size_t power, double number) {
  const Product product = product_of(value);
  return product.factors == std::vector<const Value*>(power, x) && is_close(product.number, number);
}

// The operand beside a uniform constant of a sum.
const Value* beside(const Value* sum, double number) {
  const Node* add = producer_of<Add>(sum);
  if (!add) return nullptr;
  const std::optional<double> constant = uniform_value(add->input(1));
  return constant && is_close(*constant, number) ? add->input(0) : nullptr;
}

// sqrt(2 / pi) * (x + 0.044715 x^3), or the same with x taken out.
bool is_gelu_polynomial(const Value* value, const Value* x) {
  constexpr double root = 0.7978845608028654;
  constexpr double cubic = 0.044715;
  const Product product = product_of(value);
  if (!is_close(product.number, root)) return false;
  if (product.factors.size() == 1) {
    const Node* add = producer_of<Add>(product.factors[0]);
    if (!add) return false;
    for (const size_t i : {size_t{0}, size_t{1}}) {
      if (add->input(i) == x && is_power(add->input(1 - i), x, 3, cubic)) return true;
    }
    return false;
  }
  if (product.factors.size() != 2) return false;
  for (const size_t i : {size_t{0}, size_t{1}}) {
    const Value* square = product.factors[i] == x ? beside(product.factors[1 - i], 1) : nullptr;
    if (square && is_power(square, x, 2, cubic)) return true;
  }
  return false;
}

// 0.5 x (1 + erf(x / sqrt(2))), or with tanh of a polynomial.
std::optional<Op> gelu_of(const Value* x, const Value* other, double number) {
  const Value* inner = is_close(number, 0.5) ? beside(other, 1) : nullptr;
  if (!inner) return std::nullopt;
  if (const Node* erf = producer_of<Erf>(inner)) {
    if (is_scaled(erf->input(0), x, 0.7071067811865476)) return Gelu{};
  }
  if (const Node* tanh = producer_of<Tanh>(inner)) {
    if (is_gelu_polynomial(tanh->input(0), x)) return Gelu{.approximate = "tanh"};
  }
  return std::nullopt;
}

// x * sigmoid(alpha x), x * hard_sigmoid(x), x * tanh(softplus(x)).
std::optional<Op> gate_of(const Value* x, const Value* gate) {
  if (const Node* sigmoid = producer_of<Sigmoid>(gate)) {
    if (sigmoid->input(0) == x) return Swish{};
    const Product inner = product_of(sigmoid->input(0));
    if (inner.factors == std::vector<const Value*>{x})
      return Swish{.alpha = static_cast<float>(inner.number)};
  }
  if (const Node* hard = producer_of<HardSigmoid>(gate); hard && hard->input(0) == x) {
    const HardSigmoid& op = *hard->as<HardSigmoid>();
    if (is_close(static_cast<double>(op.alpha), 1.0 / 6) && op.beta == 0.5F) return HardSwish{};
  }
  if (const Node* tanh = producer_of<Tanh>(gate)) {
    const Node* softplus = producer_of<Softplus>(tanh->input(0));
    if (softplus && softplus->input(0) == x) return Mish{};
  }
  return std::nullopt;
}

// clip(x + 3, 0, 6), the numerator of hard sigmoid and hard swish.
const Value* hard_ramp(const Value* value) {
  const Node* clip = producer_of<Clip>(value);
  if (!clip || clip->as<Clip>()->min != 0 || clip->as<Clip>()->max != 6) return nullptr;
  return beside(clip->input(0), 3);
}

bool replace_by(Rewriter& rw, const Node& node, const Value* x, const std::optional<Op>& op) {
  if (!op || !same_type(*x, *node.output())) return false;
  rw.replace(node, *op, {const_cast<Value*>(x)});
  return true;
}

bool recognise_activation(Rewriter& rw, const Node& node) {
  if (!is_float(node.output()->type.dtype)) return false;
  const Product product = product_of(node.output());
  if (product.factors.size() == 1 && is_close(product.number, 1.0 / 6)) {
    const Value* x = hard_ramp(product.factors[0]);
    return x && replace_by(rw, node, x, HardSigmoid{.alpha = 1.0F / 6, .beta = 0.5F});
  }
  if (product.factors.size() != 2) return false;
  for (const size_t i : {size_t{0}, size_t{1}}) {
    const Value* x = product.factors[i];
    const Value* other = product.factors[1 - i];
    std::optional<Op> op = gelu_of(x, other, product.number);
    if (!op && product.number == 1) op = gate_of(x, other);
    if (!op && is_close(product.number, 1.0 / 6) && hard_ramp(other) == x) op = HardSwish{};
    if (replace_by(rw, node, x, op)) return true;
  }
  return false;
}

bool recognise_product(Rewriter& rw, const Node& node, const Mul&) {
  return recognise_activation(rw, node);
}
bool recognise_quotient(Rewriter& rw, const Node& node, const Div&) {
  return uniform_value(node.input(1)) && recognise_activation(rw, node);
}

}  // namespace

std::vector<Rule> activation_rules() {
  return {rule<Mul>("recognise_product", recognise_product),
          rule<Div>("recognise_quotient", recognise_quotient)};
}

}  // namespace tenrec
