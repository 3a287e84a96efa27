// SPDX-License-Identifier: Apache-2.0
#include "passes/inline_body.h"

#include <map>
#include <optional>

#include "base/error.h"
#include "ops/fail.h"
#include "ops/if.h"

namespace tenrec {
namespace {

std::vector<std::unique_ptr<Graph>> cloned_bodies(const Node& node) {
  std::vector<std::unique_ptr<Graph>> bodies;
  for (const Graph* body : node.bodies()) bodies.push_back(body->clone());
  return bodies;
}

bool inline_here(Graph& graph) {
  bool any = false;
  for (Node* node = graph.front(); node;) {
    Node* const next = node->next();
    for (size_t i = 0; i < node->body_count(); ++i) any |= inline_here(node->body(i));
    const Tensor* condition = node->as<If>() ? node->input(0)->constant() : nullptr;
    if (condition) {
      inline_body(graph, node, condition->to_ints().at(0) != 0 ? 0 : 1, 1);
      any = true;
    }
    node = next;
  }
  return any;
}

// A node that fails, with outputs like those of the other branch.
const Node* add_failing(Graph& branch, const Graph& other, const std::string& message) {
  Fail op;
  op.message = "the branch taken cannot work with these sizes: " + message;
  for (const Value* output : other.outputs()) {
    const Type& type = output->type;
    if (type.kind != Type::Kind::tensor || !type.ranked)
      fail(ErrorCode::invalid_model, "{}", message);
    op.dtypes.push_back(type.dtype);
    op.ranks.push_back(type.rank());
    for (const Dim& dim : type.shape) op.sizes.push_back(dim.constant().value_or(-1));
  }
  return branch.insert(nullptr, std::move(op), {});
}

void make_failing(Graph& branch, const Graph& other, const std::string& message) {
  const Node* node = add_failing(branch, other, message);
  for (size_t i = 0; i < node->output_count(); ++i) branch.set_output(i, node->output(i));
  branch.remove_dead();
}

// A branch reads the node's inputs after the condition, so their types are its inputs' types.
void refine_branches(const Node& node) {
  infer_branches(node, [&](Graph& branch) {
    for (size_t k = 0; k < branch.inputs().size(); ++k)
      branch.inputs()[k]->type = node.input(k + 1)->type;
    refine_types(branch);
  });
}

}  // namespace

void refine_types(Graph& graph) {
  graph.reinfer();
  bool any = false;
  for (const auto& node : graph.nodes()) {
    if (!node->as<If>()) continue;
    refine_branches(*node);
    any = true;
  }
  if (any) graph.reinfer();
}

Node* copy_node(Graph& graph, Node* before, const Node& node, Values inputs) {
  Node* const copy =
      graph.insert(before, node.op(), std::move(inputs), cloned_bodies(node), node.origins());
  for (size_t i = 0; i < node.output_count(); ++i) {
    copy->output(i)->type.layout = node.output(i)->type.layout;
    copy->output(i)->name = node.output(i)->name;
  }
  return copy;
}

std::unique_ptr<Graph> failing_branch(const Graph& other, const std::string& message) {
  auto branch = std::make_unique<Graph>();
  for (const auto& input : other.inputs()) branch->add_input(input->name, input->type);
  const Node* node = add_failing(*branch, other, message);
  for (size_t i = 0; i < node->output_count(); ++i)
    branch->add_output(node->output(i), other.output_names()[i]);
  return branch;
}

void inline_body(Graph& graph, Node* node, size_t body, size_t first_input) {
  const Graph& inner_graph = node->body(body);
  std::map<const Value*, Value*> outside;
  for (size_t i = 0; i < inner_graph.inputs().size(); ++i)
    outside[inner_graph.inputs()[i].get()] = node->input(first_input + i);
  for (const auto& inner : inner_graph.nodes()) {
    Values inputs;
    for (const Value* input : inner->inputs())
      inputs.push_back(input ? outside.at(input) : nullptr);
    const Node* copy = copy_node(graph, node, *inner, std::move(inputs));
    for (size_t i = 0; i < inner->output_count(); ++i) outside[inner->output(i)] = copy->output(i);
  }
  for (size_t i = 0; i < node->output_count(); ++i) {
    graph.replace_uses(node->output(i), outside.at(inner_graph.outputs()[i]));
  }
  graph.erase(node);
}

void infer_branches(const Node& node, const std::function<void(Graph& branch)>& infer) {
  std::optional<Error> problem;
  size_t broken = 0;
  for (size_t i = 0; i < node.body_count(); ++i) {
    try {
      infer(node.body(i));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_model || problem) throw;
      problem = error;
      broken = i;
    }
  }
  if (problem) make_failing(node.body(broken), node.body(1 - broken), problem->what());
}

bool inline_branches(Graph& graph) {
  if (!inline_here(graph)) return false;
  refine_types(graph);
  return true;
}

}  // namespace tenrec
