// SPDX-License-Identifier: Apache-2.0
#include "targets/common/join_attention.h"

#include "ops/attention.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/split.h"
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

// [N, heads, length, size], row-major.
bool is_heads(const Value& value) {
  const Type& type = value.type;
  return type.kind == Type::Kind::tensor && type.ranked && type.rank() == 4 &&
         type.layout.is_plain();
}

Value* reshaped(Rewriter& rw, const Node& at, Value* value, const Order& dims) {
  const auto rank = static_cast<int64_t>(dims.size());
  return rw.insert(at, Reshape{}, {value, rw.constant(at, Tensor::of({rank}, dims))});
}

// Attention itself converts between the float types.
const Node* float_cast(const Value* value) {
  const Node* cast = producer_of<Cast>(value);
  return cast && is_float(cast->input(0)->type.dtype) && is_float(value->type.dtype) ? cast
                                                                                     : nullptr;
}

// The value that `value` is a constant times of, and the constant; nothing if it is no such
// product.
std::pair<Value*, double> without_factor(const Value* value) {
  const Node* mul = producer_of<Mul>(value);
  const Node* node = mul ? mul : producer_of<Div>(value);
  if (!node) return {};
  const std::optional<double> a = mul ? uniform_value(node->input(0)) : std::nullopt,
                              b = uniform_value(node->input(1));
  Value* other = b ? node->input(0) : node->input(1);
  if ((!a && !b) || !same_type(*other, *value)) return {};
  return {other, mul ? (b ? *b : *a) : 1 / *b};
}

// What `value` was before casts and constant factors, which go to `scale`: of the type `wanted`.
Value* unscaled(Value* value, double& scale, std::optional<DType> wanted = std::nullopt) {
  Value* found = value;
  for (double so_far = scale;;) {
    if (!wanted || value->type.dtype == *wanted) {
      found = value;
      scale = so_far;
    }
    if (const Node* cast = float_cast(value)) {
      value = cast->input(0);
      continue;
    }
    const auto [other, factor] = without_factor(value);
    if (!other) return found;
    value = other;
    so_far *= factor;
  }
}

// Where the numbers of [N, heads, length, size] lie in token order: `dims` reshape `source` so that
// they are lines of it, or parts of lines.
struct Tokens {
  Value* source = nullptr;
  Order dims;          // 0: as it is
  int64_t begin = -1;  // of the part; -1: the whole line
};

// Queries, keys and values from one product: [N, length, parts, heads, size] turned to [parts, N,
// heads, length, size] and split.
std::optional<Tokens> part_of_tokens(const Value& value, int64_t line) {
  const Node* split = producer_of<Split>(value.producer()->input(0));
  if (!split || normalise_axis(split->as<Split>()->axis, 5) != 0) return std::nullopt;
  const Node* moved = split->input(0)->producer();
  const Value* part = value.producer()->input(0);
  if (!is_transpose(moved, {2, 0, 3, 1, 4}) || !(part->type.shape[0] == Dim(1)) ||
      !std::equal(part->type.shape.begin() + 1, part->type.shape.end(), value.type.shape.begin(),
                  value.type.shape.end()))
    return std::nullopt;
  const Dim& parts = moved->input(0)->type.shape[2];
  if (!parts.is_const() || !(Dim(static_cast<int64_t>(split->output_count())) == parts))
    return std::nullopt;
  return Tokens{
      moved->input(0), {0, 0, parts.value() * line}, static_cast<int64_t>(part->index()) * line};
}

std::optional<Tokens> tokens_of(const Value& value) {
  const Shape& shape = value.type.shape;
  const Node* node = value.producer();
  if (!node || !shape[1].is_const() || !shape[3].is_const()) return std::nullopt;
  const int64_t line = shape[1].value() * shape[3].value();
  if (is_transpose(node, {0, 2, 1, 3})) return Tokens{node->input(0), {0, 0, line}};
  if (!node->as<Reshape>()) return std::nullopt;
  const Value* from = node->input(0);
  if (from->type.ranked && from->type.rank() == 5) return part_of_tokens(value, line);
  // [length, heads, size] when N is 1.
  const bool one = shape[0] == Dim(1) && shape[2].is_const();
  if (!one || !is_transpose(from->producer(), {1, 0, 2})) return std::nullopt;
  const Shape& moved = from->type.shape;
  if (!std::equal(moved.begin(), moved.end(), shape.begin() + 1, shape.end())) return std::nullopt;
  return Tokens{from->producer()->input(0), {1, shape[2].value(), line}};
}

// [N, length, heads * size]
Value* packed(Rewriter& rw, const Node& at, const Value& value) {
  const Tokens tokens = *tokens_of(value);
  Value* lines = reshaped(rw, at, tokens.source, tokens.dims);
  if (tokens.begin < 0) return lines;
  const int64_t line = value.type.shape[1].value() * value.type.shape[3].value();
  const auto number = [&](int64_t n) { return rw.constant(at, Tensor::of({1}, Order{n})); };
  return rw.insert(at, Slice{},
                   {lines, number(tokens.begin), number(tokens.begin + line), number(2)});
}

// softmax(scores), or that with 0 in the place of NaN: rows that see no key, which attention makes
// 0 itself.
const Node* softmax_of(Value* weights) {
  double scale = 1;
  weights = unscaled(weights, scale);
  if (scale != 1) return nullptr;
  if (const Node* choice = producer_of<Where>(weights)) {
    const Node* test = producer_of<IsNaN>(choice->input(0));
    if (!test || !is_uniform(choice->input(1), 0) || test->input(0) != choice->input(2))
      return nullptr;
    const Node* softmax = producer_of<Softmax>(test->input(0));
    return softmax && softmax->output()->uses().size() == 2 && used_once(weights) ? softmax
                                                                                  : nullptr;
  }
  const Node* softmax = producer_of<Softmax>(weights);
  return softmax && used_once(weights) ? softmax : nullptr;
}

// softmax(scores) · value with all that makes the scores.
class Match {
 public:
  // From the last product on. False where it is something else.
  bool find(const Node& node) {
    const Node* softmax = softmax_of(node.input(0));
    if (!softmax) return false;
    Value* scores = softmax->input(0);
    const int64_t axis = softmax->as<Softmax>()->axis;
    if (!is_heads(*scores) || (axis != -1 && axis != 3)) return false;
    dtype_ = node.output()->type.dtype;
    value_ = node.input(1);
    return find_scores(scores) && fits(*scores, node);
  }

  // Right before `node`; null where the kernel does not run it.
  Node* attention(Rewriter& rw, const Node& node, const Kernel& kernel,
                  const DeviceInfo& device) const {
    Attention op;
    op.scale = static_cast<float>(scale_);
    Values inputs{query_, key(rw, node), value_};
    if (mask_) inputs.push_back(mask_);
    Node* made = rw.insert_node(node, op, std::move(inputs));
    const bool good = kernel.check(*made, device).empty() &&
                      made->output()->type.shape == node.output()->type.shape;
    if (good) return made;
    rw.graph().erase(made);
    return nullptr;
  }

 private:
  bool find_scores(Value* scores) {
    scale_ = 1;
    mask_ = nullptr;
    if (find_product(scores)) return true;
    while (const Node* cast = float_cast(scores)) scores = cast->input(0);
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
    query_ = unscaled(product->input(0), scale_, dtype_);
    key_turned_ = unscaled(product->input(1), scale_, dtype_);
    return true;
  }

  Value* key(Rewriter& rw, const Node& node) const {
    const Node* turned = key_turned_->producer();
    if (is_transpose(turned, {0, 1, 3, 2})) return turned->input(0);
    if (is_transpose(turned, {0, 2, 3, 1}))
      return rw.insert(node, Transpose{{0, 2, 1, 3}}, {turned->input(0)});
    return rw.insert(node, Transpose{{0, 1, 3, 2}}, {key_turned_});
  }

  // Everything has heads, none is broadcast, and the mask is as long as there are keys.
  bool fits(const Value& scores, const Node& node) const {
    for (const Value* value : {query_, key_turned_, value_})
      if (!is_heads(*value) || value->type.dtype != dtype_) return false;
    const Shape &q = query_->type.shape, &k = key_turned_->type.shape, &v = value_->type.shape;
    const Shape& s = scores.type.shape;
    const Shape out{q[0], q[1], q[2], v[3]};
    if (!(s == Shape{q[0], q[1], q[2], k[3]}) || !(node.output()->type.shape == out)) return false;
    if (!(k[0] == q[0] && v[0] == q[0] && k[1] == q[1] && v[1] == q[1] && v[2] == k[3]))
      return false;
    if (!mask_) return true;
    const Type& mask = mask_->type;
    if (!mask.ranked || mask.shape.empty() || mask.rank() > 4) return false;
    for (size_t i = 0; i < mask.shape.size(); ++i) {
      const Dim& full = s[i + 4 - mask.shape.size()];
      if (!(mask.shape[i] == full) && !(mask.shape[i] == Dim(1))) return false;
    }
    return true;
  }

  double scale_ = 1;
  DType dtype_ = DType::undefined;
  Value *query_ = nullptr, *key_turned_ = nullptr, *value_ = nullptr, *mask_ = nullptr;
};

class Joiner {
 public:
  Joiner(Graph& graph, const Kernel& kernel, const DeviceInfo& device)
      : rw_(graph), kernel_(kernel), device_(device) {}

  bool run() {
    bool any = false;
    for (Node* node = rw_.graph().front(); node;) {
      Node* const next = node->next();
      for (size_t i = 0; i < node->body_count(); ++i)
        any |= Joiner(node->body(i), kernel_, device_).run();
      any |= node->as<MatMul>() ? join(*node) : node->as<Attention>() && pack(*node);
      node = next;
    }
    rw_.graph().remove_dead();
    return any;
  }

 private:
  bool join(const Node& node) {
    Match match;
    if (!match.find(node)) return false;
    Node* made = match.attention(rw_, node, kernel_, device_);
    if (!made) return false;
    rw_.replace(node, {made->output()});
    pack(*made);
    return true;
  }

  // Heads stay where the linear layers write them.
  bool pack(const Node& node) {
    Attention op = *node.as<Attention>();
    if (op.outputs != 1 || node.input(0)->type.rank() != 4) return false;
    Values inputs = node.inputs();
    for (size_t i = 0; i < 3; ++i)
      if (!is_heads(*inputs[i]) || !tokens_of(*inputs[i])) return false;
    op.q_num_heads = inputs[0]->type.shape[1].value();
    op.kv_num_heads = inputs[1]->type.shape[1].value();
    const int64_t size = inputs[2]->type.shape[3].value();
    for (size_t i = 0; i < 3; ++i) inputs[i] = packed(rw_, node, *inputs[i]);
    Node* made = rw_.insert_node(node, op, std::move(inputs));
    if (!kernel_.check(*made, device_).empty()) {
      rw_.graph().erase(made);
      return false;
    }
    Value* heads = reshaped(rw_, node, made->output(), {0, 0, op.q_num_heads, size});
    rw_.replace(node, {rw_.insert(node, Transpose{{0, 2, 1, 3}}, {heads})});
    return true;
  }

  Rewriter rw_;
  const Kernel& kernel_;
  const DeviceInfo& device_;
};

}  // namespace

void join_attention(Graph& graph, const Kernel& kernel, const DeviceInfo& device) {
  if (Joiner(graph, kernel, device).run()) simplify(graph);
}

}  // namespace tenrec
