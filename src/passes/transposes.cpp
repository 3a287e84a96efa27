// SPDX-License-Identifier: Apache-2.0
// Transposes of channels-last models cancel: where operators that do not care about the order of
// axes stand between a Transpose and its inverse, the operators move to the other side.
//
// For one permutation, a region is what can be computed from the inputs of its Transposes. It is
// moved only if that leaves fewer elements to transpose than before.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ops/reduce.h"
#include "ops/transpose.h"
#include "passes/match.h"
#include "passes/passes.h"
#include "passes/permute_axes.h"
#include "passes/simplify_rules.h"

namespace tenrec {
namespace {

using Perm = std::vector<int64_t>;

std::optional<Perm> perm_of(const Node& node) {
  const auto* transpose = node.as<Transpose>();
  if (!transpose || !node.output()->type.ranked) return std::nullopt;
  return transpose->order(node.output()->type.rank());
}

double weight_of(const Value& value) {
  constexpr double assumed_size = 32;
  double weight = 1;
  for (const Dim& dim : value.type.shape) {
    weight *= dim.is_const() ? static_cast<double>(dim.value()) : assumed_size;
  }
  return weight;
}

class Mover {
 public:
  Mover(Graph& graph, Perm perm)
      : graph_(graph), perm_(std::move(perm)), inverse_(inverse_of(perm_)) {}

  // True if something moved.
  bool run() {
    collect();
    prune();
    choose();
    if (chosen_.empty()) return false;
    move();
    return true;
  }

 private:
  void collect() {
    for (const auto& node : graph_.nodes()) {
      if (perm_of(*node) == perm_) {
        outer_.insert(node->output());
        entries_.push_back(node.get());
      } else if (permute_axes(*node, perm_,
                              [&](const Value* value) { return outer_.count(value) != 0; })) {
        members_.insert(node.get());
        order_.push_back(node.get());
        for (const Value* output : node->outputs()) outer_.insert(output);
      }
    }
  }

  bool is_inside(const Use& use) const { return use.node && members_.count(use.node); }
  bool is_cancelling(const Use& use) const { return use.node && perm_of(*use.node) == inverse_; }
  // A reader that wants the value in the outer order.
  bool is_wanted_outside(const Value& value) const {
    return std::any_of(value.uses().begin(), value.uses().end(), [&](const Use& use) {
      return !is_inside(use) && !(use.node && use.node->as<Transpose>());
    });
  }

  // Elements to transpose because this member is moved, less those that cancel.
  double cost(const Node& node) const {
    double cost = 0;
    for (const Value* output : node.outputs()) {
      if (is_wanted_outside(*output)) cost += weight_of(*output);
      for (const Use& use : output->uses()) {
        if (is_cancelling(use)) cost -= weight_of(*output);
      }
    }
    return cost;
  }

  // The same if it stays where it is: its inputs are then wanted outside.
  double cost_of_staying(const Node& node) const {
    double cost = 0;
    std::unordered_set<const Value*> seen;
    for (const Value* input : node.inputs()) {
      if (!input || !outer_.count(input) || !seen.insert(input).second) continue;
      if (!is_wanted_outside(*input)) cost += weight_of(*input);
    }
    return cost;
  }

  // Members at the rim that do not pay stay; back to front, so that one sweep sees each after its
  // readers.
  void prune() {
    for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
      const Node& node = **it;
      bool at_rim = true;
      for (const Value* output : node.outputs()) {
        for (const Use& use : output->uses()) at_rim &= !is_inside(use);
      }
      if (!at_rim || cost(node) < cost_of_staying(node)) continue;
      members_.erase(&node);
      for (const Value* output : node.outputs()) outer_.erase(output);
    }
    std::erase_if(order_, [&](const Node* node) { return !members_.count(node); });
  }

  // Components of the region, each judged by what it saves.
  void choose() {
    std::unordered_map<const Node*, size_t> component;
    std::vector<size_t> leader;
    const auto find = [&](size_t i) {
      while (leader[i] != i) i = leader[i];
      return i;
    };
    const auto join = [&](const Node* a, const Node* b) {
      leader[find(component.at(a))] = find(component.at(b));
    };
    for (const auto& list : {entries_, order_}) {
      for (const Node* node : list) {
        component[node] = leader.size();
        leader.push_back(leader.size());
      }
    }
    for (const Node* node : order_) {
      for (const Value* input : node->inputs()) {
        if (input && outer_.count(input)) join(input->producer(), node);
      }
    }
    std::vector<double> saved(leader.size(), 0.0);
    for (const Node* entry : entries_) {
      if (!is_wanted_outside(*entry->output()))
        saved[find(component[entry])] += weight_of(*entry->output());
    }
    for (const Node* node : order_) saved[find(component[node])] -= cost(*node);
    for (Node* node : order_) {
      if (saved[find(component[node])] > 0) chosen_.push_back(node);
    }
  }

  void move() {
    Rewriter rw(graph_);
    std::unordered_map<const Value*, Value*> inner;
    for (const Node* entry : entries_) inner[entry->output()] = entry->input(0);
    for (const Node* node : chosen_) {
      const auto permuted =
          permute_axes(*node, perm_, [&](const Value* value) { return inner.count(value) != 0; });
      TENREC_ASSERT(permuted, "{} cannot be moved after all", node->describe());
      Values inputs;
      for (size_t i = 0; i < node->inputs().size() || i < permuted->replaced.size(); ++i) {
        const Tensor& tensor = i < permuted->replaced.size() ? permuted->replaced[i] : Tensor();
        Value* input = node->input(i);
        if (tensor) inputs.push_back(rw.constant(*node, tensor));
        else inputs.push_back(inner.count(input) ? inner.at(input) : input);
      }
      const Node* fresh = rw.insert_node(*node, permuted->op, inputs);
      Values outputs;
      for (size_t i = 0; i < node->output_count(); ++i) {
        inner[node->output(i)] = fresh->output(i);
        outputs.push_back(rw.insert(*node, Transpose{perm_}, {fresh->output(i)}));
      }
      // The moved readers ask for the old values by name, so they stay known.
      rw.replace(*node, outputs);
      for (size_t i = 0; i < outputs.size(); ++i) inner[outputs[i]] = fresh->output(i);
    }
  }

  static Perm inverse_of(const Perm& perm) {
    Perm inverse(perm.size());
    for (size_t i = 0; i < perm.size(); ++i)
      inverse[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
    return inverse;
  }

  Graph& graph_;
  Perm perm_, inverse_;
  std::unordered_set<const Value*> outer_;  // values that exist in the other order too
  std::vector<Node*> entries_;              // Transposes
  std::unordered_set<const Node*> members_;
  std::vector<Node*> order_, chosen_;
};

// A reduction may forget the axes that a Transpose in front of it has moved.
bool reduce_before_transpose(Rewriter& rw, const Node& node, const Reduce& op) {
  const Node* transpose = producer_of<Transpose>(node.input(0));
  const auto perm = transpose ? perm_of(*transpose) : std::nullopt;
  if (!perm || op.keepdims || (node.input(1) && !constant_ints(node.input(1)))) return false;
  const auto given = constant_ints(node.input(1));
  const auto reduced = op.reduced_axes(static_cast<int64_t>(perm->size()), given.value_or(Dims{}));
  std::vector<int64_t> axes, kept;
  for (size_t i = 0; i < perm->size(); ++i) (reduced[i] ? axes : kept).push_back((*perm)[i]);
  if (axes.empty() || !std::is_sorted(kept.begin(), kept.end())) return false;
  std::sort(axes.begin(), axes.end());
  Value* list = rw.constant(node, Tensor::of({static_cast<int64_t>(axes.size())}, axes));
  rw.replace(node, op, {transpose->input(0), list});
  return true;
}

std::vector<Perm> perms_in(const Graph& graph) {
  std::vector<Perm> perms;
  for (const auto& node : graph.nodes()) {
    const auto perm = perm_of(*node);
    if (perm && std::find(perms.begin(), perms.end(), *perm) == perms.end()) perms.push_back(*perm);
  }
  return perms;
}

void move_through(Graph& graph) {
  for (const auto& node : graph.nodes()) {
    for (size_t i = 0; i < node->body_count(); ++i) move_through(node->body(i));
  }
  std::vector<Rule> rules = movement_rules();
  rules.push_back(rule<Reduce>("reduce_before_transpose", reduce_before_transpose));
  apply_rules(graph, rules);
  // Each round leaves less to transpose; a few are enough for nested permutations.
  constexpr int most_rounds = 8;
  for (int round = 0; round < most_rounds; ++round) {
    bool moved = false;
    for (const Perm& perm : perms_in(graph)) {
      if (!Mover(graph, perm).run()) continue;
      moved = true;
      graph.remove_dead();
      apply_rules(graph, rules);
    }
    if (!moved) return;
  }
}

}  // namespace

void transposes(Graph& graph) { move_through(graph); }

}  // namespace tenrec
