// SPDX-License-Identifier: Apache-2.0
// The inside of Dim, shared by the dim_*.cpp files only.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "ir/dim.h"

namespace tenrec {

__extension__ typedef __int128 int128;
using NodeRef = std::shared_ptr<const DimNode>;

struct Interval {
  int64_t lower = INT64_MIN;  // INT64_MIN: no bound
  int64_t upper = INT64_MAX;  // INT64_MAX: no bound
};

struct Term {
  NodeRef product;  // an atom or a product of atoms
  int64_t coefficient = 0;
};

// One of three forms:
//   atom     symbol, floordiv, mod, scaled; min, max and broadcast of two or more sorted operands
//   product  kind mul; `operands` are two or more atoms in order
//   sum      `terms` in order with coefficients != 0, plus `constant`; kind add, or mul for one
//            term without constant. A lone term with coefficient 1 is that atom or product instead.
struct DimNode {
  Dim::Kind kind = Dim::Kind::add;
  uint32_t depth = 0;
  uint64_t size = 1;  // as a tree
  size_t hash = 0;
  Interval bounds;
  SymbolRef symbol;
  std::vector<Dim> operands;
  int64_t constant = 0;
  std::vector<Term> terms;

  bool is_sum() const { return !terms.empty(); }
  bool is_product() const { return kind == Dim::Kind::mul && terms.empty(); }
  size_t degree() const { return is_product() ? operands.size() : 1; }

  static const NodeRef& of(const Dim& dim) { return dim.node_; }
  static Dim wrap(NodeRef node) { return Dim(std::move(node)); }
};

inline const DimNode* node_of(const Dim& dim) { return DimNode::of(dim).get(); }
// The operands when `dim` is an atom of this kind, else null.
inline const std::vector<Dim>* as_atom(const Dim& dim, Dim::Kind kind) {
  const DimNode* node = node_of(dim);
  return node && node->kind == kind && !node->is_sum() ? &node->operands : nullptr;
}

// Any Dim seen as constant + terms.
class LinearView {
 public:
  explicit LinearView(const Dim& dim);
  LinearView(const LinearView&) = delete;
  LinearView& operator=(const LinearView&) = delete;

  int64_t constant() const { return constant_; }
  std::span<const Term> terms() const { return terms_; }

 private:
  int64_t constant_ = 0;
  Term single_;
  std::span<const Term> terms_;
};

// Makers. Operands must be in normal form already; the node gets its hash, bounds and sizes here.
Dim make_atom(Dim::Kind kind, std::vector<Dim> operands);
Dim make_sum(int64_t constant, std::vector<Term> terms);  // terms in order, none zero
NodeRef make_product(std::vector<Dim> atoms);             // in order, at least one
std::vector<Dim> factors(const NodeRef& product);

// A total order that does not depend on addresses. For products it is a monomial order (higher
// degree first, then lexicographic), which exact division relies on.
int compare(const Dim& a, const Dim& b);
int compare_products(const DimNode& a, const DimNode& b);
bool equal_nodes(const DimNode* a, const DimNode* b);

// Overflow-safe arithmetic on bounds.
Interval bounds_of(const Dim& dim);
Interval interval_times(Interval a, Interval b);
Interval interval_of_atom(Dim::Kind kind, const std::vector<Dim>& operands);
Interval interval_of_sum(int64_t constant, std::span<const Term> terms);
bool proves_difference(const Dim& a, const Dim& b, int64_t least);  // a - b >= least

inline int64_t floor_quotient(int64_t a, int64_t b) {  // b >= 1
  return a / b - (a % b < 0 ? 1 : 0);
}
// int64(float32(size) * scale); nothing when the scale is negative or NaN or the result too large.
std::optional<int64_t> scale_size(int64_t size, int64_t scale_bits);
int64_t to_int64(int128 value, const char* what);

}  // namespace tenrec
