// SPDX-License-Identifier: Apache-2.0
// Canonical form and algebra: what later passes match is written in one way only.
#include "ops/transpose.h"
#include "passes/passes.h"
#include "passes/simplify_rules.h"

namespace tenrec {

void simplify(Graph& graph) {
  const InputSymbols symbols(graph);
  std::vector<Rule> rules = movement_rules();
  for (const auto& list : {view_rules(symbols), algebra_rules()}) {
    rules.insert(rules.end(), list.begin(), list.end());
  }
  apply_rules(graph, rules);
}

}  // namespace tenrec
