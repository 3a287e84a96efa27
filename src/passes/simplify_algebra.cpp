// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "ops/elementwise.h"
#include "passes/simplify_rules.h"

namespace tenrec {
namespace {

// Takes the other operand if it already has the result's type.
bool keep_operand(Rewriter& rw, const Node& node, size_t i) {
  if (!same_type(*node.input(i), *node.output())) return false;
  rw.replace(node, {node.input(i)});
  return true;
}

template <class T>
bool constant_to_the_right(Rewriter& rw, const Node& node, const T& op) {
  if (!node.input(0)->constant() || node.input(1)->constant()) return false;
  rw.replace(node, op, {node.input(1), node.input(0)});
  return true;
}

bool drop_add(Rewriter& rw, const Node& node, const Add&) {
  return is_uniform(node.input(1), 0) && keep_operand(rw, node, 0);
}

bool drop_sub(Rewriter& rw, const Node& node, const Sub&) {
  return is_uniform(node.input(1), 0) && keep_operand(rw, node, 0);
}

bool drop_mul(Rewriter& rw, const Node& node, const Mul&) {
  return is_uniform(node.input(1), 1) && keep_operand(rw, node, 0);
}

bool drop_div(Rewriter& rw, const Node& node, const Div&) {
  return is_uniform(node.input(1), 1) && keep_operand(rw, node, 0);
}

// The constant operand element by element; the replacement is exact, so the values stay the same.
template <class New>
bool with_changed_constant(Rewriter& rw, const Node& node, double (*change)(double)) {
  const Tensor* constant = node.input(1)->constant();
  std::vector<double> values = constant->to_doubles();
  for (double& value : values) value = change(value);
  rw.replace(node, New{},
             {node.input(0), constant_like(rw, node, *node.input(1), constant->dims(), values)});
  return true;
}

bool sub_to_add(Rewriter& rw, const Node& node, const Sub&) {
  const Tensor* constant = node.input(1)->constant();
  if (!constant || !is_float(constant->dtype()) || node.input(0)->constant()) return false;
  return with_changed_constant<Add>(rw, node, [](double x) { return -x; });
}

bool is_exact_divisor(double x) {
  int exponent = 0;
  return std::abs(std::frexp(x, &exponent)) == 0.5 && exponent > -100 && exponent < 100;
}

bool div_to_mul(Rewriter& rw, const Node& node, const Div&) {
  const Tensor* constant = node.input(1)->constant();
  if (!constant || (constant->dtype() != DType::f32 && constant->dtype() != DType::f64))
    return false;
  for (const double value : constant->to_doubles()) {
    if (!is_exact_divisor(value)) return false;
  }
  return with_changed_constant<Mul>(rw, node, [](double x) { return 1 / x; });
}

// Small whole powers as products: as exact, and far cheaper.
bool pow_to_mul(Rewriter& rw, const Node& node, const Pow&) {
  Value* x = node.input(0);
  const std::optional<double> exponent = uniform_value(node.input(1));
  if (!exponent || !is_float(x->type.dtype) || !same_type(*x, *node.output())) return false;
  if (*exponent == 1) return keep_operand(rw, node, 0);
  if (*exponent != 2 && *exponent != 3) return false;
  Value* square = rw.insert(node, Mul{}, {x, x});
  rw.replace(node, {*exponent == 2 ? square : rw.insert(node, Mul{}, {square, x})});
  return true;
}

template <class T>
bool drop_double(Rewriter& rw, const Node& node, const T&) {
  const Node* before = producer_of<T>(node.input(0));
  if (!before) return false;
  rw.replace(node, {before->input(0)});
  return true;
}

template <class T>
bool drop_repeated(Rewriter& rw, const Node& node, const T&) {
  if (!producer_of<T>(node.input(0))) return false;
  rw.replace(node, {node.input(0)});
  return true;
}

template <class T>
bool drop_alone(Rewriter& rw, const Node& node, const T&) {
  return node.inputs().size() == 1 && keep_operand(rw, node, 0);
}

bool sum_to_add(Rewriter& rw, const Node& node, const Sum&) {
  if (node.inputs().size() != 2) return false;
  rw.replace(node, Add{}, node.inputs());
  return true;
}

bool where_of_same(Rewriter& rw, const Node& node, const Where&) {
  const std::optional<double> condition = uniform_value(node.input(0));
  if (condition) return keep_operand(rw, node, *condition != 0 ? 1 : 2);
  return node.input(1) == node.input(2) && keep_operand(rw, node, 1);
}

bool drop_clip(Rewriter& rw, const Node& node, const Clip& op) {
  const bool open = std::isinf(op.min) && op.min < 0 && std::isinf(op.max) && op.max > 0;
  return open && keep_operand(rw, node, 0);
}

// Two bounds in a row are one pair, when they do not exclude each other.
bool fold_clip(Rewriter& rw, const Node& node, const Clip& op) {
  const Node* before = producer_of<Clip>(node.input(0));
  if (!before) return false;
  const Clip& first = *before->as<Clip>();
  const Clip both{.min = std::max(op.min, first.min), .max = std::min(op.max, first.max)};
  if (both.min > both.max || first.min > first.max || op.min > op.max) return false;
  rw.replace(node, both, {before->input(0)});
  return true;
}

}  // namespace

std::vector<Rule> algebra_rules() {
  return {rule<Add>("constant_to_the_right", constant_to_the_right<Add>),
          rule<Mul>("constant_to_the_right", constant_to_the_right<Mul>),
          rule<Add>("drop_add", drop_add),
          rule<Sub>("drop_sub", drop_sub),
          rule<Mul>("drop_mul", drop_mul),
          rule<Div>("drop_div", drop_div),
          rule<Sub>("sub_to_add", sub_to_add),
          rule<Div>("div_to_mul", div_to_mul),
          rule<Pow>("pow_to_mul", pow_to_mul),
          rule<Neg>("drop_double", drop_double<Neg>),
          rule<Not>("drop_double", drop_double<Not>),
          rule<Relu>("drop_repeated", drop_repeated<Relu>),
          rule<Abs>("drop_repeated", drop_repeated<Abs>),
          rule<Sum>("drop_alone", drop_alone<Sum>),
          rule<Mean>("drop_alone", drop_alone<Mean>),
          rule<Max>("drop_alone", drop_alone<Max>),
          rule<Min>("drop_alone", drop_alone<Min>),
          rule<Sum>("sum_to_add", sum_to_add),
          rule<Where>("where_of_same", where_of_same),
          rule<Clip>("drop_clip", drop_clip),
          rule<Clip>("fold_clip", fold_clip)};
}

}  // namespace tenrec
