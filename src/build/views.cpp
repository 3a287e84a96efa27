// SPDX-License-Identifier: Apache-2.0
#include "build/views.h"

#include <algorithm>

#include "ir/constant.h"
#include "ops/concat.h"
#include "ops/dims.h"
#include "ops/slice.h"
#include "ops/split.h"

namespace tenrec {
namespace {

class Finder {
 public:
  explicit Finder(const ViewOptions& options) : options_(options) {}

  Views run(const Graph& graph) {
    for (const auto& node : graph.nodes()) {
      if (const auto* split = node->as<Split>()) take_split(*node, split->axis);
      else if (node->as<Slice>()) take_slice(*node);
    }
    for (const auto& node : graph.nodes()) {
      if (const auto* concat = node->as<Concat>()) take_concat(*node, concat->axis);
      else if (is_view(*node) && options_.leaves(node->output())) take_leaving_view(*node);
    }
    return std::move(views_);
  }

 private:
  bool has_own_memory(const Value* value) const {
    return options_.leaves(value) || options_.is_known(value);
  }

  static bool is_view(const Node& node) { return node.op().info().is_view; }

  bool fits(const Type& type) const {
    return type.kind == Type::Kind::tensor && type.ranked && type.dtype != DType::string &&
           bit_width(type.dtype) >= 8 && !type.layout.channels_last &&
           options_.known_at_start(type);
  }

  // Is `whole`, cut along the axis, one stretch of memory after the other? Only if nothing lies
  // outside the axis, and blocks of channels run along it.
  static bool in_stretches(const Type& whole, size_t axis) {
    for (size_t i = 0; i < axis; ++i) {
      if (!(whole.shape[i] == Dim(1))) return false;
    }
    return whole.layout.is_plain() || whole.layout.block_axis == static_cast<int>(axis);
  }

  static Dim bytes_per_index(const Type& type, size_t axis) {
    Dim bytes = bit_width(type.dtype) / 8;
    for (size_t i = axis + 1; i < type.shape.size(); ++i) bytes = bytes * type.shape[i];
    return bytes;
  }

  bool aligned(const Dim& offset) const {
    if (options_.alignment == 1) return true;
    return offset.is_const() && offset.value() % options_.alignment == 0;
  }

  // Whole blocks only, but for the last part: a block may not hold channels of two parts.
  static bool whole_blocks(const Type& part, size_t axis, bool last) {
    if (part.layout.is_plain() || last) return true;
    const Dim& size = part.shape[axis];
    return size.is_const() && size.value() % part.layout.block == 0;
  }

  static size_t axis_of(int64_t axis, const Type& type) {
    const auto rank = static_cast<int64_t>(type.shape.size());
    return static_cast<size_t>(axis < 0 ? axis + rank : axis);
  }

  // The parts, one after the other along the axis, as views of `whole`; nothing if one can't be.
  bool cut(const Value* whole, const Values& parts, size_t axis, std::vector<View>& views) const {
    if (!fits(whole->type) || !in_stretches(whole->type, axis)) return false;
    const Dim step = bytes_per_index(whole->type, axis);
    Dim start = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      const Type& type = parts[i]->type;
      const Dim offset = start * step;
      if (!fits(type) || !(type.layout == whole->type.layout) || !aligned(offset) ||
          !whole_blocks(type, axis, i + 1 == parts.size())) {
        return false;
      }
      views.push_back({whole, offset});
      start = start + type.shape[axis];
    }
    return true;
  }

  void take_split(const Node& node, int64_t axis) {
    const Value* whole = node.input(0);
    const Values parts = node.outputs();
    std::vector<View> found;
    if (!whole->type.ranked ||
        std::any_of(parts.begin(), parts.end(),
                    [&](const Value* part) { return has_own_memory(part); }) ||
        !cut(whole, parts, axis_of(axis, whole->type), found)) {
      return;
    }
    for (size_t i = 0; i < parts.size(); ++i) views_.parts[parts[i]] = found[i];
    views_.free_nodes.insert(&node);
  }

  // A slice of step 1 along one axis.
  void take_slice(const Node& node) {
    const Value* whole = node.input(0);
    const Value* part = node.output();
    if (has_own_memory(part) || !fits(whole->type) || !fits(part->type)) return;
    const auto ints = [&](size_t i) -> const std::vector<Dim>* {
      return node.input(i) && node.input(i)->type.known_ints() ? node.input(i)->type.known_ints()
                                                               : nullptr;
    };
    const auto *starts = ints(1), *ends = ints(2), *axes = ints(3), *steps = ints(4);
    if (!starts || !ends || starts->size() != 1 || ends->size() != 1) return;
    if ((node.input(3) && (!axes || !(*axes)[0].is_const())) ||
        (node.input(4) && (!steps || !((*steps)[0] == Dim(1))))) {
      return;
    }
    const size_t axis = axis_of(axes ? (*axes)[0].value() : 0, whole->type);
    if (!in_stretches(whole->type, axis) || !(part->type.layout == whole->type.layout)) return;
    const auto range = slice_range(whole->type.shape[axis], (*starts)[0], (*ends)[0], 1);
    if (!range || !(range->count == part->type.shape[axis])) return;
    const bool to_the_end = range->first + range->count == whole->type.shape[axis];
    if (!whole->type.layout.is_plain() &&
        (!range->first.is_const() || range->first.value() % whole->type.layout.block != 0 ||
         !whole_blocks(part->type, axis, to_the_end))) {
      return;
    }
    const Dim offset = range->first * bytes_per_index(whole->type, axis);
    if (!aligned(offset)) return;
    views_.parts[part] = {whole, offset};
    views_.free_nodes.insert(&node);
  }

  // Its inputs must each be the result of a step that can write elsewhere.
  bool can_be_placed(const Value* part) const {
    const Node* producer = part->producer();
    return producer && !producer->as<Constant>() && !producer->as<DimsValue>() &&
           !is_view(*producer) && views_.free_nodes.count(producer) == 0 &&
           views_.parts.count(part) == 0 && !has_own_memory(part);
  }

  void take_concat(const Node& node, int64_t axis) {
    const Value* whole = node.output();
    const Values& parts = node.inputs();
    if (!whole->type.ranked || options_.is_known(whole)) return;
    const std::set<const Value*> distinct(parts.begin(), parts.end());
    std::vector<View> found;
    if (distinct.size() != parts.size() || distinct.count(nullptr) ||
        !std::all_of(parts.begin(), parts.end(),
                     [&](const Value* part) { return can_be_placed(part); }) ||
        !cut(whole, parts, axis_of(axis, whole->type), found)) {
      return;
    }
    for (size_t i = 0; i < parts.size(); ++i) views_.parts[parts[i]] = found[i];
    views_.free_nodes.insert(&node);
    views_.assembled.insert(whole);
  }

  // Through a chain of views up to the value that a step writes.
  void take_leaving_view(const Node& node) {
    const Value* source = node.input(0);
    const auto passes = [&](const Value* value) {
      return value && fits(value->type) && value->type.layout.is_plain();
    };
    while (passes(source) && source->producer() && is_view(*source->producer()) &&
           !has_own_memory(source))
      source = source->producer()->input(0);
    if (!passes(source) || !passes(node.output()) || !can_be_placed(source)) return;
    views_.parts[source] = {node.output(), 0};
    views_.free_nodes.insert(&node);
    views_.assembled.insert(node.output());
  }

  const ViewOptions& options_;
  Views views_;
};

}  // namespace

Views find_views(const Graph& graph, const ViewOptions& options) {
  return Finder(options).run(graph);
}

}  // namespace tenrec
