// SPDX-License-Identifier: Apache-2.0
// Symbolic dimensions: an int64 or a normalised expression over symbols.
//
// Expressions are immutable shared trees in normal form (sums of integer-weighted products over
// sorted atoms), so equal expressions compare equal structurally; a cached hash makes that cheap.
// There is no solver: what cannot be proved becomes a run-time check in the plan.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenrec {

uint64_t next_symbol_serial();

// A symbol is an identity (its address) with a display name and bounds. A symbol stands for an
// int64; `is_float` ones hold the bits of a float32 scale (RVM's downsample_ratio) and may be used
// only as the scale of `scaled`; their bounds are bits too (floats >= 0 order as their bits).
struct Symbol {
  std::string name;
  int64_t lower = 0;
  int64_t upper = INT64_MAX;  // INT64_MAX: no bound
  bool is_float = false;
  uint64_t serial = next_symbol_serial();  // orders symbols of one name, so that text is stable
};
using SymbolRef = std::shared_ptr<const Symbol>;

struct DimNode;  // dim.cpp

class Dim {
 public:
  static constexpr int64_t unbounded = INT64_MAX;

  enum class Kind { constant, symbol, add, mul, floordiv, mod, min, max, scaled, broadcast };

  Dim(int64_t value = 0) : value_(value) {}  // NOLINT: an integer is a Dim
  static Dim symbol(SymbolRef symbol);
  static Dim fresh(std::string name, int64_t lower = 0, int64_t upper = unbounded);

  bool is_const() const { return node_ == nullptr; }
  int64_t value() const;  // constants only
  std::optional<int64_t> constant() const;

  Kind kind() const;
  SymbolRef as_symbol() const;        // the symbol if this is exactly one, else null
  std::vector<Dim> operands() const;  // in evaluation order; add/mul n-ary, others two

  // Interval bounds (saturating); upper() == unbounded when there is none.
  int64_t lower() const;
  int64_t upper() const;

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  friend Dim floordiv(const Dim& a, const Dim& b);  // b >= 1
  friend Dim ceildiv(const Dim& a, const Dim& b);
  friend Dim mod(const Dim& a, const Dim& b);
  friend Dim min(const Dim& a, const Dim& b);
  friend Dim max(const Dim& a, const Dim& b);
  // int64(float32(float32(a) * scale)), the product rounded to float32: onnxruntime's Resize.
  // A constant scale (its bits) that is an integer or 1/2^n gives a product or floordiv, exact also
  // for the sizes above 2^24 that float32 would round.
  friend Dim scaled(const Dim& a, const Dim& float_scale);
  // The broadcast of two sizes of which nothing is known: b if a == 1 else a. That they do
  // broadcast (equal, or one of them 1) is taken for granted.
  friend Dim broadcast(const Dim& a, const Dim& b);

  friend bool operator==(const Dim& a, const Dim& b);
  size_t hash() const;

  // Proofs from bounds, exact on linear parts: floordivs are replaced by their linear bounds, and
  // an integer difference > -1 is >= 0. False means "not proved".
  friend bool provably_ge(const Dim& a, const Dim& b);
  friend bool provably_equal(const Dim& a, const Dim& b) { return a == b; }

  using Binding = std::map<const Symbol*, Dim>;
  Dim substitute(const Binding& binding) const;
  int64_t evaluate(const std::function<int64_t(const Symbol&)>& value_of) const;
  void collect_symbols(std::vector<SymbolRef>& into) const;  // each once, in order of appearance

  std::string str()
      const;  // "N", "2*H", "floordiv(H + 1, 2)", "scaled(H, ratio)"; parse_dim reads it

 private:
  explicit Dim(std::shared_ptr<const DimNode> node) : node_(std::move(node)) {}
  friend struct DimNode;
  int64_t value_ = 0;
  std::shared_ptr<const DimNode> node_;
};

Dim floordiv(const Dim& a, const Dim& b);
Dim ceildiv(const Dim& a, const Dim& b);
Dim mod(const Dim& a, const Dim& b);
Dim min(const Dim& a, const Dim& b);
Dim max(const Dim& a, const Dim& b);
Dim scaled(const Dim& a, const Dim& float_scale);
Dim broadcast(const Dim& a, const Dim& b);
bool provably_ge(const Dim& a, const Dim& b);

// Reads what Dim::str writes; unknown identifiers are looked up (and created by the callee).
Dim parse_dim(std::string_view text, const std::function<SymbolRef(std::string_view name)>& lookup);

using Shape = std::vector<Dim>;
std::string to_string(const Shape& shape);  // "[N, 3, 2*H]"
Dim product(const Shape& shape);
bool is_static(const Shape& shape);
std::vector<int64_t> static_dims(const Shape& shape);  // asserts is_static

}  // namespace tenrec
