// SPDX-License-Identifier: Apache-2.0
// An If whose condition is known is the branch that is taken. The other one need not even make
// sense for the sizes of this profile.
#include "ops/if.h"
#include "passes/fuse.h"
#include "passes/passes.h"

namespace tenrec {

void decide_branches(Graph& graph) {
  for (Node* node = graph.front(); node;) {
    Node* const next = node->next();
    for (size_t i = 0; i < node->body_count(); ++i) decide_branches(node->body(i));
    if (node->as<If>()) {
      const auto condition = node->input(0)->type.constant_ints();
      if (condition && condition->size() == 1)
        put_body_in_place(graph, node, (*condition)[0] != 0 ? 0 : 1, 1);
    }
    node = next;
  }
  graph.remove_dead();
}

}  // namespace tenrec
