// SPDX-License-Identifier: Apache-2.0
#include "build/bind.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "ops/dims.h"
#include "ops/if.h"
#include "passes/inline_body.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

constexpr int64_t default_value = 1;  // opt of a shape value that nobody set
// Opt of a size that only running defines: its upper bound up to the first, the second without one.
constexpr int64_t largest_assumed = 1024, assumed_unbounded = 64;

struct Bounds {
  int64_t min, opt, max;
};

// Opt of a size that the profile leaves open: tuning needs some size, and a picture or a sentence
// tells more than a single element. Wrong guesses cost speed only.
int64_t assumed_size(size_t axis, size_t rank) {
  if (axis == 0) return 1;
  return rank >= 4 && axis >= 2 ? 224 : 128;
}

void check_profile_names(const Graph& graph, const ProfileOptions& profile) {
  const auto known = [&](const std::string& name) {
    for (const auto& input : graph.inputs()) {
      if (input->name == name) return true;
    }
    return false;
  };
  std::string names;
  for (const auto& input : graph.inputs()) names += (names.empty() ? "" : ", ") + input->name;
  for (const auto& [name, range] : profile.dims) {
    TENREC_CHECK(known(name), usage,
                 "shape range for \"{}\": the model has no such input; it has {}", name, names);
  }
  for (const auto& [name, range] : profile.values) {
    TENREC_CHECK(known(name), usage,
                 "value range for \"{}\": the model has no such input; it has {}", name, names);
  }
}

Bounds bounds_of(const DimsRange& range, size_t axis, const std::string& name, const Dim& dim) {
  Bounds b{range.min[axis], range.opt[axis], range.max[axis]};
  if (b.max < 0) b.max = plan::unbounded;
  TENREC_CHECK(0 <= b.min && b.min <= b.opt && b.opt <= b.max, usage,
               "input \"{}\", axis {}: min {} <= opt {} <= max {} must hold", name, axis, b.min,
               b.opt, b.max);
  if (dim.is_const()) {
    TENREC_CHECK(b.min <= dim.value() && dim.value() <= b.max, usage,
                 "input \"{}\", axis {}: the model fixes it to {}, the profile asks for {} to {}",
                 name, axis, dim.value(), b.min, b.max);
    return {dim.value(), dim.value(), dim.value()};
  }
  return b;
}

class Binder {
 public:
  Binder(const Graph& graph, const ProfileOptions& profile) : profile_(profile) {
    check_profile_names(graph, profile);
    bound_.graph = graph.clone();
  }

  BoundGraph run() {
    for (const auto& input : bound_.graph->inputs()) bind_values(*input);
    if (!binding_.empty()) {
      // A value may decide which branch is taken, and the other need not suit the sizes.
      apply();
      fold_constants(*bound_.graph);
    }
    for (const auto& input : bound_.graph->inputs()) bind_dims(*input);
    apply();
    return std::move(bound_);
  }

 private:
  void apply() {
    for (const auto& input : bound_.graph->inputs()) substitute(*input);
    substitute_sizes(*bound_.graph, binding_);
    substitute_bodies(*bound_.graph);
    bound_.graph->reinfer();
  }

  // `symbol` gets these bounds: a constant, or a new symbol that carries them.
  void set(const SymbolRef& symbol, const Bounds& b) {
    if (!symbol || binding_.count(symbol.get())) return;
    if (b.min == b.max) {
      binding_[symbol.get()] = Dim(b.min);
      return;
    }
    auto copy = std::make_shared<Symbol>(*symbol);
    copy->lower = std::max(copy->lower, b.min);
    copy->upper = std::min(copy->upper, b.max);
    binding_[symbol.get()] = Dim::symbol(copy);
    bound_.opt[copy.get()] = b.opt;
    keep_.push_back(copy);
  }

  void bind_dims(const Value& input) {
    plan::Range out;
    const Type& type = input.type;
    const auto found = profile_.dims.find(input.name);
    const size_t rank = type.kind == Type::Kind::tensor && type.ranked ? type.shape.size() : 0;
    if (found != profile_.dims.end()) {
      const DimsRange& range = found->second;
      TENREC_CHECK(range.min.size() == rank && range.opt.size() == rank && range.max.size() == rank,
                   usage, "shape range for \"{}\" has {}/{}/{} dims, the input has {}: {}",
                   input.name, range.min.size(), range.opt.size(), range.max.size(), rank,
                   type.str());
    }
    for (size_t axis = 0; axis < rank; ++axis) {
      const Dim& dim = type.shape[axis];
      Bounds b{dim.lower(), std::clamp(assumed_size(axis, rank), dim.lower(), dim.upper()),
               dim.upper()};
      if (dim.is_const()) b = {dim.value(), dim.value(), dim.value()};
      if (found != profile_.dims.end()) b = bounds_of(found->second, axis, input.name, dim);
      if (!dim.is_const()) set(dim.as_symbol(), b);
      out.min.push_back(b.min);
      out.opt.push_back(b.opt);
      out.max.push_back(b.max);
    }
    bound_.ranges.push_back(std::move(out));
  }

  void bind_values(const Value& input) {
    plan::Range out;
    const auto found = profile_.values.find(input.name);
    const Type& type = input.type;
    const size_t ints = type.known ? type.known->ints.size() : 0;
    const size_t floats = type.known ? type.known->floats.size() : 0;
    if (found != profile_.values.end()) {
      const ValueRange& range = found->second;
      TENREC_CHECK(range.min.size() == ints + floats && range.opt.size() == ints + floats &&
                       range.max.size() == ints + floats,
                   usage,
                   "value range for \"{}\" has {} values, {} are needed (0: it decides no shape)",
                   input.name, range.min.size(), ints + floats);
    }
    for (size_t i = 0; i < ints; ++i) {
      Bounds b{type.known->ints[i].lower(), default_value, type.known->ints[i].upper()};
      if (found != profile_.values.end()) {
        b = {std::llround(found->second.min[i]), std::llround(found->second.opt[i]),
             std::llround(found->second.max[i])};
      }
      set(type.known->ints[i].as_symbol(), b);
      push(out, b);
    }
    for (size_t i = 0; i < floats; ++i) {
      // A float symbol holds the bits of its value; ranges of bits mean nothing, so only min == max
      // specialises.
      float opt = 1;
      if (found != profile_.values.end()) {
        opt = static_cast<float>(found->second.opt[i]);
        const auto bits = std::bit_cast<int32_t>(opt);
        if (found->second.min[i] == found->second.max[i]) {
          const Symbol* symbol = type.known->floats[i].symbol.get();
          fixed_floats_[symbol] = opt;
          binding_[symbol] = Dim(bits);
          push(out, {bits, bits, bits});
          continue;
        }
      }
      if (const SymbolRef& symbol = type.known->floats[i].symbol) {
        bound_.opt[symbol.get()] = std::bit_cast<int32_t>(opt);
      }
      constexpr float infinity = std::numeric_limits<float>::infinity();
      push(out, {std::bit_cast<int32_t>(-infinity), std::bit_cast<int32_t>(opt),
                 std::bit_cast<int32_t>(infinity)});
    }
    bound_.value_ranges.push_back(std::move(out));
  }

  static void push(plan::Range& range, const Bounds& b) {
    range.min.push_back(b.min);
    range.opt.push_back(b.opt);
    range.max.push_back(b.max);
  }

  void substitute(Value& value) {
    for (Dim& dim : value.type.shape) dim = dim.substitute(binding_);
    if (!value.type.known) return;
    Known known = *value.type.known;
    for (Dim& dim : known.ints) dim = dim.substitute(binding_);
    for (Scale& scale : known.floats) {
      const auto fixed =
          scale.symbol ? fixed_floats_.find(scale.symbol.get()) : fixed_floats_.end();
      if (fixed != fixed_floats_.end()) scale = {fixed->second, nullptr};
    }
    value.type.known = std::make_shared<Known>(std::move(known));
  }

  // Body inputs keep types of their own; the symbols they share with the outer graph change with
  // it.
  void substitute_bodies(const Graph& graph) {
    const auto settle = [&](Graph& body) {
      for (const auto& input : body.inputs()) substitute(*input);
      substitute_bodies(body);
      body.reinfer();
    };
    for (const auto& node : graph.nodes()) {
      if (node->as<If>()) {
        infer_branches(*node, settle);
        continue;
      }
      for (size_t i = 0; i < node->body_count(); ++i) settle(node->body(i));
    }
  }

  const ProfileOptions& profile_;
  BoundGraph bound_;
  Dim::Binding binding_;
  std::map<const Symbol*, float> fixed_floats_;
  std::vector<SymbolRef> keep_;
};

}  // namespace

void substitute_sizes(Graph& graph, const Dim::Binding& binding) {
  for (const auto& node : graph.nodes()) {
    for (size_t i = 0; i < node->body_count(); ++i) substitute_sizes(node->body(i), binding);
    const auto* sizes = node->as<DimsValue>();
    if (!sizes) continue;
    DimsValue bound = *sizes;
    for (Dim& dim : bound.values) dim = dim.substitute(binding);
    graph.set_op(node.get(), std::move(bound));
  }
}

BoundGraph bind(const Graph& graph, const ProfileOptions& profile) {
  return Binder(graph, profile).run();
}

int64_t opt_value(const Dim& dim, const std::map<const Symbol*, int64_t>& opt) {
  return dim.evaluate([&](const Symbol& symbol) -> int64_t {
    const auto found = opt.find(&symbol);
    if (found != opt.end()) return found->second;
    if (symbol.is_float) return std::bit_cast<int32_t>(1.0F);
    const int64_t likely = symbol.upper == Dim::unbounded ? assumed_unbounded : largest_assumed;
    return std::clamp(likely, symbol.lower, symbol.upper);
  });
}

}  // namespace tenrec
