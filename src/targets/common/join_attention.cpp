// SPDX-License-Identifier: Apache-2.0
#include "targets/common/join_attention.h"

#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/reshape.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "passes/match.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

using Order = std::vector<int64_t>;

bool is_transpose(const Node* node, const Order& order) {
  const auto* transpose = node ? node->as<Transpose>() : nullptr;
  return transpose && transpose->order(node->input(0)->type.rank()) == order;
}

// [N, heads, length, size], f32 and row-major, with heads and sizes that are known.
bool is_heads(const Value& value) {
  const Type& type = value.type;
  return type.kind == Type::Kind::tensor && type.ranked && type.rank() == 4 &&
         type.dtype == DType::f32 && type.layout.is_plain();
}

Value* reshaped(Rewriter& rw, const Node& at, Value* value, const Order& dims) {
  const auto rank = static_cast<int64_t>(dims.size());
  return rw.insert(at, Reshape{}, {value, rw.constant(at, Tensor::of({rank}, dims))});
}

// What `value` was times constants, which go to `scale`.
Value* unscaled(Value* value, double& scale) {
  while (const Node* node = producer_of<Mul>(value)) {
    const std::optional<double> a = uniform_value(node->input(0)),
                                b = uniform_value(node->input(1));
    Value* other = b ? node->input(0) : node->input(1);
    if ((!a && !b) || !same_type(*other, *value)) break;
    scale *= b ? *b : *a;
    value = other;
  }
  return value;
}

// Where the numbers of [N, heads, length, size] lie in token order: [N, length, heads, size], or
// [length, heads, size] when N is 1.
Value* in_token_order(Value* value) {
  const Node* node = value->producer();
  if (is_transpose(node, {0, 2, 1, 3})) return node->input(0);
  const bool one = value->type.shape[0] == Dim(1) && value->type.shape[2].is_const();
  if (!one || !producer_of<Reshape>(value)) return nullptr;
  const Value* moved = node->input(0);
  if (!is_transpose(moved->producer(), {1, 0, 2})) return nullptr;
  const Shape& from = moved->type.shape;
  const bool same =
      std::equal(from.begin(), from.end(), value->type.shape.begin() + 1, value->type.shape.end());
  return same ? moved->producer()->input(0) : nullptr;
}

class Match {
 public:
  // softmax(scores) · value, from the product on. False where it is something else.
  bool find(const Node& node) {
    const Node* softmax = producer_of<Softmax>(node.input(0));
    if (!node.as<MatMul>() || !softmax || !used_once(node.input(0))) return false;
    const Value* scores = softmax->input(0);
    const int64_t axis = softmax->as<Softmax>()->axis;
    if (!is_heads(*scores) || (axis != -1 && axis != 3)) return false;
    value_ = node.input(1);
    return find_scores(softmax->input(0)) && fits(*scores, node);
  }

  void replace(Rewriter& rw, const Node& node) const {
    Value* key = rw.insert(node, Transpose{{0, 1, 3, 2}}, {key_turned_});
    if (const Node* turned = key_turned_->producer()) {
      if (is_transpose(turned, {0, 1, 3, 2})) key = turned->input(0);
      if (is_transpose(turned, {0, 2, 3, 1}))
        key = rw.insert(node, Transpose{{0, 2, 1, 3}}, {turned->input(0)});
    }
    Attention op;
    op.scale = static_cast<float>(scale_);
    const Dim &heads = query_->type.shape[1], &size = value_->type.shape[3];
    const bool tokens = heads.is_const() && size.is_const() && query_->type.shape[3].is_const() &&
                        in_token_order(query_) && in_token_order(key) && in_token_order(value_);
    Values inputs{query_, key, value_};
    if (tokens) {
      op.q_num_heads = op.kv_num_heads = heads.value();
      for (Value*& input : inputs) input = packed(rw, node, *input);
    }
    if (mask_) inputs.push_back(mask_);
    Value* out = rw.insert(node, op, std::move(inputs));
    if (tokens) {
      out = reshaped(rw, node, out, {0, 0, heads.value(), size.value()});
      out = rw.insert(node, Transpose{{0, 2, 1, 3}}, {out});
    }
    rw.replace(node, {out});
  }

 private:
  bool find_scores(Value* scores) {
    scale_ = 1;
    mask_ = nullptr;
    if (find_product(scores)) return true;
    const Node* sum = producer_of<Add>(scores);
    if (!sum || !used_once(scores)) return false;
    for (size_t i = 0; i < 2; ++i) {
      scale_ = 1;
      mask_ = sum->input(1 - i);
      if (same_type(*sum->input(i), *scores) && find_product(sum->input(i))) return true;
    }
    return false;
  }

  bool find_product(Value* value) {
    Value* scores = unscaled(value, scale_);
    const Node* product = producer_of<MatMul>(scores);
    if (!product || !used_once(scores)) return false;
    query_ = unscaled(product->input(0), scale_);
    key_turned_ = unscaled(product->input(1), scale_);
    return true;
  }

  // Everything has heads, none is broadcast, and the mask is as long as there are keys.
  bool fits(const Value& scores, const Node& node) const {
    if (!is_heads(*query_) || !is_heads(*key_turned_) || !is_heads(*value_)) return false;
    const Shape &q = query_->type.shape, &k = key_turned_->type.shape, &v = value_->type.shape;
    const Shape& s = scores.type.shape;
    const Shape out{q[0], q[1], q[2], v[3]};
    if (!(s == Shape{q[0], q[1], q[2], k[3]}) || !(node.output()->type.shape == out)) return false;
    if (!(k[0] == q[0] && v[0] == q[0] && k[1] == q[1] && v[1] == q[1] && v[2] == k[3]))
      return false;
    if (!mask_) return true;
    const Type& mask = mask_->type;
    if (mask.dtype != DType::f32 || !mask.ranked || mask.shape.empty() || mask.rank() > 4)
      return false;
    for (size_t i = 0; i < mask.shape.size(); ++i) {
      const Dim& full = s[i + 4 - mask.shape.size()];
      if (!(mask.shape[i] == full) && !(mask.shape[i] == Dim(1))) return false;
    }
    return true;
  }

  // [N, length, heads * size] of a value that lies in token order.
  static Value* packed(Rewriter& rw, const Node& at, Value& value) {
    Value* tokens = in_token_order(&value);
    const Shape& shape = value.type.shape;
    const int64_t line = shape[1].value() * shape[3].value();
    if (tokens->type.rank() == 4) return reshaped(rw, at, tokens, {0, 0, line});
    return reshaped(rw, at, tokens, {1, shape[2].value(), line});
  }

  double scale_ = 1;
  Value *query_ = nullptr, *key_turned_ = nullptr, *value_ = nullptr, *mask_ = nullptr;
};

bool join_all(Graph& graph) {
  Rewriter rw(graph);
  bool any = false;
  for (Node* node = graph.front(); node;) {
    Node* const next = node->next();
    for (size_t i = 0; i < node->body_count(); ++i) any |= join_all(node->body(i));
    Match match;
    if (node->as<MatMul>() && match.find(*node)) {
      match.replace(rw, *node);
      any = true;
    }
    node = next;
  }
  graph.remove_dead();
  return any;
}

}  // namespace

void join_attention(Graph& graph) {
  if (join_all(graph)) simplify(graph);
}

}  // namespace tenrec
