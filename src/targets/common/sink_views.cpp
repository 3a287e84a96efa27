// SPDX-License-Identifier: Apache-2.0
#include "targets/common/sink_views.h"

#include <algorithm>

#include "ir/constant.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/reshape.h"
#include "ops/transpose.h"
#include "passes/match.h"
#include "passes/pass.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

bool is_plain(const Value* value) {
  const Type& type = value->type;
  return type.kind == Type::Kind::tensor && type.is_static() && type.layout.is_plain();
}

Value* viewed(Rewriter& rw, const Node& at, Value* value, const Dims& dims) {
  const auto rank = static_cast<int64_t>(dims.size());
  return rw.insert(at, Reshape{.allowzero = true},
                   {value, rw.constant(at, Tensor::of({rank}, dims))});
}

bool unit_transpose(Rewriter& rw, const Node& node) {
  const auto* op = node.as<Transpose>();
  if (!op || !is_plain(node.input(0)) || !is_plain(node.output())) return false;
  const Dims from = static_dims(node.input(0)->type.shape);
  int64_t last = -1;
  for (const int64_t axis : op->order(static_cast<int64_t>(from.size()))) {
    if (from[static_cast<size_t>(axis)] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  rw.replace(node, {viewed(rw, node, node.input(0), static_dims(node.output()->type.shape))});
  return true;
}

// The one index that a Gather along axis 0 takes; nothing for other nodes.
const Tensor* one_of_first_axis(const Node& node) {
  const auto* op = node.as<Gather>();
  const Tensor* index = op ? node.input(1)->constant() : nullptr;
  return index && index->rank() == 0 && op->axis == 0 ? index : nullptr;
}

bool only_parts_are_read(const Value* value) {
  return std::all_of(value->uses().begin(), value->uses().end(), [](const Use& use) {
    return use.node && use.index == 0 && one_of_first_axis(*use.node);
  });
}

// part(view(transpose(x))) -> view(transpose(part(x))), where all that is read are parts and each
// is made of long runs.
bool part_before_transpose(Rewriter& rw, const Node& node) {
  constexpr int64_t least_run = 16;
  const Tensor* index = one_of_first_axis(node);
  if (!index || !is_plain(node.input(0)) || !only_parts_are_read(node.input(0))) return false;
  const Value* moved = node.input(0);
  if (const Node* view = producer_of<Reshape>(moved)) {
    if (!used_once(view->input(0)) || view->input(0)->type.shape.empty() ||
        !(view->input(0)->type.shape[0] == moved->type.shape[0]))
      return false;
    moved = view->input(0);
  }
  const Node* transpose = producer_of<Transpose>(moved);
  if (!transpose || !is_plain(transpose->input(0))) return false;
  const Dims from = static_dims(transpose->input(0)->type.shape);
  const auto order = transpose->as<Transpose>()->order(static_cast<int64_t>(from.size()));
  int64_t run = 1;
  for (size_t i = static_cast<size_t>(order[0]) + 1; i < from.size(); ++i) run *= from[i];
  if (run < least_run) return false;
  std::vector<int64_t> rest;
  for (size_t i = 1; i < order.size(); ++i)
    rest.push_back(order[i] - (order[i] > order[0] ? 1 : 0));
  Value* part = rw.insert(node, Gather{order[0]}, {transpose->input(0), node.input(1)});
  part = rw.insert(node, Transpose{rest}, {part});
  rw.replace(node, {viewed(rw, node, part, static_dims(node.output()->type.shape))});
  return true;
}

// A product of lines with one matrix, which does not care how the lines are counted.
bool product_before_view(Rewriter& rw, const Node& node) {
  if (!node.as<MatMul>() || node.output_count() != 1 || !is_plain(node.output())) return false;
  const Node* view = producer_of<Reshape>(node.input(0));
  const Tensor* weights = node.input(1)->constant();
  if (!view || !weights || weights->rank() != 2 || !is_plain(view->input(0))) return false;
  const Dims from = static_dims(view->input(0)->type.shape);
  if (from.size() < 2 || node.input(0)->type.rank() < 2 || from.back() != weights->dims()[0])
    return false;
  Value* product = rw.insert(node, node.op(), {view->input(0), node.input(1)});
  rw.replace(node, {viewed(rw, node, product, static_dims(node.output()->type.shape))});
  return true;
}

}  // namespace

void sink_views(Graph& graph) {
  apply_rules(graph, {{"unit_transpose", unit_transpose},
                      {"part_before_transpose", part_before_transpose}});
  graph.remove_dead();
  simplify(graph);  // of several views in a row only the last counts
  apply_rules(graph, {{"product_before_view", product_before_view}});
  graph.remove_dead();
  simplify(graph);
}

}  // namespace tenrec
