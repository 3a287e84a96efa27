// SPDX-License-Identifier: Apache-2.0
#include "ir/graph.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "ir/constant.h"

namespace tenrec {

namespace {

constexpr int64_t highest_tried_rank = 6;

// What two inferences agree on; ranks that differ are unknown, sizes that differ are fresh.
Type common(const Type& a, const Type& b) {
  if (a.kind != Type::Kind::tensor || b.kind != Type::Kind::tensor || a == b) return a;
  if (!a.ranked || !b.ranked || a.shape.size() != b.shape.size()) return Type::unranked(a.dtype);
  Type type = Type::tensor(a.dtype, a.shape);
  for (size_t i = 0; i < a.shape.size(); ++i) {
    if (!(a.shape[i] == b.shape[i])) type.shape[i] = Dim::fresh("any");
  }
  return type;
}

// Tries every rank for the first input of unknown rank; what all ranks that the operator accepts
// have in common is known.
Types infer_trying_ranks(const Op& op, Types in, const std::vector<const Graph*>& bodies) {
  const auto unknown = std::find_if(in.begin(), in.end(), [](const Type& type) {
    return type.kind == Type::Kind::tensor && !type.ranked;
  });
  if (unknown == in.end()) return op.infer(in, bodies);
  std::string reason;
  try {
    return op.infer(in, bodies);
  } catch (const Error& error) {
    reason = error.what();
  }
  std::optional<Types> agreed;
  for (int64_t rank = 0; rank <= highest_tried_rank; ++rank) {
    Shape shape;
    for (int64_t axis = 0; axis < rank; ++axis) shape.push_back(Dim::fresh("any"));
    *unknown = Type::tensor(unknown->dtype, std::move(shape));
    Types out;
    try {
      out = infer_trying_ranks(op, in, bodies);
    } catch (const Error&) {
      continue;
    }
    if (agreed && agreed->size() != out.size()) continue;
    for (size_t i = 0; agreed && i < out.size(); ++i) out[i] = common((*agreed)[i], out[i]);
    agreed = std::move(out);
  }
  TENREC_CHECK(agreed, invalid_model, "{}", reason);
  // Sizes taken from a rank that was only tried mean nothing outside.
  for (Type& type : *agreed) {
    for (Dim& dim : type.shape) {
      if (!dim.is_const()) dim = Dim::fresh("any");
    }
    type.known = nullptr;
  }
  return std::move(*agreed);
}

}  // namespace

const Tensor* Value::constant() const {
  if (!producer_) return nullptr;
  const auto* constant = producer_->as<Constant>();
  return constant ? &constant->value : nullptr;
}

Values Node::outputs() const {
  Values values;
  for (const auto& output : outputs_) values.push_back(output.get());
  return values;
}

std::vector<const Graph*> Node::bodies() const {
  std::vector<const Graph*> bodies;
  for (const auto& body : bodies_) bodies.push_back(body.get());
  return bodies;
}

Types Node::input_types() const {
  Types types;
  for (const Value* input : inputs_) types.push_back(input ? input->type : Type{});
  return types;
}

std::string Node::describe() const {
  if (origins_.empty()) return fmt::format("node ({})", op_.name());
  return fmt::format("\"{}\" ({})", fmt::join(origins_, "+"), op_.name());
}

Node* Node::next() const {
  auto following = std::next(position_);
  return following == graph_->nodes().end() ? nullptr : following->get();
}

Value* Graph::add_input(std::string name, Type type) {
  auto value = std::make_unique<Value>();
  value->name = std::move(name);
  value->type = std::move(type);
  value->index_ = inputs_.size();
  inputs_.push_back(std::move(value));
  return inputs_.back().get();
}

void Graph::add_output(Value* value, std::string name) {
  value->uses_.push_back({nullptr, outputs_.size()});
  outputs_.push_back(value);
  output_names_.push_back(name.empty() ? value->name : std::move(name));
}

void Graph::set_output(size_t index, Value* value) {
  auto& uses = outputs_[index]->uses_;
  uses.erase(std::find(uses.begin(), uses.end(), Use{nullptr, index}));
  outputs_[index] = value;
  value->uses_.push_back({nullptr, index});
}

void Graph::remove_output(size_t index) {
  for (size_t i = index; i < outputs_.size(); ++i) {
    auto& uses = outputs_[i]->uses_;
    const auto use = std::find(uses.begin(), uses.end(), Use{nullptr, i});
    if (i == index) uses.erase(use);
    else use->index = i - 1;
  }
  outputs_.erase(outputs_.begin() + static_cast<std::ptrdiff_t>(index));
  output_names_.erase(output_names_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Graph::remove_input(size_t index) {
  TENREC_ASSERT(inputs_[index]->uses_.empty());
  inputs_.erase(inputs_.begin() + static_cast<std::ptrdiff_t>(index));
  for (size_t i = index; i < inputs_.size(); ++i) inputs_[i]->index_ = i;
}

Node* Graph::insert(Node* before, Op op, Values inputs, std::vector<std::unique_ptr<Graph>> bodies,
                    std::vector<std::string> origins) {
  auto node = std::make_unique<Node>();
  node->op_ = std::move(op);
  node->inputs_ = std::move(inputs);
  node->bodies_ = std::move(bodies);
  node->origins_ = std::move(origins);
  node->graph_ = this;
  Types types = with_context(
      [&] { return node->describe(); },
      [&] {
        Types inferred = infer_trying_ranks(node->op_, node->input_types(), node->bodies());
        // An element of an optional or a sequence that the model declares without a type.
        for (size_t i = 0; i < inferred.size(); ++i)
          TENREC_CHECK(inferred[i].present(), invalid_model,
                       "output {} would have no type; declare the types of the inputs in full", i);
        return inferred;
      });
  for (size_t i = 0; i < types.size(); ++i) {
    auto value = std::make_unique<Value>();
    value->type = std::move(types[i]);
    value->producer_ = node.get();
    value->index_ = i;
    node->outputs_.push_back(std::move(value));
  }
  for (size_t i = 0; i < node->inputs_.size(); ++i) {
    if (node->inputs_[i]) node->inputs_[i]->uses_.push_back({node.get(), i});
  }
  Node* raw = node.get();
  raw->position_ = nodes_.insert(before ? before->position_ : nodes_.end(), std::move(node));
  return raw;
}

Value* Graph::constant(Node* before, Tensor tensor) {
  return insert(before, Constant{std::move(tensor)}, {})->output();
}

void Graph::replace_uses(Value* old_value, Value* new_value) {
  if (old_value == new_value) return;
  const std::vector<Use> uses = old_value->uses_;
  for (const Use& use : uses) {
    if (use.node) use.node->inputs_[use.index] = new_value;
    else outputs_[use.index] = new_value;
    new_value->uses_.push_back(use);
  }
  old_value->uses_.clear();
  if (new_value->name.empty()) new_value->name = old_value->name;
}

void Graph::set_input(Node* node, size_t index, Value* value) {
  if (Value* old = node->inputs_[index]) {
    old->uses_.erase(std::find(old->uses_.begin(), old->uses_.end(), Use{node, index}));
  }
  node->inputs_[index] = value;
  if (value) value->uses_.push_back({node, index});
}

void Graph::move(Node* node, Node* before) {
  nodes_.splice(before ? before->position_ : nodes_.end(), nodes_, node->position_);
}

void Graph::set_op(Node* node, Op op) { node->op_ = std::move(op); }

void Graph::erase(Node* node) {
  for (const auto& output : node->outputs_) TENREC_ASSERT(output->uses_.empty());
  for (size_t i = 0; i < node->inputs_.size(); ++i) {
    if (node->inputs_[i]) set_input(node, i, nullptr);
  }
  nodes_.erase(node->position_);
}

bool Graph::remove_dead() {
  bool any = false;
  for (auto it = nodes_.end(); it != nodes_.begin();) {
    Node* node = (--it)->get();
    for (const auto& body : node->bodies_) any |= body->remove_dead();
    const bool used = std::any_of(node->outputs_.begin(), node->outputs_.end(),
                                  [](const auto& output) { return !output->uses_.empty(); });
    if (used || node->op_.info().side_effect) continue;
    const auto following = std::next(it);
    erase(node);
    it = following;
    any = true;
  }
  return any;
}

void Graph::reinfer() {
  for (const auto& node : nodes_) {
    if (node->op_.info().body_is_region) {
      // The region computes on the node's inputs as they are: its types follow.
      Graph& region = *node->bodies_[0];
      for (size_t i = 0; i < node->inputs_.size(); ++i)
        region.inputs_[i]->type = node->inputs_[i]->type;
      region.reinfer();
    }
    Types types = with_context(
        [&] { return node->describe(); },
        [&] { return infer_trying_ranks(node->op_, node->input_types(), node->bodies()); });
    TENREC_ASSERT(types.size() == node->outputs_.size());
    for (size_t i = 0; i < types.size(); ++i) {
      // A layout is somebody's choice, never inferred.
      const Layout layout = node->outputs_[i]->type.layout;
      node->outputs_[i]->type = std::move(types[i]);
      node->outputs_[i]->type.layout = layout;
    }
  }
}

std::unique_ptr<Graph> Graph::clone() const {
  auto copy = std::make_unique<Graph>();
  std::unordered_map<const Value*, Value*> mapped;
  for (const auto& input : inputs_) mapped[input.get()] = copy->add_input(input->name, input->type);
  for (const auto& node : nodes_) {
    auto twin = std::make_unique<Node>();
    twin->op_ = node->op_;
    twin->origins_ = node->origins_;
    twin->graph_ = copy.get();
    for (const auto& body : node->bodies_) twin->bodies_.push_back(body->clone());
    for (size_t i = 0; i < node->inputs_.size(); ++i) {
      Value* input = node->inputs_[i] ? mapped.at(node->inputs_[i]) : nullptr;
      twin->inputs_.push_back(input);
      if (input) input->uses_.push_back({twin.get(), i});
    }
    for (const auto& output : node->outputs_) {
      auto value = std::make_unique<Value>();
      value->type = output->type;
      value->name = output->name;
      value->producer_ = twin.get();
      value->index_ = output->index_;
      mapped[output.get()] = value.get();
      twin->outputs_.push_back(std::move(value));
    }
    Node* raw = twin.get();
    raw->position_ = copy->nodes_.insert(copy->nodes_.end(), std::move(twin));
  }
  for (size_t i = 0; i < outputs_.size(); ++i)
    copy->add_output(mapped.at(outputs_[i]), output_names_[i]);
  return copy;
}

Node* Rewriter::insert_node(const Node& at, Op op, Values inputs,
                            std::vector<std::unique_ptr<Graph>> bodies) {
  return graph_.insert(const_cast<Node*>(&at), std::move(op), std::move(inputs), std::move(bodies),
                       at.origins());
}

Value* Rewriter::insert(const Node& at, Op op, Values inputs) {
  return insert_node(at, std::move(op), std::move(inputs))->output();
}

Value* Rewriter::constant(const Node& at, Tensor tensor) {
  return graph_.constant(const_cast<Node*>(&at), std::move(tensor));
}

void Rewriter::replace(const Node& node, Op op, Values inputs) {
  Node* fresh = insert_node(node, std::move(op), std::move(inputs));
  replace(node, fresh->outputs());
}

void Rewriter::replace(const Node& node, const Values& values) {
  TENREC_ASSERT(values.size() >= node.output_count());
  for (size_t i = 0; i < node.output_count(); ++i) {
    if (values[i]) graph_.replace_uses(node.output(i), values[i]);
  }
  ++rewrites_;
}

}  // namespace tenrec
