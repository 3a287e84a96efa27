// SPDX-License-Identifier: Apache-2.0
#include "ops/composite/flex_attention.h"

#include <cmath>

#include "ops/composite/helpers.h"
#include "ops/elementwise.h"
#include "ops/expand.h"
#include "ops/matmul.h"
#include "ops/reshape.h"
#include "ops/softmax.h"
#include "ops/squeeze.h"
#include "ops/transpose.h"

namespace tenrec {
namespace {

int64_t known_size(const Value* value, size_t axis, std::string_view what) {
  const Type& type = value->type;
  TENREC_CHECK(!type.ranked || type.rank() == 4, invalid_model,
               "{} is {}, expected [batch, heads, length, size]", what, type.str());
  TENREC_CHECK(type.ranked && type.shape[axis].is_const(), unsupported,
               "{} is {}; its heads and head size must be known", what, type.str());
  return type.shape[axis].value();
}

// Each key head once for every query head that uses it.
Value* repeated(OnnxContext& context, Value* x, int64_t times) {
  if (times == 1) return x;
  Value* apart = context.one(Unsqueeze{}, {x, index_vector(context, {2})});
  Value* copies = context.one(Expand{}, {apart, index_vector(context, {1, 1, times, 1, 1})});
  const int64_t heads = known_size(x, 1, "the key or value");
  const int64_t size = known_size(x, 3, "the key or value");
  return context.one(Reshape{}, {copies, index_vector(context, {0, heads * times, -1, size})});
}

Value* modified(const OnnxNode& node, OnnxContext& context, const std::string& graph, Value* x) {
  if (!node.has(graph)) return x;
  const Values out = context.inlined(graph, {x});
  TENREC_CHECK(out.size() == 1, invalid_model, "graph '{}' has {} outputs, expected one", graph,
               out.size());
  return out[0];
}

}  // namespace

Values flex_attention(const OnnxNode& node, OnnxContext& context) {
  Value* query = needed_input(context, 0, "the query");
  Value* key = needed_input(context, 1, "the key");
  Value* value = needed_input(context, 2, "the value");
  const int64_t heads = known_size(query, 1, "the query");
  const int64_t kv_heads = known_size(key, 1, "the key");
  const int64_t size = known_size(query, 3, "the query");
  TENREC_CHECK(kv_heads > 0 && heads % kv_heads == 0, invalid_model,
               "{} query heads cannot share {} key heads", heads, kv_heads);
  const float scale = node.number("scale", 1 / std::sqrt(static_cast<float>(size)));
  const DType dtype = query->type.dtype;
  Value* root = number(context, std::sqrt(static_cast<double>(scale)), dtype);
  Value* scaled_query = context.one(Mul{}, {query, root});
  Value* scaled_key = context.one(Mul{}, {repeated(context, key, heads / kv_heads), root});
  Value* columns = context.one(Transpose{.perm = {0, 1, 3, 2}}, {scaled_key});
  Value* scores = context.one(MatMul{}, {scaled_query, columns});

  const DType inside =
      node.dtype("softmax_precision", dtype == DType::f64 ? DType::f64 : DType::f32);
  if (inside != dtype) scores = context.one(Cast{.to = inside}, {scores});
  scores = modified(node, context, "score_mod", scores);
  Value* weights = modified(node, context, "prob_mod", context.one(Softmax{-1}, {scores}));
  if (inside != dtype) weights = context.one(Cast{.to = dtype}, {weights});
  return context.add(MatMul{}, {weights, repeated(context, value, heads / kv_heads)});
}

}  // namespace tenrec
