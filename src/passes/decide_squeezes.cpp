// SPDX-License-Identifier: Apache-2.0
#include "passes/decide_squeezes.h"

#include <algorithm>

#include "ops/elementwise.h"
#include "ops/if.h"
#include "ops/shape.h"
#include "ops/squeeze.h"

namespace tenrec {
namespace {

// Each size doubles the number of branches.
constexpr size_t most_sizes = 4;

struct Condition {
  Dim size;
  Value* is_one = nullptr;
};

bool may_be_one(const Dim& size) { return size.lower() <= 1 && size.upper() >= 1; }

std::vector<Dim> open_sizes(const Type& x) {
  std::vector<Dim> sizes;
  for (const Dim& size : x.shape) {
    const bool is_open = may_be_one(size) && size != Dim(1);
    if (is_open && std::find(sizes.begin(), sizes.end(), size) == sizes.end())
      sizes.push_back(size);
  }
  return sizes;
}

Value* is_one(Graph& graph, Node* before, Value* x, const Dim& size) {
  const Shape& shape = x->type.shape;
  const int64_t axis = std::find(shape.begin(), shape.end(), size) - shape.begin();
  Value* actual = graph.insert(before, ShapeOf{axis, axis + 1}, {x})->output();
  Value* one = graph.constant(before, Tensor::of({1}, std::vector<int64_t>{1}));
  return graph.insert(before, Equal{}, {actual, one})->output();
}

// The Squeeze in a graph of its own, whose inputs are x and the conditions from `asked` on. `gone`
// are the sizes that are 1 there.
std::unique_ptr<Graph> branch(const Value& x, const std::vector<Condition>& conditions,
                              size_t asked, const std::vector<Dim>& gone) {
  auto graph = std::make_unique<Graph>();
  Value* inside = graph->add_input(x.name, x.type);
  Values rest;
  for (size_t i = asked; i < conditions.size(); ++i)
    rest.push_back(graph->add_input("", conditions[i].is_one->type));
  if (rest.empty()) {
    std::vector<int64_t> axes;
    for (size_t axis = 0; axis < x.type.shape.size(); ++axis) {
      if (std::find(gone.begin(), gone.end(), x.type.shape[axis]) != gone.end())
        axes.push_back(static_cast<int64_t>(axis));
    }
    const Dims count{static_cast<int64_t>(axes.size())};
    Value* constant = graph->constant(nullptr, Tensor::of(count, axes));
    graph->add_output(graph->insert(nullptr, Squeeze{}, {inside, constant})->output());
    return graph;
  }
  std::vector<Dim> more = gone;
  more.push_back(conditions[asked].size);
  Values inputs{rest[0], inside};
  inputs.insert(inputs.end(), rest.begin() + 1, rest.end());
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(branch(x, conditions, asked + 1, more));
  bodies.push_back(branch(x, conditions, asked + 1, gone));
  graph->add_output(graph->insert(nullptr, If{}, std::move(inputs), std::move(bodies))->output());
  return graph;
}

class Squeezes {
 public:
  explicit Squeezes(Graph& graph) : graph_(graph) {}

  void decide() {
    for (Node* node = graph_.front(); node;) {
      Node* const next = node->next();
      for (size_t i = 0; i < node->body_count(); ++i) Squeezes(node->body(i)).decide();
      if (node->as<Squeeze>() && !node->input(1) && node->input(0)->type.ranked) decide(node);
      node = next;
    }
  }

 private:
  void decide(Node* node) {
    Value* x = node->input(0);
    const std::vector<Dim> sizes = open_sizes(x->type);
    if (sizes.empty() || sizes.size() > most_sizes) return;
    std::vector<Condition> conditions;
    for (const Dim& size : sizes) conditions.push_back(condition(node, x, size));
    Values inputs{conditions[0].is_one, x};
    for (size_t i = 1; i < conditions.size(); ++i) inputs.push_back(conditions[i].is_one);
    std::vector<std::unique_ptr<Graph>> bodies;
    bodies.push_back(branch(*x, conditions, 1, {Dim(1), sizes[0]}));
    bodies.push_back(branch(*x, conditions, 1, {Dim(1)}));
    Node* const whole =
        graph_.insert(node, If{}, std::move(inputs), std::move(bodies), node->origins());
    whole->output()->name = node->output()->name;
    graph_.replace_uses(node->output(), whole->output());
    graph_.erase(node);
  }

  const Condition& condition(Node* before, Value* x, const Dim& size) {
    const auto same = [&](const Condition& known) { return known.size == size; };
    const auto found = std::find_if(conditions_.begin(), conditions_.end(), same);
    if (found != conditions_.end()) return *found;
    return conditions_.emplace_back(Condition{size, is_one(graph_, before, x, size)});
  }

  Graph& graph_;
  std::vector<Condition> conditions_;
};

}  // namespace

void decide_squeezes(Graph& graph) { Squeezes(graph).decide(); }

}  // namespace tenrec
