// SPDX-License-Identifier: Apache-2.0
// Nodes, sums and products; evaluation and substitution.
#include "ir/dim.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <unordered_map>
#include <unordered_set>

#include "ir/dim_node.h"

namespace tenrec {
namespace {

using Kind = Dim::Kind;

// No real model comes near these; a hostile one must not exhaust memory or the stack.
constexpr uint64_t max_size = 1U << 20;
constexpr uint32_t max_depth = 1000;
// Below this a tree is walked directly; above, results of shared parts are remembered.
constexpr uint64_t remember_above = 64;

size_t mix(size_t seed, size_t value) {
  seed ^= value + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2);
  return seed * 0xff51afd7ed558ccdULL;
}

void measure(DimNode& node, const DimNode& child) {
  node.depth = std::max(node.depth, child.depth + 1);
  node.size = std::min(node.size + child.size, max_size + 1);
}

NodeRef finish(DimNode node) {
  size_t hash = mix(static_cast<size_t>(node.kind), static_cast<size_t>(node.constant));
  if (node.symbol) {
    hash = mix(mix(hash, std::hash<std::string>{}(node.symbol->name)), node.symbol->serial);
  }
  for (const Dim& operand : node.operands) {
    hash = mix(hash, operand.hash());
    if (const DimNode* child = node_of(operand)) measure(node, *child);
  }
  for (const Term& term : node.terms) {
    hash = mix(mix(hash, term.product->hash), static_cast<size_t>(term.coefficient));
    measure(node, *term.product);
  }
  node.hash = hash;
  TENREC_CHECK(node.size <= max_size && node.depth <= max_depth, unsupported,
               "a size expression has grown beyond {} operations or {} levels", max_size,
               max_depth);
  return std::make_shared<const DimNode>(std::move(node));
}

int compare_numbers(auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; }

int compare_symbols(const Symbol& a, const Symbol& b) {
  if (&a == &b) return 0;
  if (const int order = a.name.compare(b.name)) return order;
  if (a.serial != b.serial) return compare_numbers(a.serial, b.serial);
  return std::less<const Symbol*>{}(&a, &b) ? -1 : 1;  // a copy of a symbol keeps name and serial
}

int compare_lists(const std::vector<Dim>& a, const std::vector<Dim>& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const int order = compare(a[i], b[i])) return order;
  }
  return compare_numbers(a.size(), b.size());
}

int compare_atoms(const DimNode& a, const DimNode& b) {
  if (&a == &b) return 0;
  if (a.kind != b.kind) return compare_numbers(a.kind, b.kind);
  if (a.kind == Kind::symbol) return compare_symbols(*a.symbol, *b.symbol);
  return compare_lists(a.operands, b.operands);
}

// a + factor * b
Dim add_scaled(const Dim& a, const Dim& b, int64_t factor) {
  if (b.is_const() && b.value() == 0) return a;
  const LinearView left(a), right(b);
  const int64_t constant =
      to_int64(int128{left.constant()} + int128{right.constant()} * factor, "a sum of sizes");
  std::vector<Term> terms;
  terms.reserve(left.terms().size() + right.terms().size());
  auto l = left.terms().begin();
  auto r = right.terms().begin();
  while (l != left.terms().end() || r != right.terms().end()) {
    int order = 0;
    if (l == left.terms().end()) order = 1;
    else if (r == right.terms().end()) order = -1;
    else order = compare_products(*l->product, *r->product);
    int128 coefficient = 0;
    const NodeRef& product = order <= 0 ? l->product : r->product;
    if (order <= 0) coefficient += l++->coefficient;
    if (order >= 0) coefficient += int128{r++->coefficient} * factor;
    if (coefficient != 0) terms.push_back({product, to_int64(coefficient, "a sum of sizes")});
  }
  return make_sum(constant, std::move(terms));
}

NodeRef multiply_products(const NodeRef& a, const NodeRef& b) {
  const std::vector<Dim> left = factors(a), right = factors(b);
  std::vector<Dim> all(left.size() + right.size());
  std::merge(left.begin(), left.end(), right.begin(), right.end(), all.begin(),
             [](const Dim& x, const Dim& y) { return compare(x, y) < 0; });
  return make_product(std::move(all));
}

Dim scale_by(const Dim& a, int64_t factor) {
  if (factor == 0) return 0;
  if (factor == 1) return a;
  return add_scaled(Dim(0), a, factor);
}

Dim multiply_sums(const Dim& a, const Dim& b) {
  const LinearView left(a), right(b);
  TENREC_CHECK(left.terms().size() * right.terms().size() < max_size / 16, unsupported,
               "a product of sizes has more than {} terms", max_size / 16);
  std::vector<Term> all;
  const auto add = [&](const NodeRef& product, int64_t x, int64_t y) {
    if (x != 0 && y != 0) all.push_back({product, to_int64(int128{x} * y, "a product of sizes")});
  };
  for (const Term& l : left.terms()) {
    add(l.product, l.coefficient, right.constant());
    for (const Term& r : right.terms()) {
      add(multiply_products(l.product, r.product), l.coefficient, r.coefficient);
    }
  }
  for (const Term& r : right.terms()) add(r.product, left.constant(), r.coefficient);
  std::stable_sort(all.begin(), all.end(), [](const Term& x, const Term& y) {
    return compare_products(*x.product, *y.product) < 0;
  });
  std::vector<Term> terms;
  for (size_t i = 0; i < all.size();) {
    int128 coefficient = 0;
    const size_t first = i;
    while (i < all.size() && equal_nodes(all[i].product.get(), all[first].product.get())) {
      coefficient += all[i++].coefficient;
    }
    if (coefficient == 0) continue;
    terms.push_back({all[first].product, to_int64(coefficient, "a product of sizes")});
  }
  const int64_t constant =
      to_int64(int128{left.constant()} * right.constant(), "a product of sizes");
  return make_sum(constant, std::move(terms));
}

}  // namespace

uint64_t next_symbol_serial() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

int64_t to_int64(int128 value, const char* what) {
  TENREC_CHECK(value >= INT64_MIN && value <= INT64_MAX, invalid_model,
               "size overflows int64: {} is about {:.4g}", what, static_cast<double>(value));
  return static_cast<int64_t>(value);
}

LinearView::LinearView(const Dim& dim) {
  const NodeRef& node = DimNode::of(dim);
  if (!node) {
    constant_ = dim.value();
  } else if (node->is_sum()) {
    constant_ = node->constant;
    terms_ = node->terms;
  } else {
    single_ = {node, 1};
    terms_ = {&single_, 1};
  }
}

Dim make_atom(Dim::Kind kind, std::vector<Dim> operands) {
  const Interval bounds = interval_of_atom(kind, operands);
  if (bounds.lower == bounds.upper) return bounds.lower;
  DimNode node;
  node.kind = kind;
  node.bounds = bounds;
  node.operands = std::move(operands);
  return DimNode::wrap(finish(std::move(node)));
}

Dim make_sum(int64_t constant, std::vector<Term> terms) {
  if (terms.empty()) return constant;
  if (constant == 0 && terms.size() == 1 && terms[0].coefficient == 1) {
    return DimNode::wrap(std::move(terms[0].product));
  }
  DimNode node;
  node.kind = constant == 0 && terms.size() == 1 ? Kind::mul : Kind::add;
  node.bounds = interval_of_sum(constant, terms);
  node.constant = constant;
  node.terms = std::move(terms);
  return DimNode::wrap(finish(std::move(node)));
}

NodeRef make_product(std::vector<Dim> atoms) {
  if (atoms.size() == 1) return DimNode::of(atoms[0]);
  DimNode node;
  node.kind = Kind::mul;
  node.bounds = bounds_of(atoms[0]);
  for (size_t i = 1; i < atoms.size(); ++i) {
    node.bounds = interval_times(node.bounds, bounds_of(atoms[i]));
  }
  node.operands = std::move(atoms);
  return finish(std::move(node));
}

std::vector<Dim> factors(const NodeRef& product) {
  if (product->is_product()) return product->operands;
  return {DimNode::wrap(product)};
}

int compare_products(const DimNode& a, const DimNode& b) {
  if (&a == &b) return 0;
  if (a.degree() != b.degree()) return compare_numbers(b.degree(), a.degree());
  return a.is_product() ? compare_lists(a.operands, b.operands) : compare_atoms(a, b);
}

int compare(const Dim& a, const Dim& b) {
  const DimNode *left = node_of(a), *right = node_of(b);
  if (!left || !right) {
    if (left || right) return left ? 1 : -1;
    return compare_numbers(a.value(), b.value());
  }
  if (!left->is_sum() && !right->is_sum()) return compare_products(*left, *right);
  const LinearView x(a), y(b);
  for (size_t i = 0; i < std::min(x.terms().size(), y.terms().size()); ++i) {
    const Term &s = x.terms()[i], &t = y.terms()[i];
    if (const int order = compare_products(*s.product, *t.product)) return order;
    if (s.coefficient != t.coefficient) return compare_numbers(s.coefficient, t.coefficient);
  }
  if (x.terms().size() != y.terms().size()) {
    return compare_numbers(x.terms().size(), y.terms().size());
  }
  return compare_numbers(x.constant(), y.constant());
}

bool equal_nodes(const DimNode* a, const DimNode* b) {
  if (a == b) return true;
  if (!a || !b || a->hash != b->hash || a->kind != b->kind || a->constant != b->constant)
    return false;
  if (a->symbol != b->symbol || a->terms.size() != b->terms.size()) return false;
  for (size_t i = 0; i < a->terms.size(); ++i) {
    if (a->terms[i].coefficient != b->terms[i].coefficient) return false;
    if (!equal_nodes(a->terms[i].product.get(), b->terms[i].product.get())) return false;
  }
  return a->operands == b->operands;
}

Dim Dim::symbol(SymbolRef symbol) {
  TENREC_ASSERT(symbol != nullptr);
  DimNode node;
  node.kind = Kind::symbol;
  node.bounds = {symbol->lower, symbol->upper};
  node.symbol = std::move(symbol);
  return Dim(finish(std::move(node)));
}

Dim Dim::fresh(std::string name, int64_t lower, int64_t upper) {
  auto made = std::make_shared<Symbol>();
  made->name = std::move(name);
  made->lower = lower;
  made->upper = upper;
  return symbol(std::move(made));
}

int64_t Dim::value() const {
  TENREC_ASSERT(is_const(), "the size {} is not a constant", str());
  return value_;
}

std::optional<int64_t> Dim::constant() const {
  return is_const() ? std::optional(value_) : std::nullopt;
}

Dim::Kind Dim::kind() const { return node_ ? node_->kind : Kind::constant; }

SymbolRef Dim::as_symbol() const { return node_ ? node_->symbol : nullptr; }

std::vector<Dim> Dim::operands() const {
  if (!node_) return {};
  if (node_->kind == Kind::add) {
    std::vector<Dim> out;
    for (const Term& term : node_->terms) out.push_back(make_sum(0, {term}));
    if (node_->constant != 0) out.push_back(node_->constant);
    return out;
  }
  if (node_->is_sum()) {
    std::vector<Dim> out = factors(node_->terms[0].product);
    out.insert(out.begin(), Dim(node_->terms[0].coefficient));
    return out;
  }
  // min, max and broadcast of more than two are read as their left fold.
  if (node_->kind != Kind::mul && node_->operands.size() > 2) {
    std::vector<Dim> first(node_->operands.begin(), node_->operands.end() - 1);
    return {make_atom(node_->kind, std::move(first)), node_->operands.back()};
  }
  return node_->operands;
}

int64_t Dim::lower() const { return bounds_of(*this).lower; }
int64_t Dim::upper() const { return bounds_of(*this).upper; }

bool operator==(const Dim& a, const Dim& b) {
  return a.value_ == b.value_ && equal_nodes(a.node_.get(), b.node_.get());
}

size_t Dim::hash() const {
  return node_ ? node_->hash : mix(0x51ed270b, static_cast<size_t>(value_));
}

Dim operator+(const Dim& a, const Dim& b) { return add_scaled(a, b, 1); }
Dim operator-(const Dim& a, const Dim& b) { return add_scaled(a, b, -1); }

Dim operator*(const Dim& a, const Dim& b) {
  if (a.is_const() && b.is_const()) {
    return to_int64(int128{a.value_} * b.value_, "a product of sizes");
  }
  if (a.is_const()) return scale_by(b, a.value_);
  if (b.is_const()) return scale_by(a, b.value_);
  return multiply_sums(a, b);
}

namespace {

Dim rebuild(Kind kind, const std::vector<Dim>& operands) {
  Dim result = operands[0];
  for (size_t i = 1; i < operands.size(); ++i) {
    const Dim& next = operands[i];
    switch (kind) {
      case Kind::mul: result = result * next; break;
      case Kind::floordiv: result = floordiv(result, next); break;
      case Kind::mod: result = mod(result, next); break;
      case Kind::min: result = min(result, next); break;
      case Kind::max: result = max(result, next); break;
      case Kind::scaled: result = scaled(result, next); break;
      case Kind::broadcast: result = broadcast(result, next); break;
      default: TENREC_ASSERT(false, "no operator of kind {}", static_cast<int>(kind));
    }
  }
  return result;
}

class Substituter {
 public:
  explicit Substituter(const Dim::Binding& binding) : binding_(binding) {}

  Dim apply(const Dim& dim) {
    const NodeRef& node = DimNode::of(dim);
    if (!node) return dim;
    if (node->symbol) {
      const auto found = binding_.find(node->symbol.get());
      return found == binding_.end() ? dim : found->second;
    }
    const bool remember = node->size > remember_above;
    if (remember) {
      if (const auto found = done_.find(node.get()); found != done_.end()) return found->second;
    }
    Dim result = node->is_sum() ? apply_sum(dim, *node) : apply_operator(dim, *node);
    if (remember) done_.emplace(node.get(), result);
    return result;
  }

 private:
  Dim apply_sum(const Dim& dim, const DimNode& node) {
    std::vector<Term> kept;
    Dim changed = node.constant;
    for (const Term& term : node.terms) {
      const Dim product = apply(DimNode::wrap(term.product));
      if (DimNode::of(product) == term.product) kept.push_back(term);
      else changed = changed + product * Dim(term.coefficient);
    }
    if (kept.size() == node.terms.size()) return dim;
    return make_sum(0, std::move(kept)) + changed;
  }

  Dim apply_operator(const Dim& dim, const DimNode& node) {
    std::vector<Dim> operands;
    bool same = true;
    for (const Dim& operand : node.operands) {
      operands.push_back(apply(operand));
      same &= node_of(operands.back()) == node_of(operand);
    }
    return same ? dim : rebuild(node.kind, operands);
  }

  const Dim::Binding& binding_;
  std::unordered_map<const DimNode*, Dim> done_;
};

class Evaluator {
 public:
  explicit Evaluator(const std::function<int64_t(const Symbol&)>& value_of) : value_of_(value_of) {}

  int64_t evaluate(const Dim& dim) {
    return dim.is_const() ? dim.value() : evaluate(*node_of(dim));
  }

 private:
  int64_t evaluate(const DimNode& node) {
    if (node.symbol) return value_of_(*node.symbol);
    const bool remember = node.size > remember_above;
    if (remember) {
      if (const auto found = done_.find(&node); found != done_.end()) return found->second;
    }
    const int64_t result = node.is_sum()       ? narrow(sum(node), node)
                           : node.is_product() ? narrow(product(node), node)
                                               : apply(node);
    if (remember) done_.emplace(&node, result);
    return result;
  }

  // Sums and products are formed in 128 bits, so that only a result that does not fit is an error.
  int128 product(const DimNode& node) {
    if (!node.is_product()) return evaluate(node);
    std::vector<int64_t> values;
    for (const Dim& factor : node.operands) values.push_back(evaluate(factor));
    if (std::find(values.begin(), values.end(), 0) != values.end()) return 0;
    int128 result = 1;
    for (const int64_t value : values) {
      if (__builtin_mul_overflow(result, int128{value}, &result)) too_large(node);
    }
    return result;
  }

  int128 sum(const DimNode& node) {
    int128 total = node.constant;
    for (const Term& term : node.terms) {
      int128 part = 0;
      if (__builtin_mul_overflow(product(*term.product), int128{term.coefficient}, &part) ||
          __builtin_add_overflow(total, part, &total)) {
        too_large(node);
      }
    }
    return total;
  }

  static int64_t narrow(int128 value, const DimNode& node) {
    if (value < INT64_MIN || value > INT64_MAX) too_large(node);
    return static_cast<int64_t>(value);
  }

  [[noreturn]] static void too_large(const DimNode& node) {
    fail(ErrorCode::invalid_input, "size overflows int64: {}", text(node));
  }

  static std::string text(const DimNode& node) {
    return DimNode::wrap(NodeRef(std::shared_ptr<void>(), &node)).str();
  }

  int64_t apply(const DimNode& node) {
    int64_t result = evaluate(node.operands[0]);
    for (size_t i = 1; i < node.operands.size(); ++i) {
      result = apply(node, result, evaluate(node.operands[i]));
    }
    return result;
  }

  static int64_t apply(const DimNode& node, int64_t a, int64_t b) {
    if (node.kind == Kind::floordiv || node.kind == Kind::mod) {
      TENREC_CHECK(b >= 1, invalid_input, "in the size {} the divisor is {}", text(node), b);
    }
    switch (node.kind) {
      case Kind::floordiv: return floor_quotient(a, b);
      case Kind::mod: return a % b < 0 ? a % b + b : a % b;
      case Kind::min: return std::min(a, b);
      case Kind::max: return std::max(a, b);
      case Kind::broadcast: return a == 1 ? b : a;
      default: break;
    }
    const auto size = scale_size(a, b);
    TENREC_CHECK(size.has_value(), invalid_input,
                 "{} of {} has the scale {}: it must be a number >= 0 "
                 "that gives a size below 2^63",
                 text(node), a, std::bit_cast<float>(static_cast<uint32_t>(b)));
    return *size;
  }

  const std::function<int64_t(const Symbol&)>& value_of_;
  std::unordered_map<const DimNode*, int64_t> done_;
};

void collect(const DimNode* node, std::unordered_set<const void*>& seen,
             std::vector<SymbolRef>& into) {
  if (!node) return;
  if (node->symbol) {
    if (seen.insert(node->symbol.get()).second) into.push_back(node->symbol);
    return;
  }
  if (node->size > remember_above && !seen.insert(node).second) return;
  for (const Dim& operand : node->operands) collect(node_of(operand), seen, into);
  for (const Term& term : node->terms) collect(term.product.get(), seen, into);
}

}  // namespace

Dim Dim::substitute(const Binding& binding) const { return Substituter(binding).apply(*this); }

int64_t Dim::evaluate(const std::function<int64_t(const Symbol&)>& value_of) const {
  return Evaluator(value_of).evaluate(*this);
}

void Dim::collect_symbols(std::vector<SymbolRef>& into) const {
  if (!node_) return;
  std::unordered_set<const void*> seen;
  for (const SymbolRef& symbol : into) seen.insert(symbol.get());
  collect(node_.get(), seen, into);
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + shape[i].str();
  return text + "]";
}

Dim product(const Shape& shape) {
  Dim result = 1;
  for (const Dim& dim : shape) {
    if (dim == Dim(0)) return 0;
  }
  for (const Dim& dim : shape) result = result * dim;
  return result;
}

bool is_static(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.is_const(); });
}

std::vector<int64_t> static_dims(const Shape& shape) {
  std::vector<int64_t> dims;
  for (const Dim& dim : shape) dims.push_back(dim.value());
  return dims;
}

}  // namespace tenrec
