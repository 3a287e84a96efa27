// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "base/error.h"
#include "passes/fuse.h"

namespace tenrec {

void dissolve(Graph& graph, Node* node) {
  TENREC_ASSERT(node->body_count() == 1);
  const Graph& body = node->body(0);
  std::map<const Value*, Value*> outside;
  for (size_t i = 0; i < body.inputs().size(); ++i)
    outside[body.inputs()[i].get()] = node->input(i);
  for (const auto& inner : body.nodes()) {
    Values inputs;
    for (const Value* input : inner->inputs())
      inputs.push_back(input ? outside.at(input) : nullptr);
    const Node* copy = graph.insert(node, inner->op(), std::move(inputs), {}, inner->origins());
    for (size_t i = 0; i < inner->output_count(); ++i) {
      copy->output(i)->type.layout = inner->output(i)->type.layout;
      outside[inner->output(i)] = copy->output(i);
    }
  }
  for (size_t i = 0; i < node->output_count(); ++i) {
    graph.replace_uses(node->output(i), outside.at(body.outputs()[i]));
  }
  graph.erase(node);
}

}  // namespace tenrec
