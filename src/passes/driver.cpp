// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "passes/pass.h"

namespace tenrec {
namespace {

// A rule set that never settles is a bug; this many sweeps are far beyond any real model's need.
constexpr int max_sweeps = 64;

bool sweep(Graph& graph, const std::vector<Rule>& rules) {
  Rewriter rewriter(graph);
  bool any = false;
  for (Node* node = graph.front(); node;) {
    const Values outputs = node->outputs();
    const bool used = std::any_of(outputs.begin(), outputs.end(),
                                  [](const Value* output) { return !output->uses().empty(); });
    Node* next = node->next();
    if (used) {
      for (const Rule& rule : rules) {
        const bool applied = with_context([&] { return fmt::format("rule {}", rule.name); },
                                          [&] { return rule.apply(rewriter, *node); });
        if (!applied) continue;
        any = true;
        // New nodes stand before the replaced one; the rule may have removed neighbours.
        next = node->next();
        break;
      }
    }
    node = next;
  }
  graph.remove_dead();
  return any;
}

}  // namespace

void apply_rules(Graph& graph, const std::vector<Rule>& rules) {
  for (const auto& node : graph.nodes()) {
    for (size_t i = 0; i < node->body_count(); ++i) apply_rules(node->body(i), rules);
  }
  int sweeps = 0;
  while (sweep(graph, rules)) {
    TENREC_ASSERT(++sweeps < max_sweeps, "the rules starting with {} do not settle", rules[0].name);
  }
}

bool run_passes(Graph& graph, const std::vector<Pass>& passes, const PassOptions& options) {
  for (const Pass& pass : passes) {
    if (std::find(options.skip.begin(), options.skip.end(), pass.name) == options.skip.end()) {
      with_context([&] { return fmt::format("pass {}", pass.name); },
                   [&] {
                     pass.run(graph);
                     graph.remove_dead();
                     verify(graph);
                   });
    }
    if (options.after) options.after(pass.name, graph);
    if (pass.name == options.stop_after) return true;
  }
  return false;
}

}  // namespace tenrec
