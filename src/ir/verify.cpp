// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "ir/graph.h"

namespace tenrec {
namespace {

void verify_uses(const Value& value) {
  for (const Use& use : value.uses()) {
    TENREC_ASSERT(!use.node || use.node->input(use.index) == &value,
                  "value '{}' lists a use by {} that does not read it", value.name,
                  use.node->describe());
  }
}

}  // namespace

void verify(const Graph& graph) {
  std::unordered_set<const Value*> defined;
  for (const auto& input : graph.inputs()) {
    defined.insert(input.get());
    verify_uses(*input);
  }
  for (const auto& node : graph.nodes()) {
    TENREC_ASSERT(node->graph() == &graph, "{} belongs to another graph", node->describe());
    for (size_t i = 0; i < node->inputs().size(); ++i) {
      const Value* input = node->input(i);
      if (!input) continue;
      TENREC_ASSERT(defined.count(input), "{} reads input {} before it is computed",
                    node->describe(), i);
      TENREC_ASSERT(std::count(input->uses().begin(), input->uses().end(), Use{node.get(), i}) == 1,
                    "{}: input {} does not know its use", node->describe(), i);
    }
    for (const Value* output : node->outputs()) {
      TENREC_ASSERT(output->producer() == node.get() && output->type.present(),
                    "{}: an output has no type or another producer", node->describe());
      defined.insert(output);
      verify_uses(*output);
    }
    for (const Graph* body : node->bodies()) verify(*body);
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const Value* output = graph.outputs()[i];
    TENREC_ASSERT(defined.count(output), "graph output {} is not computed", i);
    TENREC_ASSERT(std::count(output->uses().begin(), output->uses().end(), Use{nullptr, i}) == 1,
                  "graph output {} does not know its use", i);
  }
}

}  // namespace tenrec
