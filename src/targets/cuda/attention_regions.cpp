// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/attention_regions.h"

#include <algorithm>
#include <cstring>

#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/slice.h"
#include "passes/fuse_regions.h"
#include "passes/match.h"

namespace tenrec::cuda {
namespace {

constexpr size_t operands = 3;  // query, key, value

// x w, or x w + b, with constants.
struct Projection {
  Value* x = nullptr;
  const Tensor* weights = nullptr;  // [inputs, outputs]
  const Tensor* bias = nullptr;     // [outputs]
};

std::optional<Projection> projection_of(const Value* value) {
  if (!used_once(value)) return std::nullopt;
  Projection projection;
  if (const Node* add = producer_of<Add>(value)) {
    const ConstantOperand operand = constant_operand(*add);
    if (!operand.constant || operand.constant->dims().size() != 1 || !used_once(operand.other))
      return std::nullopt;
    projection.bias = operand.constant;
    value = operand.other;
  }
  const Node* product = producer_of<MatMul>(value);
  if (!product) return std::nullopt;
  projection.x = product->input(0);
  projection.weights = product->input(1)->constant();
  if (!projection.weights || projection.weights->dims().size() != 2) return std::nullopt;
  const int64_t outputs = projection.weights->dims()[1];
  if (projection.bias && projection.bias->dims()[0] != outputs) return std::nullopt;
  return projection;
}

// Tensors side by side along their last axis.
Tensor joined(const std::vector<const Tensor*>& parts) {
  Dims dims = parts[0]->dims();
  dims.back() = 0;
  for (const Tensor* part : parts) dims.back() += part->dims().back();
  Tensor whole(parts[0]->dtype(), dims);
  const auto bytes = static_cast<size_t>(bit_width(whole.dtype()) / 8);
  const size_t lines = dims.size() == 1 ? 1 : static_cast<size_t>(dims[0]);
  const size_t row = static_cast<size_t>(dims.back()) * bytes;
  size_t at = 0;
  for (const Tensor* part : parts) {
    const size_t piece = static_cast<size_t>(part->dims().back()) * bytes;
    for (size_t i = 0; i < lines; ++i)
      std::memcpy(whole.mutable_data() + i * row + at, part->data() + i * piece, piece);
    at += piece;
  }
  return whole;
}

void join(Rewriter& rw, Node& node) {
  const auto* op = node.as<Attention>();
  if (!op || op->q_num_heads == 0 || node.input(0)->type.rank() != 3) return;
  std::vector<Projection> found;
  for (size_t i = 0; i < operands; ++i) {
    const auto projection = projection_of(node.input(i));
    if (!projection) return;
    const Projection& first = found.empty() ? *projection : found[0];
    if (projection->x != first.x || !projection->bias != !first.bias ||
        projection->weights->dtype() != first.weights->dtype())
      return;
    found.push_back(*projection);
  }
  std::vector<const Tensor*> weights, biases;
  for (const Projection& projection : found) {
    weights.push_back(projection.weights);
    biases.push_back(projection.bias);
  }
  Value* all = rw.insert(node, MatMul{}, {found[0].x, rw.constant(node, joined(weights))});
  if (found[0].bias) all = rw.insert(node, Add{}, {all, rw.constant(node, joined(biases))});
  int64_t begin = 0;
  for (size_t i = 0; i < operands; ++i) {
    const int64_t end = begin + weights[i]->dims()[1];
    const auto number = [&](int64_t value) {
      return rw.constant(node, Tensor::of({1}, std::vector<int64_t>{value}));
    };
    const Values inputs{all, number(begin), number(end), number(2)};
    rw.graph().set_input(&node, i, rw.insert(node, Slice{}, inputs));
    begin = end;
  }
}

}  // namespace

void join_projections(Graph& graph) {
  Rewriter rw(graph);
  for (Node* node = graph.front(); node; node = node->next()) {
    for (size_t i = 0; i < node->body_count(); ++i) join_projections(node->body(i));
    join(rw, *node);
  }
  graph.remove_dead();
}

std::optional<LineRange> line_range(const Node& node) {
  if (!node.as<Slice>() || node.input(4)) return std::nullopt;
  const Type& in = node.input(0)->type;
  const auto* starts = node.input(1)->type.known_ints();
  const auto* ends = node.input(2)->type.known_ints();
  const auto axes = constant_ints(node.input(3));
  if (!starts || !ends || starts->size() != 1 || !axes || axes->size() != 1) return std::nullopt;
  if (!in.ranked || in.rank() != 3 || !in.layout.is_plain()) return std::nullopt;
  if (normalise_axis(axes->at(0), 3) != 2) return std::nullopt;
  const auto range = slice_range(in.shape[2], starts->at(0), ends->at(0), 1);
  if (!range || !range->first.is_const() || !range->count.is_const()) return std::nullopt;
  return LineRange{range->first.value(), range->count.value()};
}

void absorb_slices(Graph& graph) {
  std::vector<Region> regions;
  for (const auto& node : graph.nodes()) {
    for (size_t i = 0; i < node->body_count(); ++i) absorb_slices(node->body(i));
    if (!node->as<Attention>()) continue;
    Region region{std::string(attention_anchor), {}};
    for (size_t i = 0; i < operands; ++i) {
      Node* slice = node->input(i)->producer();
      if (slice && used_once(node->input(i)) && line_range(*slice)) region.nodes.push_back(slice);
    }
    if (region.nodes.empty()) continue;
    region.nodes.push_back(node.get());
    regions.push_back(std::move(region));
  }
  for (const Region& region : regions) make_fused(graph, region, {});
}

}  // namespace tenrec::cuda
