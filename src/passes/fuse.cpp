// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ops/fused.h"
#include "passes/fuse_regions.h"

namespace tenrec {
namespace {

// Builds the body of a region: inputs as met, constants that are small inside.
class Body {
 public:
  explicit Body(const FuseOptions& options)
      : options_(options), graph_(std::make_unique<Graph>()) {}

  void add(const Node& node) {
    Values inputs;
    for (Value* input : node.inputs()) inputs.push_back(input ? inside(input) : nullptr);
    std::vector<std::unique_ptr<Graph>> bodies;
    for (size_t i = 0; i < node.body_count(); ++i) bodies.push_back(node.body(i).clone());
    Node* copy =
        graph_->insert(nullptr, node.op(), std::move(inputs), std::move(bodies), node.origins());
    for (size_t i = 0; i < node.output_count(); ++i) {
      copy->output(i)->type = node.output(i)->type;
      copy->output(i)->name = node.output(i)->name;
      inside_[node.output(i)] = copy->output(i);
    }
  }

  void add_output(const Value* value) { graph_->add_output(inside_.at(value)); }
  const Values& inputs() const { return inputs_; }
  std::unique_ptr<Graph> finish() { return std::move(graph_); }

 private:
  Value* inside(Value* value) {
    const auto found = inside_.find(value);
    if (found != inside_.end()) return found->second;
    const Tensor* constant = value->constant();
    if (constant && constant->elements() <= options_.max_body_elements) {
      return inside_[value] = graph_->constant(nullptr, *constant);
    }
    inputs_.push_back(value);
    return inside_[value] = graph_->add_input(value->name, value->type);
  }

  const FuseOptions& options_;
  std::unique_ptr<Graph> graph_;
  std::unordered_map<const Value*, Value*> inside_;
  Values inputs_;
};

// Values of the region that somebody outside reads, in order.
Values live_outputs(const Region& region) {
  const std::unordered_set<const Node*> members(region.nodes.begin(), region.nodes.end());
  Values live;
  for (const Node* node : region.nodes) {
    for (Value* output : node->outputs()) {
      const bool outside =
          std::any_of(output->uses().begin(), output->uses().end(),
                      [&](const Use& use) { return !use.node || !members.count(use.node); });
      if (outside) live.push_back(output);
    }
  }
  return live;
}

}  // namespace

void make_fused(Graph& graph, const Region& region, const FuseOptions& options) {
  Body body(options);
  std::vector<std::string> origins;
  for (const Node* node : region.nodes) {
    body.add(*node);
    for (const std::string& origin : node->origins()) {
      if (std::find(origins.begin(), origins.end(), origin) == origins.end())
        origins.push_back(origin);
    }
  }
  const Values live = live_outputs(region);
  for (const Value* value : live) body.add_output(value);
  const Values inputs = body.inputs();
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(body.finish());
  Node* fused =
      graph.insert(region.nodes.back(), Fused{region.anchor}, inputs, std::move(bodies), origins);
  for (size_t i = 0; i < live.size(); ++i) {
    fused->output(i)->type = live[i]->type;
    fused->output(i)->name = live[i]->name;
    graph.replace_uses(live[i], fused->output(i));
  }
  for (auto it = region.nodes.rbegin(); it != region.nodes.rend(); ++it) graph.erase(*it);
}

namespace {

// A reader of an early result may stand before the last member. Depth first over inputs, in the old
// order, so that what need not move stays.
void restore_order(Graph& graph) {
  std::vector<Node*> order;
  std::unordered_set<const Node*> done;
  std::vector<Node*> stack;
  for (const auto& root : graph.nodes()) {
    stack.push_back(root.get());
    while (!stack.empty()) {
      Node* node = stack.back();
      if (done.count(node)) {
        stack.pop_back();
        continue;
      }
      const size_t depth = stack.size();
      for (auto it = node->inputs().rbegin(); it != node->inputs().rend(); ++it) {
        Node* producer = *it ? (*it)->producer() : nullptr;
        if (producer && !done.count(producer)) stack.push_back(producer);
      }
      if (stack.size() != depth) continue;
      done.insert(node);
      order.push_back(node);
      stack.pop_back();
    }
  }
  for (Node* node : order) graph.move(node, nullptr);
}

}  // namespace

void fuse(Graph& graph, const FuseOptions& options) {
  graph.remove_dead();
  for (const auto& node : graph.nodes()) {
    if (node->as<Fused>()) continue;
    for (size_t i = 0; i < node->body_count(); ++i) fuse(node->body(i), options);
  }
  const std::vector<Region> regions = find_regions(graph, options);
  for (const Region& region : regions) make_fused(graph, region, options);
  if (!regions.empty()) restore_order(graph);
  verify(graph);
}

}  // namespace tenrec
