// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "base/error.h"
#include "passes/fuse.h"

namespace tenrec {

void dissolve(Graph& graph, Node* node) {
  TENREC_ASSERT(node->body_count() == 1);
  put_body_in_place(graph, node, 0, 0);
}

void put_body_in_place(Graph& graph, Node* node, size_t body_index, size_t first_input) {
  const Graph& body = node->body(body_index);
  std::map<const Value*, Value*> outside;
  for (size_t i = 0; i < body.inputs().size(); ++i)
    outside[body.inputs()[i].get()] = node->input(first_input + i);
  for (const auto& inner : body.nodes()) {
    Values inputs;
    for (const Value* input : inner->inputs())
      inputs.push_back(input ? outside.at(input) : nullptr);
    std::vector<std::unique_ptr<Graph>> bodies;
    for (const Graph* each : inner->bodies()) bodies.push_back(each->clone());
    const Node* copy =
        graph.insert(node, inner->op(), std::move(inputs), std::move(bodies), inner->origins());
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
