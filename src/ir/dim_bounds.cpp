// SPDX-License-Identifier: Apache-2.0
// Interval bounds and proofs.
//
// A proof of a >= b looks at a - b as a rational linear form and replaces its atoms, deepest first,
// by bounds: floordiv(u, k) lies between (u - (k - 1)) / k and u / k, min and max are split into
// their operands. What remains is bounded by intervals. As a - b is an integer, a bound > -1 is
// enough.
#include <algorithm>
#include <bit>
#include <cmath>

#include "ir/dim_node.h"

namespace tenrec {
namespace {

using Kind = Dim::Kind;

constexpr int64_t minus_infinity = INT64_MIN;
constexpr int64_t infinity = INT64_MAX;
constexpr int proof_budget = 200;

bool is_infinite(int64_t bound) { return bound == minus_infinity || bound == infinity; }

int64_t saturate(int128 value) {
  if (value <= minus_infinity) return minus_infinity;
  return value >= infinity ? infinity : static_cast<int64_t>(value);
}

int64_t times(int64_t a, int64_t b) {
  if (a == 0 || b == 0) return 0;
  if (is_infinite(a) || is_infinite(b)) return (a < 0) == (b < 0) ? infinity : minus_infinity;
  return saturate(int128{a} * b);
}

// A rational linear form: (constant + sum of numerator * product) / denominator.
class Form {
 public:
  struct Part {
    const DimNode* product;
    int128 numerator;
  };

  // Adds numerator / denominator times `dim`.
  void add(const Dim& dim, int128 numerator) {
    const LinearView view(dim);
    add_constant(multiply(numerator, view.constant()));
    for (const Term& term : view.terms()) {
      add_product(term.product.get(), multiply(numerator, term.coefficient));
    }
  }
  void add_product(const DimNode* product, int128 numerator) {
    for (Part& part : parts_) {
      if (!equal_nodes(part.product, product)) continue;
      part.numerator = sum(part.numerator, numerator);
      return;
    }
    parts_.push_back({product, numerator});
  }
  void add_constant(int128 numerator) { constant_ = sum(constant_, numerator); }
  void scale(int128 factor) {
    denominator_ = multiply(denominator_, factor);
    constant_ = multiply(constant_, factor);
    for (Part& part : parts_) part.numerator = multiply(part.numerator, factor);
  }
  void remove(size_t index) { parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(index)); }

  bool valid() const { return valid_; }
  const std::vector<Part>& parts() const { return parts_; }
  int128 denominator() const { return denominator_; }

  // Lower bound (its numerator) from intervals; nothing when there is none.
  std::optional<int128> lower() {
    int128 total = constant_;
    for (const Part& part : parts_) {
      if (part.numerator == 0) continue;
      const int64_t bound = bound_below(part);
      if (is_infinite(bound)) return std::nullopt;
      total = sum(total, multiply(part.numerator, bound));
    }
    return valid_ ? std::optional(total) : std::nullopt;
  }

  // The bound of the product that bounds numerator * product from below.
  static int64_t bound_below(const Part& part) {
    return part.numerator > 0 ? part.product->bounds.lower : part.product->bounds.upper;
  }

  // The deepest atom (nothing else contains it) that `accept` takes; -1: none.
  template <class Accept>
  int deepest(Accept&& accept) const {
    int best = -1;
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i].numerator == 0 || !accept(*parts_[i].product)) continue;
      if (best < 0 || parts_[i].product->depth > parts_[static_cast<size_t>(best)].product->depth) {
        best = static_cast<int>(i);
      }
    }
    return best;
  }

  void relax_floordiv(size_t index) {
    const Part part = parts_[index];
    const int64_t divisor = part.product->operands[1].value();
    remove(index);
    scale(divisor);
    add(part.product->operands[0], part.numerator);
    if (part.numerator > 0) add_constant(multiply(-part.numerator, divisor - 1));
  }

 private:
  int128 multiply(int128 a, int128 b) {
    int128 result = 0;
    if (__builtin_mul_overflow(a, b, &result)) valid_ = false;
    return result;
  }
  int128 sum(int128 a, int128 b) {
    int128 result = 0;
    if (__builtin_add_overflow(a, b, &result)) valid_ = false;
    return result;
  }

  bool valid_ = true;
  int128 denominator_ = 1;
  int128 constant_ = 0;
  std::vector<Part> parts_;
};

bool is_linear_floordiv(const DimNode& node) {
  return node.kind == Kind::floordiv && node.operands[1].is_const();
}

bool is_replaceable(const DimNode& node) {
  switch (node.kind) {
    case Kind::floordiv: return is_linear_floordiv(node);
    case Kind::mod:
    case Kind::min:
    case Kind::max:
    case Kind::broadcast: return true;
    default: return false;
  }
}

// Operands that broadcast and are >= 1 broadcast to the largest of them.
bool is_maximum(const DimNode& node) {
  if (node.kind == Kind::max) return true;
  return node.kind == Kind::broadcast &&
         std::all_of(node.operands.begin(), node.operands.end(),
                     [](const Dim& operand) { return operand.lower() >= 1; });
}

// Whether the form, an integer, is >= 0.
bool prove(Form form, int& budget) {
  if (--budget < 0 || !form.valid()) return false;
  if (const auto lower = form.lower(); lower && *lower > -form.denominator()) return true;
  const int found = form.deepest(is_replaceable);
  if (found < 0) return false;
  const auto index = static_cast<size_t>(found);
  const Form::Part part = form.parts()[index];
  const DimNode& node = *part.product;
  const auto with = [&](const Dim& replacement) {
    Form next = form;
    next.remove(index);
    next.add(replacement, part.numerator);
    return prove(std::move(next), budget);
  };
  const auto by_interval = [&] {
    const int64_t bound = Form::bound_below(part);
    return !is_infinite(bound) && with(Dim(bound));
  };
  if (node.kind == Kind::floordiv) {
    Form next = form;
    next.relax_floordiv(index);
    return prove(std::move(next), budget) || by_interval();
  }
  if (node.kind == Kind::mod) {  // mod(u, k) <= u when u >= 0
    if (by_interval()) return true;
    return part.numerator < 0 && node.operands[0].lower() >= 0 && with(node.operands[0]);
  }
  const bool any =
      (part.numerator > 0 && is_maximum(node)) || (part.numerator < 0 && node.kind == Kind::min);
  if (any) return std::any_of(node.operands.begin(), node.operands.end(), with) || by_interval();
  return std::all_of(node.operands.begin(), node.operands.end(), with) || by_interval();
}

// The greatest integer proved to be <= sign * (constant + terms) after relaxing the floordivs.
int64_t relaxed_lower(int64_t constant, std::span<const Term> terms, int sign) {
  Form form;
  form.add_constant(int128{constant} * sign);
  for (const Term& term : terms) {
    form.add_product(term.product.get(), int128{term.coefficient} * sign);
  }
  for (int found; form.valid() && (found = form.deepest(is_linear_floordiv)) >= 0;) {
    form.relax_floordiv(static_cast<size_t>(found));
  }
  const auto lower = form.lower();
  if (!lower) return minus_infinity;
  const int128 quotient = *lower / form.denominator();
  return saturate(*lower % form.denominator() > 0 ? quotient + 1 : quotient);
}

Interval floordiv_interval(Interval a, Interval b) {
  b.lower = std::max<int64_t>(b.lower, 1);
  b.upper = std::max(b.upper, b.lower);
  const auto divide = [](int64_t x, int64_t y) {
    if (is_infinite(x)) return x;
    if (y == infinity) return x < 0 ? int64_t{-1} : int64_t{0};
    return floor_quotient(x, y);
  };
  return {divide(a.lower, a.lower >= 0 ? b.upper : b.lower),
          divide(a.upper, a.upper >= 0 ? b.lower : b.upper)};
}

Interval mod_interval(Interval a, Interval b) {
  const int64_t upper = b.upper == infinity ? infinity : std::max<int64_t>(b.upper, 1) - 1;
  return {0, a.lower >= 0 ? std::min(a.upper, upper) : upper};
}

// Scales are >= 0 (evaluation refuses others), so rounding keeps the order.
Interval scaled_interval(Interval size, Interval scale) {
  constexpr int64_t infinity_bits = 0x7f800000;
  const int64_t smallest = std::clamp<int64_t>(scale.lower, 0, infinity_bits);
  Interval result;
  if (size.lower >= 0) result.lower = scale_size(size.lower, smallest).value_or(infinity);
  if (size.upper < 0) result.upper = 0;
  else if (size.upper == 0) result.upper = 0;
  else if (size.upper != infinity && scale.upper >= 0 && scale.upper < infinity_bits) {
    result.upper = scale_size(size.upper, scale.upper).value_or(infinity);
  }
  return result;
}

}  // namespace

std::optional<int64_t> scale_size(int64_t size, int64_t scale_bits) {
  const float scale = std::bit_cast<float>(static_cast<uint32_t>(scale_bits));
  const float product = static_cast<float>(size) * scale;
  const bool fits = product >= -0x1p63F && product < 0x1p63F;
  if (std::isnan(scale) || scale < 0 || !fits) return std::nullopt;
  return static_cast<int64_t>(product);
}

Interval bounds_of(const Dim& dim) {
  return dim.is_const() ? Interval{dim.value(), dim.value()} : node_of(dim)->bounds;
}

Interval interval_times(Interval a, Interval b) {
  const auto [lower, upper] = std::minmax({times(a.lower, b.lower), times(a.lower, b.upper),
                                           times(a.upper, b.lower), times(a.upper, b.upper)});
  return {lower, upper};
}

Interval interval_of_atom(Dim::Kind kind, const std::vector<Dim>& operands) {
  Interval result = bounds_of(operands[0]);
  bool positive = result.lower >= 1;
  for (size_t i = 1; i < operands.size(); ++i) {
    const Interval next = bounds_of(operands[i]);
    positive &= next.lower >= 1;
    const auto [small_lower, large_lower] = std::minmax(result.lower, next.lower);
    const auto [small_upper, large_upper] = std::minmax(result.upper, next.upper);
    switch (kind) {
      case Kind::floordiv: result = floordiv_interval(result, next); break;
      case Kind::mod: result = mod_interval(result, next); break;
      case Kind::min: result = {small_lower, small_upper}; break;
      case Kind::max: result = {large_lower, large_upper}; break;
      case Kind::scaled: result = scaled_interval(result, next); break;
      case Kind::broadcast: result = {positive ? large_lower : small_lower, large_upper}; break;
      default: TENREC_ASSERT(false, "no atom of kind {}", static_cast<int>(kind));
    }
  }
  return result;
}

Interval interval_of_sum(int64_t constant, std::span<const Term> terms) {
  int128 lower = constant, upper = constant;
  bool has_lower = true, has_upper = true, relax = false;
  for (const Term& term : terms) {
    const Interval part =
        interval_times(term.product->bounds, {term.coefficient, term.coefficient});
    has_lower &= part.lower != minus_infinity;
    has_upper &= part.upper != infinity;
    lower += part.lower;
    upper += part.upper;
    relax |= is_linear_floordiv(*term.product);
  }
  Interval result{has_lower ? saturate(lower) : minus_infinity,
                  has_upper ? saturate(upper) : infinity};
  if (relax && terms.size() > 1) {
    result.lower = std::max(result.lower, relaxed_lower(constant, terms, 1));
    const int64_t negated = relaxed_lower(constant, terms, -1);
    if (negated != minus_infinity)
      result.upper = std::min(result.upper, saturate(-int128{negated}));
  }
  return result;
}

bool proves_difference(const Dim& a, const Dim& b, int64_t least) {
  Form form;
  form.add(a, 1);
  form.add(b, -1);
  form.add_constant(-int128{least});
  int budget = proof_budget;
  return prove(std::move(form), budget);
}

bool provably_ge(const Dim& a, const Dim& b) {
  if (a.is_const() && b.is_const()) return a.value() >= b.value();
  return proves_difference(a, b, 0);
}

}  // namespace tenrec
