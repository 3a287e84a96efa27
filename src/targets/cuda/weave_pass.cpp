// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/weave_pass.h"

#include <algorithm>
#include <unordered_set>

#include "ops/concat.h"
#include "ops/conv.h"
#include "ops/expand.h"
#include "ops/fused.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "passes/fuse_regions.h"
#include "targets/cuda/emit.h"

namespace tenrec::cuda {
namespace {

constexpr size_t most_nodes = 24;

bool is_last(const Type& type) { return type.ranked && type.layout.channels_last; }

bool is_pointwise(const Node& node) {
  if (node.output_count() != 1 || node.output()->type.known_ints()) return false;
  const Type& type = node.output()->type;
  if (type.kind != Type::Kind::tensor || !type.ranked || !is_supported(type.dtype)) return false;
  const auto* fused = node.as<Fused>();
  return fused ? fused->anchor == "pointwise" : node.op().info().pointwise;
}

bool is_reader(const Node* node) { return node && (node->as<Concat>() || is_pointwise(*node)); }

// --- slices of their own for readers that can do without a copy ---

class Slicer {
 public:
  explicit Slicer(Graph& graph) : graph_(graph) {}

  void run() {
    for (Node* node = graph_.front(); node;) {
      Node* const next = node->next();
      if (const auto* split = node->as<Split>()) cut(node, *split);
      else if (node->as<Slice>()) part_readers(node);
      node = next;
    }
    graph_.remove_dead();
  }

 private:
  Value* ints(Node* before, const Dim& value) {
    const std::vector<int64_t> values{value.value()};
    return graph_.constant(before, Tensor::from_ints(DType::i64, {1}, values));
  }

  // A Split as slices, where its pieces are no views.
  void cut(Node* node, const Split& split) {
    const Type& in = node->input(0)->type;
    if (!is_last(in)) return;
    const auto axis = static_cast<size_t>(normalise_axis(split.axis, in.rank()));
    std::vector<Dim> starts{Dim(0)};
    for (const Value* output : node->outputs()) {
      if (!output->type.shape[axis].is_const() || !is_last(output->type)) return;
      starts.push_back(starts.back() + output->type.shape[axis]);
    }
    for (size_t i = 0; i < node->output_count(); ++i) {
      Value* output = node->output(i);
      if (output->uses().empty()) continue;
      const Values inputs{node->input(0), ints(node, starts[i]), ints(node, starts[i + 1]),
                          ints(node, Dim(static_cast<int64_t>(axis)))};
      Node* slice = graph_.insert(node, Slice{}, inputs, {}, node->origins());
      slice->output()->type = output->type;
      graph_.replace_uses(output, slice->output());
      part_readers(slice);
    }
  }

  void part_readers(Node* slice) {
    if (!is_last(slice->output()->type)) return;
    const std::vector<Use> uses = slice->output()->uses();
    for (size_t i = 1; i < uses.size(); ++i) {
      if (!is_reader(uses[i].node)) continue;
      Node* own = graph_.insert(slice, Slice{}, slice->inputs(), {}, slice->origins());
      own->output()->type = slice->output()->type;
      graph_.set_input(uses[i].node, uses[i].index, own->output());
    }
  }

  Graph& graph_;
};

// --- regions ---

// Reads one tensor, element by element.
bool is_unary(const Node& node) {
  if (!is_pointwise(node)) return false;
  int64_t tensors = 0;
  for (const Value* input : node.inputs()) {
    const Tensor* constant = input ? input->constant() : nullptr;
    if (constant && constant->elements() == 1) continue;
    if (!input || !(input->type.shape == node.output()->type.shape)) return false;
    ++tensors;
  }
  return tensors == 1;
}

class Grower {
 public:
  explicit Grower(Node* root) : root_(root) { members_.insert(root); }

  // The nodes of the region in graph order, the root last; the root alone if nothing joins.
  std::vector<Node*> grow(const std::vector<Node*>& before) {
    std::vector<Node*> nodes{root_};
    for (auto it = before.rbegin(); it != before.rend() && nodes.size() < most_nodes; ++it) {
      if (!joins(**it)) continue;
      members_.insert(*it);
      nodes.push_back(*it);
    }
    std::reverse(nodes.begin(), nodes.end());
    return nodes;
  }

 private:
  bool joins(const Node& node) const {
    if (node.output_count() != 1 || node.output()->uses().empty()) return false;
    for (const Use& use : node.output()->uses())
      if (!use.node || !members_.count(use.node) || !read_by(node, *use.node)) return false;
    return true;
  }

  bool read_by(const Node& node, const Node& reader) const {
    if (reader.as<Slice>() && node.output() != reader.input(0)) return false;
    // Turning a tensor round goes by tiles of one tensor.
    if (node.as<Reformat>()) return reader.as<Concat>() || is_unary(reader);
    if (reader.as<Reformat>()) return is_unary(node);
    if (!is_last(node.output()->type)) return false;
    if (node.as<Slice>() || node.as<Expand>()) return true;
    // Computed once an element: not where it is repeated.
    return is_pointwise(node) &&
           (!is_pointwise(reader) || node.output()->type.shape == reader.output()->type.shape);
  }

  Node* root_;
  std::unordered_set<const Node*> members_;
};

bool is_root(const Node& node) {
  if (node.output_count() != 1 || !node.output()->type.ranked) return false;
  if (node.as<Reformat>()) return true;
  if (node.as<Concat>()) return is_last(node.output()->type);
  return is_pointwise(node) && (is_last(node.output()->type) || is_unary(node));
}

// A pointwise region gains only where a move goes.
bool is_worth(const std::vector<Node*>& nodes) {
  if (nodes.size() < 2) return false;
  return std::any_of(nodes.begin(), nodes.end(),
                     [](const Node* node) { return !is_pointwise(*node); });
}

// --- whole blocks of channels ---

// The weights of a convolution for `more` channels that are zero.
Tensor with_channels(const Tensor& weights, int64_t more) {
  Dims dims = weights.dims();
  const auto taps = static_cast<size_t>(dims[2] * dims[3]);
  const size_t row = static_cast<size_t>(dims[1]) * taps;
  const std::vector<double> from = weights.to_doubles();
  dims[1] += more;
  const size_t wide = static_cast<size_t>(dims[1]) * taps;
  std::vector<double> to(static_cast<size_t>(dims[0]) * wide, 0.0);
  for (size_t i = 0; i < static_cast<size_t>(dims[0]); ++i)
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(i * row), row,
                to.begin() + static_cast<std::ptrdiff_t>(i * wide));
  return Tensor::from_doubles(weights.dtype(), dims, to);
}

void round_channels_of(Graph& graph, Node* node, int64_t block) {
  const auto* conv = node->as<Conv>();
  if (!conv || conv->group != 1) return;
  Value* input = node->input(0);
  const Type& type = input->type;
  const Tensor* weights = node->input(1)->constant();
  Node* concat = input->producer();
  if (!weights || !is_last(type) || type.rank() != 4 || !type.is_static() || !concat ||
      !concat->as<Concat>() || input->uses().size() != 1)
    return;
  const int64_t channels = type.shape[1].value(), more = (block - channels % block) % block;
  if (more == 0 || normalise_axis(concat->as<Concat>()->axis, 4) != 1) return;
  Dims dims = static_dims(type.shape);
  dims[1] = more;
  Value* zero = graph.constant(concat, Tensor::from_doubles(type.dtype, {}, std::vector{0.0}));
  Value* shape = graph.constant(concat, Tensor::from_ints(DType::i64, {4}, dims));
  Node* zeros = graph.insert(concat, Expand{}, {zero, shape}, {}, concat->origins());
  zeros->output()->type.layout = type.layout;
  Values parts = concat->inputs();
  parts.push_back(zeros->output());
  Node* wider = graph.insert(concat, Concat{.axis = 1}, parts, {}, concat->origins());
  wider->output()->type.layout = type.layout;
  graph.set_input(node, 0, wider->output());
  graph.set_input(node, 1, graph.constant(concat, with_channels(*weights, more)));
}

}  // namespace

void round_channels(Graph& graph, int64_t block) {
  for (Node* node = graph.front(); node; node = node->next()) round_channels_of(graph, node, block);
  graph.remove_dead();
}

void weave(Graph& graph) {
  Slicer(graph).run();
  std::vector<Node*> nodes;
  for (const auto& node : graph.nodes()) nodes.push_back(node.get());
  std::vector<std::vector<Node*>> regions;
  std::unordered_set<const Node*> taken;
  for (size_t i = nodes.size(); i-- > 0;) {
    if (taken.count(nodes[i]) || !is_root(*nodes[i])) continue;
    std::vector<Node*> before;
    for (size_t k = 0; k < i; ++k)
      if (!taken.count(nodes[k])) before.push_back(nodes[k]);
    std::vector<Node*> found = Grower(nodes[i]).grow(before);
    if (!is_worth(found)) continue;
    taken.insert(found.begin(), found.end());
    regions.push_back(std::move(found));
  }
  for (const std::vector<Node*>& region : regions)
    make_fused(graph, {std::string(woven_anchor), region}, {});
  verify(graph);
}

}  // namespace tenrec::cuda
