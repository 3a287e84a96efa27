// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ops/dims.h"
#include "ops/flatten.h"
#include "ops/reshape.h"
#include "ops/squeeze.h"
#include "ops/transpose.h"
#include "passes/simplify_rules.h"

namespace tenrec {
namespace {

bool is_view(const Node& node) {
  return node.as<Reshape>() || node.as<Flatten>() || node.as<Squeeze>() || node.as<Unsqueeze>();
}

bool is_tensor(const Value* value) {
  return value->type.kind == Type::Kind::tensor && value->type.ranked;
}

struct Target {
  std::vector<Dim> sizes;
  bool literal = false;  // zeros are sizes; symbols are written as data
};

// How a Reshape of `from` says `shape`: numbers, 0 for a size that stays and at most one -1; or
// else the sizes themselves.
std::optional<Target> reshape_target(const Graph& graph, const Type& from, const Shape& shape,
                                     const InputSymbols& symbols) {
  Target target{shape, false};
  size_t unknown = 0;
  bool empty = false;
  for (size_t i = 0; i < shape.size(); ++i) {
    empty |= shape[i] == Dim(0);
    if (shape[i].is_const()) continue;
    const bool stays = i < from.shape.size() && from.shape[i] == shape[i];
    target.sizes[i] = stays ? Dim(0) : Dim(-1);
    unknown += stays ? 0 : 1;
  }
  if (!empty && unknown <= 1 && reshaped_shape(from, target.sizes, false) == shape) return target;
  if (!symbols.can_say(graph, shape)) return std::nullopt;
  return Target{shape, true};
}

bool is_target(const Node& node, const Reshape& op, const Target& target) {
  const std::vector<Dim>* now = node.input(1)->type.known_ints();
  const Node* producer = node.input(1)->producer();
  return now && *now == target.sizes && op.allowzero == target.literal && producer &&
         producer->inputs().empty();
}

Value* insert_target(Rewriter& rw, const Node& at, const Target& target) {
  const auto rank = static_cast<int64_t>(target.sizes.size());
  if (is_static(target.sizes))
    return rw.constant(at, Tensor::of({rank}, static_dims(target.sizes)));
  return rw.insert(at, DimsValue{target.sizes, {rank}, DType::i64}, {});
}

bool drop_view(Rewriter& rw, const Node& node) {
  if (!is_view(node) || !same_type(*node.input(0), *node.output())) return false;
  rw.replace(node, {node.input(0)});
  return true;
}

// Also skips the views before: only the last one's shape counts.
bool canonical_view(Rewriter& rw, const Node& node, const InputSymbols& symbols) {
  if (!is_view(node) || !is_tensor(node.output())) return false;
  Value* source = node.input(0);
  for (const Node* before = source->producer(); before && is_view(*before);
       before = source->producer()) {
    if (!is_tensor(before->input(0))) break;
    if (!reshape_target(rw.graph(), before->input(0)->type, node.output()->type.shape, symbols))
      break;
    source = before->input(0);
  }
  if (!is_tensor(source)) return false;
  const auto target = reshape_target(rw.graph(), source->type, node.output()->type.shape, symbols);
  if (!target) return false;
  const auto* reshape = node.as<Reshape>();
  if (reshape && source == node.input(0) && is_target(node, *reshape, *target)) return false;
  Value* view = rw.insert(node, Reshape{.allowzero = target->literal},
                          {source, insert_target(rw, node, *target)});
  if (!same_type(*view, *node.output())) return false;
  rw.replace(node, {view});
  return true;
}

}  // namespace

std::vector<Rule> view_rules(const InputSymbols& symbols) {
  return {{"drop_view", drop_view}, {"canonical_view", [&symbols](Rewriter& rw, const Node& node) {
                                       return canonical_view(rw, node, symbols);
                                     }}};
}

}  // namespace tenrec
