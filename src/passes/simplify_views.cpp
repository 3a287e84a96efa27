// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ops/conv.h"
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

// The axes of `view` among those of `source`, of which it lacks only axes of size 1.
std::optional<std::vector<size_t>> kept_axes(const Shape& source, const Shape& view) {
  std::vector<size_t> kept;
  for (size_t i = 0; i < source.size(); ++i) {
    if (kept.size() < view.size() && source[i] == view[kept.size()]) kept.push_back(i);
    else if (source[i] != Dim(1)) return std::nullopt;
  }
  return kept.size() == view.size() ? std::optional(kept) : std::nullopt;
}

// The one input that is no constant; null if there are several.
Value* data_input(const Node& node) {
  Value* data = nullptr;
  for (Value* input : node.inputs()) {
    if (!input || input->constant()) continue;
    if (data) return nullptr;
    data = input;
  }
  return data;
}

// A convolution, or pointwise work on one, that nobody else reads.
bool comes_from_conv(const Value* value) {
  while (used_once(value) && value->producer()) {
    const Node& node = *value->producer();
    if (node.as<Conv>()) return true;
    if (!node.op().info().pointwise || node.output_count() != 1) return false;
    value = data_input(node);
    if (!value) return false;
  }
  return false;
}

// A constant that broadcasts against the view, as it broadcasts against the view's source.
Value* constant_before_view(Rewriter& rw, const Node& at, const Tensor& constant,
                            const std::vector<size_t>& kept, size_t source_rank) {
  if (constant.rank() == 0) return rw.constant(at, constant);
  Dims dims(source_rank, 1);
  const size_t missing = kept.size() - constant.dims().size();
  for (size_t i = 0; i < constant.dims().size(); ++i) dims[kept[missing + i]] = constant.dims()[i];
  return rw.constant(at, constant.reshaped(dims));
}

// The views that a node reads, if it reads nothing else but constants and all look the same.
std::vector<const Node*> same_views(const Node& node) {
  std::vector<const Node*> views;
  for (const Value* input : node.inputs()) {
    if (!input || input->constant()) continue;
    const Node* view = producer_of<Reshape>(input);
    const bool fits =
        view && is_tensor(view->input(0)) && input->type.shape == node.output()->type.shape &&
        (views.empty() || view->input(0)->type.shape == views[0]->input(0)->type.shape);
    if (!fits) return {};
    views.push_back(view);
  }
  return views;
}

// What drops an axis of size 1 behind a convolution (a 1-D one, written in 2-D) comes after bias
// and activation: so these are part of the convolution.
bool pointwise_before_view(Rewriter& rw, const Node& node) {
  if (!node.op().info().pointwise || node.output_count() != 1 || !is_tensor(node.output()))
    return false;
  const std::vector<const Node*> views = same_views(node);
  if (!std::any_of(views.begin(), views.end(), [](const Node* view) {
        return used_once(view->output()) && comes_from_conv(view->input(0));
      })) {
    return false;
  }
  const Shape& source = views[0]->input(0)->type.shape;
  const auto kept = kept_axes(source, node.output()->type.shape);
  if (!kept || kept->size() == source.size()) return false;
  Values inputs;
  for (const Value* input : node.inputs()) {
    const Tensor* constant = input ? input->constant() : nullptr;
    if (constant && constant->dims().size() > kept->size()) return false;
    inputs.push_back(!input     ? nullptr
                     : constant ? constant_before_view(rw, node, *constant, *kept, source.size())
                                : input->producer()->input(0));
  }
  Value* early = rw.insert(node, node.op(), std::move(inputs));
  rw.replace(node, {rw.insert(node, views[0]->op(), {early, views[0]->input(1)})});
  return true;
}

}  // namespace

std::vector<Rule> view_rules(const InputSymbols& symbols) {
  return {
      {"drop_view", drop_view},
      {"canonical_view",
       [&symbols](Rewriter& rw, const Node& node) { return canonical_view(rw, node, symbols); }},
      {"pointwise_before_view", pointwise_before_view}};
}

}  // namespace tenrec
