// SPDX-License-Identifier: Apache-2.0
#include "passes/precision.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "ir/constant.h"
#include "ops/elementwise.h"
#include "ops/resize.h"

namespace tenrec {
namespace {

// What f16 can tell from zero and from infinity. Infinities stay what they are.
bool is_representable(const Tensor& constant, DType to) {
  if (to != DType::f16) return true;
  for (const double value : constant.to_doubles()) {
    const double size = std::abs(value);
    if (std::isfinite(value) && (size > 65504 || (size > 0 && size < 0x1p-24))) return false;
  }
  return true;
}

class Narrowing {
 public:
  Narrowing(Graph& graph, DType to) : graph_(graph), to_(to) {}

  std::vector<std::string> run() {
    std::vector<std::string> stayed;
    for (Node* node = graph_.front(); node; node = node->next()) {
      if (node->as<Constant>() || made_.count(node)) continue;
      if (can_narrow(*node)) narrow(*node);
      else widen(*node);
      if (!narrows(*node)) stayed.push_back(node->describe());
    }
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      Value* output = graph_.outputs()[i];
      if (narrowed_.count(output)) graph_.set_output(i, wide_form(output, nullptr));
    }
    graph_.remove_dead();
    graph_.reinfer();
    return stayed;
  }

 private:
  static bool is_wide(const Value* value) {
    return value && value->type.kind == Type::Kind::tensor && value->type.dtype == DType::f32;
  }

  // False for a node that computes in float32, now that its precision is settled.
  static bool narrows(const Node& node) {
    const Values inputs = node.inputs(), outputs = node.outputs();
    return node.as<Cast>() || std::none_of(inputs.begin(), inputs.end(), is_wide) ||
           std::none_of(outputs.begin(), outputs.end(), is_wide);
  }

  // What only enlarges on the way out is better enlarged in the type that leaves.
  static bool enlarges_output(const Node& node) {
    if (!node.as<Resize>()) return false;
    for (const Use& use : node.output()->uses()) {
      if (use.node) return false;
    }
    return true;
  }

  // Scales decide sizes, which are worked out in float32.
  static bool makes_scales(const Node& node) {
    const Values outputs = node.outputs();
    return std::any_of(outputs.begin(), outputs.end(), [](const Value* output) {
      return output->type.known && !output->type.known->floats.empty();
    });
  }

  bool can_narrow(const Node& node) const {
    if (enlarges_output(node)) return false;
    if (node.body_count() > 0 || node.as<Cast>() || makes_scales(node)) return false;
    bool any = false;
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* input = node.input(i);
      if (!input || !node.op().info().is_narrowable(i)) continue;
      if (narrowed_.count(input)) any = true;
      else if (is_wide(input)) any = true;
      else continue;
      const Tensor* constant = input->constant();
      if (constant && node.op().info().pointwise && !is_representable(*constant, to_)) return false;
    }
    for (const Value* output : node.outputs()) {
      if (output->type.kind != Type::Kind::tensor) return false;
    }
    return any;
  }

  void narrow(Node& node) {
    std::set<const Value*> wide;
    for (const Value* output : node.outputs()) {
      if (is_wide(output)) wide.insert(output);
    }
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      Value* input = node.input(i);
      const bool may = node.op().info().is_narrowable(i);
      if (may && input && is_wide(input)) graph_.set_input(&node, i, narrow_form(input, &node));
      if (!may && narrowed_.count(input)) graph_.set_input(&node, i, wide_form(input, &node));
    }
    infer(node);
    for (const Value* output : wide) {
      if (output->type.dtype == to_) narrowed_.insert(output);
    }
  }

  void widen(Node& node) {
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      if (narrowed_.count(node.input(i)))
        graph_.set_input(&node, i, wide_form(node.input(i), &node));
    }
    infer(node);
  }

  static void infer(Node& node) {
    const Types types = node.op().infer(node.input_types(), node.bodies());
    for (size_t i = 0; i < types.size() && i < node.output_count(); ++i)
      node.output(i)->type = types[i];
  }

  Value* narrow_form(Value* value, Node* before) {
    if (const auto found = wide_source_.find(value); found != wide_source_.end())
      return found->second;
    Value*& form = narrow_[value];
    if (form) return form;
    const Tensor* constant = value->constant();
    form = constant ? graph_.constant(before, constant->converted(to_)) : cast(value, to_, before);
    narrowed_.insert(form);
    return form;
  }

  Value* wide_form(Value* value, Node* before) {
    Value*& form = wide_[value];
    if (form) return form;
    form = cast(value, DType::f32, before);
    wide_source_[form] = value;
    return form;
  }

  Value* cast(Value* value, DType to, Node* before) {
    // Right behind its source, so that every reader, also an earlier one, finds it.
    Node* at = before;
    if (Node* producer = value->producer()) at = producer->next();
    else if (graph_.front()) at = graph_.front();
    Node* made = graph_.insert(
        at, Cast{.to = to}, {value}, {},
        value->producer() ? value->producer()->origins() : std::vector<std::string>{});
    made_.insert(made);
    return made->output();
  }

  Graph& graph_;
  DType to_;
  std::set<const Value*> narrowed_;  // values that were f32 and are not now
  std::set<const Node*> made_;
  std::map<Value*, Value*> narrow_, wide_, wide_source_;
};

}  // namespace

std::vector<std::string> narrow_precision(Graph& graph, DType to) {
  return Narrowing(graph, to).run();
}

}  // namespace tenrec
