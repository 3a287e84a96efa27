// SPDX-License-Identifier: Apache-2.0
#include "targets/common/part_pointwise.h"

#include <algorithm>
#include <map>

#include "ir/constant.h"
#include "ops/concat.h"
#include "ops/split.h"
#include "passes/match.h"
#include "passes/pass.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

// A Split of plain tensors whose parts are views: nothing but 1 stands before its axis.
struct Cut {
  explicit Cut(const Node& node) {
    const auto* split = node.as<Split>();
    const Type& whole = node.input(0)->type;
    if (!split || !whole.ranked || !whole.layout.is_plain()) return;
    rank = whole.rank();
    axis = normalise_axis(split->axis, rank);
    for (int64_t i = 0; i < axis; ++i)
      if (whole.shape[static_cast<size_t>(i)] != Dim(1)) return;
    for (size_t i = 0; i < node.output_count(); ++i) {
      const std::optional<int64_t> size = node.output(i)->type.shape[place()].constant();
      if (!size) return;
      sizes.push_back(*size);
    }
    is_view = true;
  }
  size_t place() const { return static_cast<size_t>(axis); }
  bool is_cut_at_here(const Node& concat) const {
    if (normalise_axis(concat.as<Concat>()->axis, rank) != axis ||
        concat.inputs().size() != sizes.size())
      return false;
    for (size_t i = 0; i < sizes.size(); ++i)
      if (concat.input(i)->type.shape[place()] != Dim(sizes[i])) return false;
    return true;
  }

  int64_t rank = 0, axis = 0;
  std::vector<int64_t> sizes;
  bool is_view = false;
};

enum class Parts : uint8_t { joined, cut, whole, none };

// How the parts of a value are had: they are there, before the Concat that joins them; as views of
// it, or by pointwise work on parts; they are the value itself, which is stretched along the axis;
// not at all.
class PointwiseParts {
 public:
  PointwiseParts(Rewriter& rw, const Node& split) : rw_(rw), split_(split), cut_(split) {}

  bool run() {
    if (!cut_.is_view || !is_pointwise(split_.input(0)) ||
        kind(split_.input(0), most_depth) != Parts::joined)
      return false;
    const std::vector<Value*>& results = parts(split_.input(0), split_, most_depth);
    rw_.replace(split_, {results.begin(), results.end()});
    return true;
  }

 private:
  static constexpr int most_depth = 8;

  static bool is_pointwise(const Value* value) {
    const Node* node = value->producer();
    return node && node->op().info().pointwise && node->output_count() == 1 && used_once(value);
  }

  // Axes count from the last one: what broadcasts may have fewer.
  int64_t axis_in(const Value& value) const { return cut_.axis - (cut_.rank - value.type.rank()); }

  Parts kind(const Value* value, int depth) const {
    const Type& type = value->type;
    if (!type.ranked || !type.layout.is_plain() || type.rank() > cut_.rank) return Parts::none;
    const int64_t at = axis_in(*value);
    if (at < 0 || type.shape[static_cast<size_t>(at)] == Dim(1)) return Parts::whole;
    for (int64_t i = 0; i < at; ++i)
      if (type.shape[static_cast<size_t>(i)] != Dim(1)) return Parts::none;
    if (type.rank() != cut_.rank) return Parts::cut;
    if (const Node* concat = producer_of<Concat>(value))
      return cut_.is_cut_at_here(*concat) ? Parts::joined : Parts::cut;
    if (!is_pointwise(value) || depth == 0) return Parts::cut;
    Parts best = Parts::cut;
    for (const Value* input : value->producer()->inputs()) {
      if (!input) continue;
      const Parts found = kind(input, depth - 1);
      if (found == Parts::none) return Parts::cut;
      if (found == Parts::joined) best = Parts::joined;
    }
    return best;
  }

  const std::vector<Value*>& parts(Value* value, const Node& before, int depth) {
    std::vector<Value*>& result = made_[value];
    if (!result.empty()) return result;
    const Parts found = kind(value, depth);
    if (found == Parts::whole) result.assign(cut_.sizes.size(), value);
    else if (found == Parts::cut) result = views(value, before);
    else if (const Node* concat = producer_of<Concat>(value))
      result.assign(concat->inputs().begin(), concat->inputs().end());
    else result = computed(*value->producer(), depth - 1);
    return result;
  }

  std::vector<Value*> views(Value* value, const Node& before) {
    const auto count = static_cast<int64_t>(cut_.sizes.size());
    Value* sizes = rw_.constant(before, Tensor::of({count}, cut_.sizes));
    const Node* node = rw_.insert_node(before, Split{.axis = axis_in(*value), .num_outputs = count},
                                       {value, sizes});
    std::vector<Value*> result;
    for (size_t i = 0; i < node->output_count(); ++i) result.push_back(node->output(i));
    return result;
  }

  std::vector<Value*> computed(const Node& node, int depth) {
    std::vector<Values> inputs(cut_.sizes.size(), node.inputs());
    for (size_t k = 0; k < node.inputs().size(); ++k) {
      if (!node.input(k)) continue;
      const std::vector<Value*>& operand = parts(node.input(k), node, depth);
      for (size_t i = 0; i < inputs.size(); ++i) inputs[i][k] = operand[i];
    }
    std::vector<Value*> result;
    for (Values& part : inputs) result.push_back(rw_.insert(node, node.op(), std::move(part)));
    return result;
  }

  Rewriter& rw_;
  const Node& split_;
  Cut cut_;
  std::map<const Value*, std::vector<Value*>> made_;
};

}  // namespace

void part_pointwise(Graph& graph) {
  apply_rules(graph, {{"part_pointwise", [](Rewriter& rw, const Node& node) {
                         return node.as<Split>() && PointwiseParts(rw, node).run();
                       }}});
  graph.remove_dead();
  simplify(graph);
}

}  // namespace tenrec
