// SPDX-License-Identifier: Apache-2.0
// Passes rewrite a graph. A Pass is a named function; most are lists of rules run to fixpoint. The
// driver does, once for all of them: skipping by name, stopping, dead code, the verifier, timing,
// dumps.
//
// HOW TO ADD A PASS OR RULE: a rule looks at one node of one operator type and either returns false
// or replaces it:
//
//   bool drop_identity(Rewriter& rw, const Node& n, const Identity&) {
//     rw.replace(n, {n.input(0)});
//     return true;
//   }
//
// list it in its pass as rule<Identity>("drop_identity", drop_identity), and the pass in
// pipeline.cpp. Passes must be deterministic and idempotent; tests/passes/<pass>.ir holds one small
// golden a behaviour.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace tenrec {

struct Rule {
  std::string_view name;
  std::function<bool(Rewriter&, const Node&)> apply;
};

template <class T>
Rule rule(std::string_view name, bool (*function)(Rewriter&, const Node&, const T&)) {
  return {name, [function](Rewriter& rw, const Node& node) {
            const T* op = node.as<T>();
            return op && function(rw, node, *op);
          }};
}

// Applies rules to every node, front to back, until none applies; bodies first.
void apply_rules(Graph& graph, const std::vector<Rule>& rules);

struct Pass {
  std::string_view name;
  std::function<void(Graph&)> run;
};

struct PassOptions {
  std::vector<std::string> skip;  // names; an unknown one is a usage Error
  std::string stop_after;         // a pass name, or empty
  std::function<void(std::string_view pass, const Graph&)>
      after;  // dumps, progress; may throw `cancelled`
};

// The whole ordered list of passes on the symbolic graph, run once per model.
const std::vector<Pass>& symbolic_passes();
// Runs on each bound graph, before and after the target's own passes.
const std::vector<Pass>& bound_passes();
// True if it stopped early.
bool run_passes(Graph& graph, const std::vector<Pass>& passes, const PassOptions& options = {});

}  // namespace tenrec
