// SPDX-License-Identifier: Apache-2.0
// Nodes that compute the same from the same become one.
#include <unordered_map>

#include "ir/constant.h"
#include "ir/text.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

bool can_merge(const Node& node) {
  const OpInfo& info = node.op().info();
  return node.body_count() == 0 && !info.side_effect &&
         info.accuracy.kind != Accuracy::Kind::random && !info.data_dependent;
}

// Constants are compared by dtype, shape and bytes; the first bytes make a cheap first key.
std::string key_of(const Node& node) {
  std::string key(node.op().name());
  for (const Value* input : node.inputs())
    key += fmt::format(" {}", static_cast<const void*>(input));
  if (const auto* constant = node.as<Constant>()) {
    key += fmt::format(" {}{}", name(constant->value.dtype()), to_string(constant->value.dims()));
  }
  return key;
}

// Types too: where inference gives fresh symbols, a size of one node means nothing to the other's
// readers.
bool same_result(const Node& a, const Node& b) {
  if (!(a.op() == b.op())) return false;
  for (size_t i = 0; i < a.output_count(); ++i) {
    if (!(a.output(i)->type == b.output(i)->type)) return false;
  }
  return true;
}

}  // namespace

void common_subexpressions(Graph& graph) {
  std::unordered_map<std::string, std::vector<Node*>> seen;
  for (const auto& node : graph.nodes()) {
    for (size_t i = 0; i < node->body_count(); ++i) common_subexpressions(node->body(i));
    if (!can_merge(*node)) continue;
    auto& same_key = seen[key_of(*node)];
    Node* twin = nullptr;
    for (Node* other : same_key) {
      if (!twin && same_result(*other, *node)) twin = other;
    }
    if (!twin) {
      same_key.push_back(node.get());
      continue;
    }
    for (size_t i = 0; i < node->output_count(); ++i)
      graph.replace_uses(node->output(i), twin->output(i));
  }
}

}  // namespace tenrec
