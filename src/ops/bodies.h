// SPDX-License-Identifier: Apache-2.0
// Inference through the bodies of If, Loop, Scan and SequenceMap.
#pragma once
#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/type.h"

namespace tenrec {

// The output types of a body for these input types: its own if it was inferred with them, else
// those of a copy that is.
Types body_outputs(const Graph& body, const Types& inputs);
// The types of a body's outputs as they stand.
Types output_types(const Graph& body);

// A type that fits both: equal sizes stay, others become fresh symbols, differing ranks leave the
// rank open. An Error where kinds or element types differ; `what` names the value.
Type merged(const Type& a, const Type& b, std::string_view what);

// The type with sizes and values that speak of symbols unknown outside replaced by fresh symbols.
using SymbolSet = std::set<const Symbol*>;
SymbolSet symbols_of(const Types& types);
Type exported(const Type& type, const SymbolSet& visible);

// Types that hold for carried values in every iteration, found by widening the initial ones until
// the body gives back nothing new. `outputs_of` infers the body; its first outputs are the carried
// values.
struct Carried {
  Types inputs;
  Types outputs;  // all of the body's
};
Carried stable_carried(Types initial, const std::function<Types(const Types& carried)>& outputs_of);

// What a node that collects one tensor an iteration needs to know when there is no iteration.
struct EmptyOutput {
  DType dtype = DType::f32;
  std::vector<int64_t> dims;  // of one iteration's tensor, 0 for sizes not known
  static auto fields(auto& s) {
    return std::tuple{field(1, "dtype", s.dtype), field(2, "dims", s.dims)};
  }
  bool operator==(const EmptyOutput&) const = default;
};
EmptyOutput empty_output(const Type& type);
// One tensor an iteration, stacked along a new `axis`.
Tensor stacked(const Tensors& parts, int64_t axis, const EmptyOutput& empty);

}  // namespace tenrec
