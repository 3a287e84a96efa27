// SPDX-License-Identifier: Apache-2.0
// What follows an If whose branches differ in rank moves into both of them:
//
//   y = if(c) { squeeze(x) } else { x }; z = f(y)   becomes   z = if(c) { f(squeeze(x)) } else {
//   f(x) }
//
// so that every value has a rank again, which tensors need to be anywhere but on the host.
// Exporters of scripted torch models write such Ifs for each `squeeze` and each test of a rank; the
// later ones are decided by the first. A Squeeze whose axes only sizes tell is such an If, too
// (passes/decide_squeezes.h). A branch that what follows cannot work with fails if it is taken.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "ops/if.h"
#include "passes/decide_squeezes.h"
#include "passes/inline_body.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

// Each such If may double what follows it; the exporters' are decided at once and add nothing.
constexpr size_t most_copies = 4096;

using Tail = std::vector<Node*>;  // in graph order

bool is_unranked(const Value* value) {
  return value->type.kind == Type::Kind::tensor && !value->type.ranked;
}

// The nodes that read a value of this node, directly or not.
Tail tail_of(const Node& node) {
  Tail tail;
  std::set<const Value*> reached;
  const auto reach = [&](const Node& from) {
    for (const Value* output : from.outputs()) reached.insert(output);
  };
  reach(node);
  for (Node* next = node.next(); next; next = next->next()) {
    const Values& inputs = next->inputs();
    if (std::none_of(inputs.begin(), inputs.end(), [&](Value* v) { return reached.contains(v); }))
      continue;
    tail.push_back(next);
    reach(*next);
  }
  return tail;
}

size_t count_nodes(const Node& node) {
  size_t count = 1;
  for (const Graph* body : node.bodies())
    for (const auto& inner : body->nodes()) count += count_nodes(*inner);
  return count;
}

// Moves what follows one If into its branches.
class Continuation {
 public:
  Continuation(Graph& graph, Node& node, Tail tail)
      : graph_(graph), node_(node), tail_(std::move(tail)) {
    for (const Node* each : tail_) {
      for (Value* input : each->inputs()) note_captured(input);
    }
    note_results(node_);
    for (const Node* each : tail_) note_results(*each);
  }

  // False, and nothing is changed, where neither branch can go on, or the only one that can has
  // results without a rank.
  bool apply() {
    std::vector<std::unique_ptr<Graph>> bodies;
    if (!make_bodies(bodies)) return false;
    Values inputs = node_.inputs();
    inputs.insert(inputs.end(), captured_.begin(), captured_.end());
    const Node* whole =
        graph_.insert(nullptr, If{}, std::move(inputs), std::move(bodies), node_.origins());
    for (size_t i = 0; i < results_.size(); ++i) graph_.replace_uses(results_[i], whole->output(i));
    for (auto it = tail_.rbegin(); it != tail_.rend(); ++it) graph_.erase(*it);
    graph_.erase(&node_);
    return true;
  }

 private:
  bool is_inside(const Value* value) const {
    return value->producer() == &node_ ||
           std::find(tail_.begin(), tail_.end(), value->producer()) != tail_.end();
  }

  bool knows_condition() const { return node_.input(0)->type.is_static(); }

  // Constants are repeated inside, where they can be folded and packed.
  void note_captured(Value* value) {
    if (!value || value->constant() || is_inside(value)) return;
    if (value == node_.input(0) && knows_condition()) return;
    if (std::find(captured_.begin(), captured_.end(), value) == captured_.end())
      captured_.push_back(value);
  }

  // All that reads these values is in the tail, so only the graph's outputs are left.
  void note_results(const Node& node) {
    for (Value* output : node.outputs()) {
      const Values& outputs = graph_.outputs();
      if (std::find(outputs.begin(), outputs.end(), output) != outputs.end())
        results_.push_back(output);
    }
  }

  bool make_bodies(std::vector<std::unique_ptr<Graph>>& bodies) const {
    std::optional<Error> problem;
    for (size_t i = 0; i < 2; ++i) {
      try {
        bodies.push_back(continued(node_.body(i), i == 0));
      } catch (const Error& error) {
        if (error.code() != ErrorCode::invalid_model || problem) return false;
        problem = error;
        bodies.push_back(nullptr);
      }
    }
    if (!problem) return true;
    const size_t broken = bodies[0] ? 1 : 0;
    const Values& outputs = bodies[1 - broken]->outputs();
    if (std::any_of(outputs.begin(), outputs.end(), is_unranked)) return false;
    bodies[broken] = failing_branch(*bodies[1 - broken], problem->what());
    return true;
  }

  // In a branch it is known which way the condition went, for the next one that asks it, too.
  std::unique_ptr<Graph> continued(const Graph& branch, bool condition) const {
    std::unique_ptr<Graph> body = branch.clone();
    std::map<const Value*, Value*> inside;
    if (knows_condition()) {
      const Dims shape = static_dims(node_.input(0)->type.shape);
      const std::vector<int64_t> elements{condition ? 1 : 0};
      inside[node_.input(0)] =
          body->constant(nullptr, Tensor::from_ints(DType::boolean, shape, elements));
    }
    for (size_t i = 0; i < node_.output_count(); ++i) inside[node_.output(i)] = body->outputs()[i];
    for (const Value* value : captured_) inside[value] = body->add_input(value->name, value->type);
    while (!body->outputs().empty()) body->remove_output(body->outputs().size() - 1);
    for (const Node* each : tail_) append(*body, *each, inside);
    for (const Value* result : results_) body->add_output(inside.at(result), result->name);
    return body;
  }

  static void append(Graph& body, const Node& node, std::map<const Value*, Value*>& inside) {
    Values inputs;
    for (const Value* input : node.inputs()) {
      Value* found = nullptr;
      if (input && input->constant() && !inside.contains(input))
        inside[input] = body.constant(nullptr, *input->constant());
      if (input) found = inside.at(input);
      inputs.push_back(found);
    }
    Values outputs = copy_node(body, nullptr, node, std::move(inputs))->outputs();
    for (size_t i = 0; i < outputs.size(); ++i) inside[node.output(i)] = outputs[i];
  }

  Graph& graph_;
  Node& node_;
  Tail tail_;
  Values captured_, results_;
};

class Search {
 public:
  // True if any was moved; the branches are to be folded before the next search.
  bool run(Graph& graph) {
    bool any = false;
    for (Node* node = graph.front(); node; node = node->next()) {
      for (size_t i = 0; i < node->body_count(); ++i) any |= run(node->body(i));
    }
    for (Node* node = graph.front(); node; node = node->next()) {
      const Values outputs = node->outputs();
      if (!node->as<If>() || std::none_of(outputs.begin(), outputs.end(), is_unranked)) continue;
      const Tail tail = tail_of(*node);
      size_t copies = 0;
      for (const Node* each : tail) copies += count_nodes(*each);
      if (tail.empty() || copies > left_) continue;
      if (!Continuation(graph, *node, tail).apply()) continue;
      left_ -= copies;
      return true;
    }
    return any;
  }

 private:
  size_t left_ = most_copies;
};

}  // namespace

void continue_branches(Graph& graph) {
  Search search;
  decide_squeezes(graph);
  while (search.run(graph)) {
    refine_types(graph);
    fold_constants(graph);
    decide_squeezes(graph);
  }
}

}  // namespace tenrec
