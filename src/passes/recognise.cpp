// SPDX-License-Identifier: Apache-2.0
// What exporters have taken apart becomes one operator again: kernels then read the data once and
// keep their sums exact. The rules see canonical form (simplify), so a concept needs one rule.
#include "passes/recognise.h"

#include "passes/passes.h"

namespace tenrec {

void recognise(Graph& graph) {
  std::vector<Rule> rules = normalisation_rules();
  for (const std::vector<Rule>& more :
       {activation_rules(), lookup_rules(), composition_rules(), scan_rules()})
    rules.insert(rules.end(), more.begin(), more.end());
  apply_rules(graph, rules);
}

}  // namespace tenrec
