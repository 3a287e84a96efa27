// SPDX-License-Identifier: Apache-2.0
// Normal forms of floordiv, mod, min, max, scaled and broadcast.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "ir/dim_node.h"

namespace tenrec {
namespace {

using Kind = Dim::Kind;

constexpr size_t max_quotient_terms = 64;
constexpr size_t max_proved_operands = 16;

void check_divisor(int64_t divisor, const Dim& dividend) {
  TENREC_CHECK(divisor >= 1, invalid_model, "the size {} is divided by {}", dividend.str(),
               divisor);
}

// a / b as a multiset of factors, when b's are all among a's.
std::optional<std::vector<Dim>> divide_products(const NodeRef& a, const NodeRef& b) {
  const std::vector<Dim> left = factors(a), right = factors(b);
  if (left.size() < right.size()) return std::nullopt;
  std::vector<Dim> quotient;
  size_t matched = 0;
  for (const Dim& factor : left) {
    if (matched < right.size() && factor == right[matched]) ++matched;
    else quotient.push_back(factor);
  }
  if (matched != right.size()) return std::nullopt;
  return quotient;
}

std::optional<Dim> divide_terms(const Term& a, const Term& b) {
  if (a.coefficient == INT64_MIN && b.coefficient == -1) return std::nullopt;  // does not fit
  if (a.coefficient % b.coefficient != 0) return std::nullopt;
  const int64_t coefficient = a.coefficient / b.coefficient;
  auto quotient = divide_products(a.product, b.product);
  if (!quotient) return std::nullopt;
  if (quotient->empty()) return coefficient;
  return make_sum(0, {{make_product(std::move(*quotient)), coefficient}});
}

// a / b when b divides a as a polynomial: the leading terms are divided until nothing is left.
std::optional<Dim> exact_quotient(const Dim& a, const Dim& b) {
  const Term leading = LinearView(b).terms()[0];
  Dim rest = a, quotient = 0;
  try {
    for (size_t i = 0; i < max_quotient_terms; ++i) {
      if (rest == Dim(0)) return quotient;
      const LinearView view(rest);
      if (view.terms().empty()) return std::nullopt;
      const auto part = divide_terms(view.terms()[0], leading);
      if (!part) return std::nullopt;
      quotient = quotient + *part;
      rest = rest - *part * b;
    }
  } catch (const Error&) {  // a coefficient on the way does not fit: no quotient found
  }
  return std::nullopt;
}

// c0 + sum c_i x_i = k * quotient + rest, the rest's numbers in [0, k).
struct Split {
  Dim quotient;
  int64_t constant = 0;
  std::vector<Term> rest;
  int64_t common = 1;  // greatest common divisor of k and the rest's coefficients
};

Split split_multiples(const Dim& dividend, int64_t k) {
  const LinearView view(dividend);
  Split split;
  std::vector<Term> quotient;
  split.common = k;
  for (const Term& term : view.terms()) {
    const int64_t times = floor_quotient(term.coefficient, k);
    const int64_t left = term.coefficient - times * k;
    if (times != 0) quotient.push_back({term.product, times});
    if (left == 0) continue;
    split.rest.push_back({term.product, left});
    split.common = std::gcd(split.common, left);
  }
  const int64_t times = floor_quotient(view.constant(), k);
  split.constant = view.constant() - times * k;
  split.quotient = make_sum(times, std::move(quotient));
  return split;
}

// The rest divided by `common`, rounded down.
Dim reduced_rest(Split& split) {
  for (Term& term : split.rest) term.coefficient /= split.common;
  return make_sum(split.constant / split.common, std::move(split.rest));
}

// floordiv(floordiv(u, m) + r, k) = floordiv(u + r m, m k)
std::optional<Dim> merge_floordivs(const Dim& dividend, int64_t k) {
  const LinearView view(dividend);
  if (view.terms().size() != 1 || view.terms()[0].coefficient != 1) return std::nullopt;
  const Dim atom = DimNode::wrap(view.terms()[0].product);
  const auto* inner = as_atom(atom, Kind::floordiv);
  if (!inner || !(*inner)[1].is_const()) return std::nullopt;
  int64_t divisor = 0, offset = 0;
  if (__builtin_mul_overflow(k, (*inner)[1].value(), &divisor)) return std::nullopt;
  if (__builtin_mul_overflow(view.constant(), (*inner)[1].value(), &offset)) return std::nullopt;
  return floordiv((*inner)[0] + Dim(offset), Dim(divisor));
}

Dim floordiv_constant(const Dim& a, int64_t k) {
  check_divisor(k, a);
  if (a.is_const()) return floor_quotient(a.value(), k);
  if (k == 1) return a;
  Split split = split_multiples(a, k);
  const int64_t divisor = k / split.common;
  const Dim rest = reduced_rest(split);
  if (divisor == 1) return split.quotient + rest;
  if (const auto merged = merge_floordivs(rest, divisor)) return split.quotient + *merged;
  return split.quotient + make_atom(Kind::floordiv, {rest, Dim(divisor)});
}

// For a divisor of one term: the terms that it divides, and the others.
std::pair<Dim, Dim> split_terms(const Dim& a, const Term& divisor) {
  const LinearView view(a);
  Dim quotient = 0;
  std::vector<Term> rest;
  for (const Term& term : view.terms()) {
    if (const auto part = divide_terms(term, divisor)) quotient = quotient + *part;
    else rest.push_back(term);
  }
  return {quotient, make_sum(view.constant(), std::move(rest))};
}

// The first atom of the one-term `divisor` that all of `a` has as a factor. It must not be
// negative: then neither is what is left of the divisor.
std::optional<Dim> common_factor(const Dim& a, const Term& divisor) {
  const LinearView view(a);
  if (view.constant() != 0 || view.terms().size() >= max_quotient_terms) return std::nullopt;
  for (const Dim& factor : factors(divisor.product)) {
    if (factor.lower() < 0) continue;
    const bool common =
        std::all_of(view.terms().begin(), view.terms().end(), [&](const Term& term) {
          return divide_products(term.product, DimNode::of(factor)).has_value();
        });
    if (common) return factor;
  }
  return std::nullopt;
}

Dim floordiv_symbolic(const Dim& a, const Dim& b) {
  if (a == Dim(0)) return 0;
  if (const auto quotient = exact_quotient(a, b)) return *quotient;
  const LinearView divisor(b);
  if (divisor.terms().size() != 1 || divisor.constant() != 0) {
    return make_atom(Kind::floordiv, {a, b});
  }
  const Term& term = divisor.terms()[0];
  auto [quotient, rest] = split_terms(a, term);
  if (rest == Dim(0)) return quotient;
  if (const auto factor = common_factor(rest, term)) {
    return quotient + floordiv(*exact_quotient(rest, *factor), *exact_quotient(b, *factor));
  }
  if (!(quotient == Dim(0))) return quotient + floordiv(rest, b);
  // floordiv(g x + r, g b) = floordiv(x + floor(r / g), b)
  int64_t common = term.coefficient;
  const LinearView view(rest);
  if (common > 1) {
    for (const Term& part : view.terms()) common = std::gcd(common, part.coefficient);
  }
  if (common <= 1 || view.terms().empty()) return make_atom(Kind::floordiv, {rest, b});
  std::vector<Term> reduced(view.terms().begin(), view.terms().end());
  for (Term& part : reduced) part.coefficient /= common;
  return floordiv(make_sum(floor_quotient(view.constant(), common), std::move(reduced)),
                  make_sum(0, {{term.product, term.coefficient / common}}));
}

// mod(mod(x, m) + y, k) = mod(x + y, k) when k divides m.
std::optional<Dim> without_inner_mod(const Dim& a, int64_t k) {
  const LinearView view(a);
  for (const Term& term : view.terms()) {
    const Dim atom = DimNode::wrap(term.product);
    const auto* inner = as_atom(atom, Kind::mod);
    if (!inner || !(*inner)[1].is_const() || (*inner)[1].value() % k != 0) continue;
    return a + ((*inner)[0] - atom) * Dim(term.coefficient);
  }
  return std::nullopt;
}

Dim mod_constant(const Dim& a, int64_t k) {
  check_divisor(k, a);
  if (a.is_const()) return a.value() - floor_quotient(a.value(), k) * k;
  Split split = split_multiples(a, k);
  const int64_t divisor = k / split.common;
  const int64_t common = split.common, left = split.constant % common;
  const Dim rest = reduced_rest(split);
  if (divisor == 1) return left;
  if (const auto simpler = without_inner_mod(rest, divisor)) {
    return mod(*simpler, Dim(divisor)) * Dim(common) + Dim(left);
  }
  if (rest.lower() >= 0 && rest.upper() < divisor) return rest * Dim(common) + Dim(left);
  return make_atom(Kind::mod, {rest, Dim(divisor)}) * Dim(common) + Dim(left);
}

// min and max: flat, sorted, each operand once, none that another one beats.
Dim extremum(Kind kind, const Dim& a, const Dim& b) {
  const bool is_max = kind == Kind::max;
  if (a.is_const() && b.is_const()) {
    return is_max ? std::max(a.value(), b.value()) : std::min(a.value(), b.value());
  }
  const auto beats = [&](const Dim& x, const Dim& y) {
    return x == y || (is_max ? provably_ge(x, y) : provably_ge(y, x));
  };
  std::vector<Dim> all, kept;
  for (const Dim* side : {&a, &b}) {
    if (const auto* inner = as_atom(*side, kind))
      all.insert(all.end(), inner->begin(), inner->end());
    else all.push_back(*side);
  }
  std::sort(all.begin(), all.end(), [](const Dim& x, const Dim& y) { return compare(x, y) < 0; });
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (const Dim& operand : all) {
    if (all.size() <= max_proved_operands) {
      if (std::any_of(kept.begin(), kept.end(), [&](const Dim& x) { return beats(x, operand); })) {
        continue;
      }
      std::erase_if(kept, [&](const Dim& x) { return beats(operand, x); });
    }
    kept.push_back(operand);
  }
  return kept.size() == 1 ? kept[0] : make_atom(kind, std::move(kept));
}

}  // namespace

Dim floordiv(const Dim& a, const Dim& b) {
  return b.is_const() ? floordiv_constant(a, b.value()) : floordiv_symbolic(a, b);
}

Dim ceildiv(const Dim& a, const Dim& b) {
  if (a.is_const() && b.is_const()) {
    check_divisor(b.value(), a);
    const int64_t quotient = floor_quotient(a.value(), b.value());
    return a.value() % b.value() == 0 ? quotient : quotient + 1;
  }
  return floordiv(a + b - Dim(1), b);
}

Dim mod(const Dim& a, const Dim& b) {
  if (b.is_const()) return mod_constant(a, b.value());
  if (a == Dim(0) || exact_quotient(a, b)) return 0;
  Dim rest = a;
  const LinearView divisor(b);
  if (divisor.terms().size() == 1 && divisor.constant() == 0) {
    rest = split_terms(a, divisor.terms()[0]).second;
  }
  if (rest.lower() >= 0 && proves_difference(b, rest, 1)) return rest;
  if (rest.upper() < 0 && provably_ge(rest + b, 0)) return rest + b;
  return make_atom(Kind::mod, {rest, b});
}

Dim min(const Dim& a, const Dim& b) { return extremum(Kind::min, a, b); }
Dim max(const Dim& a, const Dim& b) { return extremum(Kind::max, a, b); }

Dim scaled(const Dim& a, const Dim& float_scale) {
  if (!float_scale.is_const()) {
    return a == Dim(0) ? Dim(0) : make_atom(Kind::scaled, {a, float_scale});
  }
  const float scale = std::bit_cast<float>(static_cast<uint32_t>(float_scale.value()));
  TENREC_CHECK(std::isfinite(scale) && scale >= 0, invalid_model,
               "the size {} is scaled by {}: a scale must be a finite number >= 0", a.str(), scale);
  if (scale <= 0x1p24F && scale == std::floor(scale)) return a * Dim(static_cast<int64_t>(scale));
  int exponent = 0;
  if (a.lower() >= 0 && std::frexp(scale, &exponent) == 0.5F && exponent > -62) {
    return floordiv(a, Dim(int64_t{1} << (1 - exponent)));
  }
  if (!a.is_const()) return make_atom(Kind::scaled, {a, float_scale});
  const auto size = scale_size(a.value(), float_scale.value());
  TENREC_CHECK(size.has_value(), invalid_model, "size overflows int64: {} scaled by {}", a.value(),
               scale);
  return *size;
}

Dim broadcast(const Dim& a, const Dim& b) {
  const auto decides = [](const Dim& x) { return x.lower() >= 2 || x.upper() <= 0; };
  if (a == b || b == Dim(1)) return a;
  if (a == Dim(1) || b.is_const()) return b;
  if (decides(a)) return a;
  if (decides(b)) return b;
  std::vector<Dim> all;
  for (const Dim* side : {&a, &b}) {
    if (const auto* inner = as_atom(*side, Kind::broadcast)) {
      all.insert(all.end(), inner->begin(), inner->end());
    } else {
      all.push_back(*side);
    }
  }
  std::sort(all.begin(), all.end(), [](const Dim& x, const Dim& y) { return compare(x, y) < 0; });
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all.size() == 1 ? all[0] : make_atom(Kind::broadcast, std::move(all));
}

}  // namespace tenrec
