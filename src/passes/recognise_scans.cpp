// SPDX-License-Identifier: Apache-2.0
// Scans in the one form that targets run: along the first axis, of one sample. Along other axes
// they become transposes around it; a batch of scans (opset 8) becomes a scan over the batch, in
// which samples that end early are cut, and what they give is filled up.
#include <algorithm>

#include "ops/concat.h"
#include "ops/elementwise.h"
#include "ops/pad.h"
#include "ops/reshape.h"
#include "ops/scan.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/squeeze.h"
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

// A scan over the first `length` steps of sequences that may have more.
class ShortScan {
 public:
  ShortScan(Graph& graph, const Scan& op, Values inputs, Value* length)
      : graph_(graph), op_(op), inputs_(std::move(inputs)) {
    const auto first = inputs_.begin() + op.states;
    length_ = add(Unsqueeze{}, {length, numbers({0})});
    steps_ = add(ShapeOf{0, 1}, {*first});
    std::for_each(first, first + op.scanned, [&](Value*& sequence) {
      sequence = add(Slice{}, {sequence, numbers({0}), length_, numbers({0})});
    });
  }

  Values outputs(const Node& node) {
    Values outputs =
        graph_.insert(nullptr, op_, inputs_, cloned_body(node), node.origins())->outputs();
    std::transform(outputs.begin() + op_.states, outputs.end(), outputs.begin() + op_.states,
                   [&](Value* rows) { return filled_up(rows); });
    return outputs;
  }

 private:
  Value* add(Op op, Values inputs) {
    return graph_.insert(nullptr, std::move(op), std::move(inputs))->output();
  }
  Value* numbers(const std::vector<int64_t>& values) {
    return graph_.constant(nullptr, Tensor::of({static_cast<int64_t>(values.size())}, values));
  }

  // With zeros, up to all steps; the Reshape says how many these are.
  Value* filled_up(Value* rows) {
    const auto rank = static_cast<size_t>(rows->type.rank());
    Value* missing = add(Sub{}, {steps_, length_});
    Value* pads = add(Concat{}, {numbers(std::vector<int64_t>(rank, 0)), missing,
                                 numbers(std::vector<int64_t>(rank - 1, 0))});
    Value* shape = add(Concat{}, {steps_, add(ShapeOf{1}, {rows})});
    return add(Reshape{.allowzero = true}, {add(Pad{}, {rows, pads}), shape});
  }

  Graph& graph_;
  const Scan& op_;
  Values inputs_;
  Value *length_ = nullptr, *steps_ = nullptr;
};

bool scan_over_batch(Rewriter& rw, const Node& node, const Scan& op) {
  if (!op.batched) return false;
  Value* const lengths = node.input(0);
  const auto own = static_cast<size_t>(op.states + op.scanned);
  auto body = std::make_unique<Graph>();
  for (const Value* output : node.outputs()) {
    if (!output->type.ranked) return false;
  }
  Values inputs(node.inputs().begin() + 1, node.inputs().end()), inner;
  if (lengths) inputs.insert(inputs.begin() + static_cast<std::ptrdiff_t>(own), lengths);
  Scan over;
  over.scanned = static_cast<int64_t>(own) + (lengths ? 1 : 0);
  for (size_t i = 0; i < inputs.size(); ++i) {
    Type type = inputs[i]->type;
    if (!type.ranked) return false;
    if (i < static_cast<size_t>(over.scanned))
      type = Type::tensor(type.dtype, Shape(type.shape.begin() + 1, type.shape.end()));
    inner.push_back(body->add_input(fmt::format("x{}", i), type));
  }
  Scan one = op;
  one.batched = false;
  Values each;
  if (lengths) {
    Value* const length = inner[own];
    inner.erase(inner.begin() + static_cast<std::ptrdiff_t>(own));
    each = ShortScan(*body, one, inner, length).outputs(node);
  } else {
    each = body->insert(nullptr, one, inner, cloned_body(node), node.origins())->outputs();
  }
  for (Value* output : each) {
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
