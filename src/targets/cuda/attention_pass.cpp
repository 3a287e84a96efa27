// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/attention_pass.h"

#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/reshape.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "passes/match.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

const Node* softmax_of(Value* value) {
  const Node* node = producer_of<Softmax>(value);
  if (!node) return nullptr;
  const int64_t rank = node->output()->type.rank();
  return normalise_axis(node->as<Softmax>()->axis, rank) == rank - 1 ? node : nullptr;
}

// Conversions between float types change nothing that attention does not do itself.
Value* behind_casts(Value* value) {
  while (const Node* cast = producer_of<Cast>(value)) {
    if (!is_float(cast->input(0)->type.dtype) || !is_float(value->type.dtype)) break;
    value = cast->input(0);
  }
  return value;
}

// Takes constant factors off a value.
Value* behind_scale(Value* value, double& scale) {
  while (true) {
    value = behind_casts(value);
    const Node* mul = producer_of<Mul>(value);
    const Node* div = producer_of<Div>(value);
    const Node* node = mul ? mul : div;
    if (!node) return value;
    const auto right = uniform_value(node->input(1));
    const auto left = mul ? uniform_value(node->input(0)) : std::nullopt;
    if (!right && !left) return value;
    Value* rest = right ? node->input(0) : node->input(1);
    if (!(rest->type.shape == value->type.shape)) return value;
    scale *= mul ? (right ? *right : *left) : 1 / *right;
    value = rest;
  }
}

const Node* transpose_of(Value* value, const std::vector<int64_t>& perm) {
  const Node* node = producer_of<Transpose>(value);
  return node && node->as<Transpose>()->perm == perm ? node : nullptr;
}

struct Match {
  Value* q = nullptr;  // [N, heads, length, size]
  Value* k = nullptr;  // likewise; or, transposed, [N, length, heads, size]
  Value* v = nullptr;
  Value* mask = nullptr;
  bool k_by_position = false;
  double scale = 1;
};

// scores = q k' * scale + mask, in any order of the last two.
bool match_scores(Value* value, Match& match) {
  value = behind_scale(value, match.scale);
  if (const Node* add = producer_of<Add>(value)) {
    if (match.scale != 1) return false;  // the mask would be scaled too
    for (const size_t i : {0, 1}) {
      double scale = 1;
      Value* inner = behind_scale(add->input(i), scale);
      if (!producer_of<MatMul>(inner) || !(inner->type.shape == value->type.shape)) continue;
      match.mask = add->input(1 - i);
      match.scale = scale;
      value = inner;
      break;
    }
    if (!match.mask) return false;
  }
  const Node* product = producer_of<MatMul>(value);
  if (!product || !used_once(value) || value->type.rank() != 4) return false;
  match.q = behind_scale(product->input(0), match.scale);
  Value* keys = behind_scale(product->input(1), match.scale);
  if (const Node* turned = transpose_of(keys, {0, 1, 3, 2})) {
    match.k = behind_scale(turned->input(0), match.scale);
    return true;
  }
  if (const Node* turned = transpose_of(keys, {0, 2, 3, 1})) {
    match.k = behind_scale(turned->input(0), match.scale);
    match.k_by_position = true;
    return true;
  }
  return false;
}

bool is_four(const Value* value, DType dtype) {
  return value->type.ranked && value->type.rank() == 4 && value->type.dtype == dtype &&
         value->type.layout.is_plain();
}

// [N, length, heads * size] behind a [N, heads, length, size]: reshaped, then transposed.
Value* packed_form(Value* value) {
  const Node* turned = transpose_of(value, {0, 2, 1, 3});
  const Node* split = turned ? producer_of<Reshape>(turned->input(0)) : nullptr;
  if (!split) return nullptr;
  Value* packed = split->input(0);
  const Shape& four = turned->input(0)->type.shape;
  if (!packed->type.ranked || packed->type.rank() != 3 || !packed->type.layout.is_plain())
    return nullptr;
  const Shape& three = packed->type.shape;
  const bool same = three[0] == four[0] && three[1] == four[1] && three[2] == four[2] * four[3];
  return same ? packed : nullptr;
}

// The reader that turns [N, heads, length, size] back into [N, length, heads * size].
Value* packed_result(const Value* value) {
  if (!used_once(value) || !value->uses()[0].node) return nullptr;
  const Node* turned = value->uses()[0].node;
  if (!transpose_of(turned->output(), {0, 2, 1, 3}) || !used_once(turned->output())) return nullptr;
  const Node* merged = turned->output()->uses()[0].node;
  if (!merged || !merged->as<Reshape>() || merged->output()->type.rank() != 3) return nullptr;
  const Shape& four = turned->output()->type.shape;
  const Shape& three = merged->output()->type.shape;
  const bool same = three[0] == four[0] && three[1] == four[1] && three[2] == four[2] * four[3];
  return same ? merged->output() : nullptr;
}

class Recogniser {
 public:
  Recogniser(Graph& graph, const DeviceInfo& device) : graph_(graph), device_(device) {}

  void run() {
    for (Node* node = graph_.front(); node;) {
      Node* const next = node->next();
      for (size_t i = 0; i < node->body_count(); ++i) Recogniser(node->body(i), device_).run();
      if (node->as<MatMul>()) fuse(*node);
      node = next;
    }
    graph_.remove_dead();
    for (Node* node = graph_.front(); node;) {
      Node* const next = node->next();
      if (node->as<Attention>()) pack(*node);
      node = next;
    }
    graph_.remove_dead();
  }

 private:
  bool accepted(const Node& node) const { return attention_kernel().check(node, device_).empty(); }

  void fuse(Node& node) {
    Value* weights = behind_casts(node.input(0));
    const Node* softmax = softmax_of(weights);
    Match match;
    if (!softmax || !used_once(softmax->output()) || !match_scores(softmax->input(0), match))
      return;
    match.v = node.input(1);
    const DType dtype = node.output()->type.dtype;
    if (!is_four(match.q, dtype) || !is_four(match.k, dtype) || !is_four(match.v, dtype)) return;
    if (!(match.q->type.shape[0] == node.output()->type.shape[0])) return;
    Value* k = match.k;
    if (match.k_by_position)
      k = graph_.insert(&node, Transpose{.perm = {0, 2, 1, 3}}, {k}, {}, node.origins())->output();
    Attention op;
    op.scale = static_cast<float>(match.scale);
    Values inputs{match.q, k, match.v};
    if (match.mask) inputs.push_back(match.mask);
    try {
      Node* made = graph_.insert(&node, op, inputs, {}, node.origins());
      if (!accepted(*made) || !(made->output()->type.shape == node.output()->type.shape)) {
        graph_.erase(made);
        return;
      }
      graph_.replace_uses(node.output(), made->output());
    } catch (const Error&) {
      return;  // shapes that Attention refuses
    }
  }

  // Heads stay where the linear layers write them.
  void pack(Node& node) {
    Attention op = *node.as<Attention>();
    if (node.input(0)->type.rank() != 4 || op.outputs != 1) return;
    Value* result = packed_result(node.output());
    if (!result) return;
    Values inputs = node.inputs();
    for (size_t i = 0; i < 3; ++i) {
      inputs[i] = packed_form(inputs[i]);
      if (!inputs[i]) return;
    }
    const Shape& q = node.input(0)->type.shape;
    const Shape& k = node.input(1)->type.shape;
    if (!q[1].is_const() || !k[1].is_const()) return;
    op.q_num_heads = q[1].value();
    op.kv_num_heads = k[1].value();
    if (!op.scale && q[3].is_const())
      op.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(q[3].value())));
    Node* made = graph_.insert(&node, op, inputs, {}, node.origins());
    if (!accepted(*made) || !(made->output()->type.shape == result->type.shape)) {
      graph_.erase(made);
      return;
    }
    graph_.replace_uses(result, made->output());
  }

  Graph& graph_;
  const DeviceInfo& device_;
};

}  // namespace

void recognise_attention(Graph& graph, const DeviceInfo& device) {
  Recogniser(graph, device).run();
}

}  // namespace tenrec::cuda
