// SPDX-License-Identifier: Apache-2.0
// Binds a profile: min/opt/max of the inputs become constants (min == max) or tighter bounds of the
// symbols, and every type is inferred again on the bound graph.
#pragma once
#include <memory>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"
#include "tenrec/builder.h"

namespace tenrec {

struct BoundGraph {
  std::unique_ptr<Graph> graph;
  std::vector<plan::Range> ranges;        // dims, one per input
  std::vector<plan::Range> value_ranges;  // shape inputs' values; empty for the others
  std::map<const Symbol*, int64_t> opt;   // of every input symbol, for selection and tuning
};

BoundGraph bind(const Graph& graph, const ProfileOptions& profile);

// Sizes that `dims` nodes hold as data follow a substitution of symbols; bodies included.
void substitute_sizes(Graph& graph, const Dim::Binding& binding);

// A dim at the opt point; symbols that only running defines count as their upper bound up to a
// limit, and as a moderate size where they have none.
int64_t opt_value(const Dim& dim, const std::map<const Symbol*, int64_t>& opt);

}  // namespace tenrec
