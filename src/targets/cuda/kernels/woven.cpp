// SPDX-License-Identifier: Apache-2.0
// Woven regions (weave_pass.h): slices, reformats and concatenations around pointwise operators.
// What only moves elements becomes strides of what is read and written, so that one launch computes
// the region, a part of its grid for each input of a Concat.
#include <map>

#include "base/error.h"
#include "ops/concat.h"
#include "ops/expand.h"
#include "ops/fused.h"
#include "ops/slice.h"
#include "targets/common/pointwise_program.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/kernels/pointwise_text.h"
#include "targets/cuda/weave_pass.h"

namespace tenrec::cuda {
namespace {

// Where an axis of an inner value lies: `step` times an axis of the part's output, from `start`.
struct AxisMap {
  int axis = -1;  // -1: always at `start`
  Dim step = 1, start = 0;
  bool operator==(const AxisMap&) const = default;
};
using IndexMap = std::vector<AxisMap>;

// Values of a body are known by those of the graph around it.
struct Scope {
  const Node* node = nullptr;
  const Scope* outer = nullptr;
};

std::optional<IndexMap> through_slice(const Node& node, IndexMap map) {
  const auto *starts = node.input(1)->type.known_ints(), *ends = node.input(2)->type.known_ints();
  if (!starts || !ends) return std::nullopt;
  std::optional<std::vector<int64_t>> axes, steps;
  if (node.input(3) && !(axes = node.input(3)->type.constant_ints())) return std::nullopt;
  if (node.input(4) && !(steps = node.input(4)->type.constant_ints())) return std::nullopt;
  const Type& in = node.input(0)->type;
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = static_cast<size_t>(
        normalise_axis(axes ? axes->at(i) : static_cast<int64_t>(i), in.rank()));
    const int64_t step = steps ? steps->at(i) : 1;
    const auto range = slice_range(in.shape[axis], (*starts)[i], (*ends)[i], step);
    if (!range) return std::nullopt;
    map[axis].start = range->first + map[axis].start * Dim(step);
    map[axis].step = map[axis].step * Dim(step);
  }
  return map;
}

// The map of an input that broadcasts to a value of `out` shape.
std::optional<IndexMap> through_broadcast(const Type& in, const Shape& out, const IndexMap& map) {
  if (in.shape.size() > out.size()) return std::nullopt;
  const size_t shift = out.size() - in.shape.size();
  IndexMap result;
  for (size_t i = 0; i < in.shape.size(); ++i) {
    const Dim &size = in.shape[i], &whole = out[i + shift];
    if (size == whole) result.push_back(map[i + shift]);
    else if (size == Dim(1)) result.push_back({});
    else return std::nullopt;
  }
  return result;
}

class Weaver {
 public:
  // `region` is the Fused node. One part an input of the Concat that ends it, else one.
  explicit Weaver(const Node& region) : region_(region) {}

  Reject run() {
    const Graph& body = region_.body(0);
    const Value* result = body.outputs()[0];
    const Scope scope{&region_, nullptr};
    const Type& out = region_.output()->type;
    if (!has_strides(out)) return "a blocked layout";
    const Node* root = result->producer();
    const auto* concat = root ? root->as<Concat>() : nullptr;
    if (!concat) return part(result, scope, Dim(0), out.shape);
    const auto axis = static_cast<size_t>(normalise_axis(concat->axis, out.rank()));
    Dim start = 0;
    for (const Value* input : root->inputs()) {
      Reject reject = part(input, scope, start * memory_strides(out)[axis], input->type.shape);
      if (!reject.empty()) return reject;
      start = start + input->type.shape[axis];
    }
    return "";
  }

  std::vector<PointwisePart> parts;
  std::vector<StepArg> inputs;

 private:
  struct Term {
    const Value* value;
    IndexMap map;
    int32_t node;
  };

  Reject part(const Value* value, const Scope& scope, const Dim& offset, const Shape& sizes) {
    const Type& out = region_.output()->type;
    part_ = {};
    terms_.clear();
    part_.loops.sizes = sizes;
    part_.loops.walks = {{memory_strides(out), offset}};
    part_.outputs = {0};
    IndexMap map;
    for (size_t i = 0; i < sizes.size(); ++i) map.push_back({static_cast<int>(i)});
    const auto node = term(value, map, scope);
    if (!node) return reject_;
    part_.program.outputs = {*node};
    // In the order of the output's memory.
    const std::vector<size_t> order = memory_order(out);
    const auto ordered = [&](const Shape& shape) {
      Shape result;
      for (const size_t axis : order) result.push_back(shape[axis]);
      return result;
    };
    part_.loops.sizes = ordered(part_.loops.sizes);
    for (Walk& walk : part_.loops.walks) walk.strides = ordered(walk.strides);
    if (Reject reject = unsupported(part_.program); !reject.empty()) return reject;
    parts.push_back(std::move(part_));
    return "";
  }

  std::optional<int32_t> no(std::string reason) {
    reject_ = std::move(reason);
    return std::nullopt;
  }

  // The program's node for an element of `value`.
  std::optional<int32_t> term(const Value* value, const IndexMap& map, const Scope& scope) {
    for (const Term& known : terms_)
      if (known.value == value && known.map == map) return known.node;
    const auto node = new_term(value, map, scope);
    if (node) terms_.push_back({value, map, *node});
    return node;
  }

  std::optional<int32_t> new_term(const Value* value, const IndexMap& map, const Scope& scope) {
    const Node* node = value->producer();
    if (!node) {
      Value* outside = scope.node->input(value->index());
      if (scope.outer) return term(outside, map, *scope.outer);
      return leaf(outside, map);
    }
    if (const Tensor* constant = value->constant()) {
      if (constant->elements() == 1) return append_constant(part_.program, *constant);
      return leaf({nullptr, *constant}, value->type, map);
    }
    if (node->as<Fused>()) {
      const Scope inner{node, &scope};
      return term(node->body(0).outputs()[value->index()], map, inner);
    }
    if (node->as<Reformat>()) return term(node->input(0), map, scope);
    if (node->as<Slice>()) {
      const auto moved = through_slice(*node, map);
      if (!moved) return no("a slice whose bounds are known only when running");
      return term(node->input(0), *moved, scope);
    }
    if (!node->op().info().pointwise && !node->as<Expand>())
      return no(fmt::format("{} is neither pointwise nor a move", node->op().name()));
    std::vector<int32_t> arguments;
    for (const Value* input : node->inputs()) {
      if (!input) return no("an input is omitted");
      const auto moved = through_broadcast(input->type, value->type.shape, map);
      if (!moved) return no("a size may or may not be 1");
      const auto argument = term(input, *moved, scope);
      if (!argument) return std::nullopt;
      if (node->as<Expand>()) return argument;
      arguments.push_back(*argument);
    }
    return append_op(part_.program, node->op(), arguments);
  }

  std::optional<int32_t> leaf(Value* value, const IndexMap& map) {
    if (const Tensor* constant = value->constant(); constant && constant->elements() == 1)
      return append_constant(part_.program, *constant);
    return leaf({value, {}}, value->type, map);
  }

  std::optional<int32_t> leaf(StepArg arg, const Type& type, const IndexMap& map) {
    if (!has_strides(type) || !is_supported(type.dtype)) return no("an input of another kind");
    size_t at = 0;
    while (at < inputs.size() && !(arg.value && inputs[at].value == arg.value)) ++at;
    if (at == inputs.size()) inputs.push_back(std::move(arg));
    Walk walk{Shape(part_.loops.sizes.size(), Dim(0)), Dim(0)};
    const Shape strides = memory_strides(type);
    for (size_t i = 0; i < map.size(); ++i) {
      walk.offset = walk.offset + map[i].start * strides[i];
      if (map[i].axis < 0) continue;
      Dim& stride = walk.strides[static_cast<size_t>(map[i].axis)];
      stride = stride + map[i].step * strides[i];
    }
    part_.loops.walks.push_back(std::move(walk));
    part_.inputs.push_back(at);
    return append_input(part_.program, type.dtype);
  }

  const Node& region_;
  PointwisePart part_;
  std::vector<Term> terms_;
  Reject reject_;
};

class Woven : public Kernel {
 public:
  std::string_view name() const override { return "woven"; }
  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* fused = node.as<Fused>();
    if (!fused || fused->anchor != woven_anchor) return "no woven region";
    return Weaver(node).run();
  }
  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    Weaver weaver(node);
    const Reject reject = weaver.run();
    TENREC_ASSERT(reject.empty(), "a woven region that was accepted: {}", reject);
    StepDraft draft = draft_of(node, name(), tactic);
    draft.inputs = std::move(weaver.inputs);
    StepWriter step(std::move(draft));
    launch_parts(std::move(weaver.parts), "woven", step);
    return step.finish();
  }
};

}  // namespace

const Kernel& woven_kernel() {
  static const Woven kernel;
  return kernel;
}

}  // namespace tenrec::cuda
