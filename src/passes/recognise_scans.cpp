// SPDX-License-Identifier: Apache-2.0
// Scans in the one form that targets run: along the first axis, of one sample. Along other axes
// they become transposes around it; a batch of scans (opset 8) becomes a scan over the batch.
#include <algorithm>

#include "ops/scan.h"
#include "ops/transpose.h"
#include "passes/recognise.h"

namespace tenrec {
namespace {

int64_t entry(const std::vector<int64_t>& list, size_t i) { return i < list.size() ? list[i] : 0; }

bool any(const std::vector<int64_t>& axes) {
  return std::any_of(axes.begin(), axes.end(), [](int64_t axis) { return axis != 0; });
}

std::vector<std::unique_ptr<Graph>> cloned_body(const Node& node) {
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(node.body(0).clone());
  return bodies;
}

bool replace_if_same(Rewriter& rw, const Node& node, const Values& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!same_type(*outputs[i], *node.output(i))) return false;
  }
  rw.replace(node, outputs);
  return true;
}

// Moves an axis to the front, or the front to it.
Value* moved_axis(Rewriter& rw, const Node& node, Value* value, int64_t axis, bool to_front) {
  Transpose turn;
  for (int64_t i = 0; i < value->type.rank(); ++i) turn.perm.push_back(i);
  const auto first = turn.perm.begin();
  if (to_front) std::rotate(first, first + axis, first + axis + 1);
  else std::rotate(first, first + 1, first + axis + 1);
  return rw.insert(node, turn, {value});
}

bool scan_along_first(Rewriter& rw, const Node& node, const Scan& op) {
  if (op.batched || (!any(op.input_axes) && !any(op.output_axes))) return false;
  const auto states = static_cast<size_t>(op.states), scanned = static_cast<size_t>(op.scanned);
  for (size_t i = 0; i < scanned; ++i) {
    if (!node.input(states + i)->type.ranked) return false;
  }
  for (size_t i = states; i < node.output_count(); ++i) {
    if (!node.output(i)->type.ranked) return false;
  }
  Values inputs = node.inputs();
  for (size_t i = 0; i < scanned; ++i) {
    Value*& value = inputs[states + i];
    const int64_t axis = normalise_axis(entry(op.input_axes, i), value->type.rank());
    if (axis != 0) value = moved_axis(rw, node, value, axis, true);
  }
  Scan first = op;
  first.input_axes.clear();
  first.output_axes.clear();
  const Node* scan = rw.insert_node(node, first, inputs, cloned_body(node));
  Values outputs;
  for (size_t i = 0; i < node.output_count(); ++i) {
    outputs.push_back(scan->output(i));
    if (i < states) continue;
    const Type& type = outputs.back()->type;
    if (!type.ranked) return false;
    const int64_t axis = normalise_axis(entry(op.output_axes, i - states), type.rank());
    if (axis != 0) outputs.back() = moved_axis(rw, node, outputs.back(), axis, false);
  }
  return replace_if_same(rw, node, outputs);
}

// Without lengths: samples that end early keep the operator's own form.
bool scan_over_batch(Rewriter& rw, const Node& node, const Scan& op) {
  if (!op.batched || node.input(0)) return false;
  const auto own = static_cast<size_t>(op.states + op.scanned);
  auto body = std::make_unique<Graph>();
  Values inputs(node.inputs().begin() + 1, node.inputs().end()), inner;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Type type = inputs[i]->type;
    if (!type.ranked) return false;
    if (i < own) type = Type::tensor(type.dtype, Shape(type.shape.begin() + 1, type.shape.end()));
    inner.push_back(body->add_input(fmt::format("x{}", i), type));
  }
  Scan one = op;
  one.batched = false;
  const Node* each = body->insert(nullptr, one, inner, cloned_body(node), node.origins());
  Scan over;
  over.scanned = static_cast<int64_t>(own);
  for (Value* output : each->outputs()) {
    over.collected.push_back(empty_output(output->type));
    body->add_output(output);
  }
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(std::move(body));
  Node* scan = rw.insert_node(node, over, inputs, std::move(bodies));
  return replace_if_same(rw, node, scan->outputs());
}

}  // namespace

std::vector<Rule> scan_rules() {
  return {rule<Scan>("scan_along_first", scan_along_first),
          rule<Scan>("scan_over_batch", scan_over_batch)};
}

}  // namespace tenrec
