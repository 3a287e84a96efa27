// SPDX-License-Identifier: Apache-2.0
#include "ops/contrib/attention.h"

#include "ops/attention.h"
#include "ops/composite/helpers.h"
#include "ops/composite/rotary_embedding.h"
#include "ops/concat.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/range.h"
#include "ops/reshape.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/squeeze.h"
#include "ops/transpose.h"

namespace tenrec {
namespace {

Value* part(OnnxContext& context, Value* x, int64_t axis, int64_t first, int64_t last) {
  return context.one(Slice{}, {x, index_vector(context, {first}), index_vector(context, {last}),
                               index_vector(context, {axis})});
}

Value* unsqueezed(OnnxContext& context, Value* x, std::vector<int64_t> axes) {
  return context.one(Unsqueeze{}, {x, index_vector(context, axes)});
}

int64_t last_size(const Value* x, std::string_view what) {
  TENREC_CHECK(x->type.ranked && x->type.rank() > 0 && x->type.shape.back().is_const(), unsupported,
               "{} is {}; its last size must be known", what, x->type.str());
  return x->type.shape.back().value();
}

// What a mask of ones and zeros adds to scores, and how long each sample's keys are.
struct Mask {
  Value* added = nullptr;
  Value* lengths = nullptr;
};

// `mask`: [N] lengths, [N, T], [N, S, T] or [N, 1, S, T] with zeros where nothing is to be seen.
Mask read_mask(const OnnxNode& node, OnnxContext& context, Value* mask, Value* bias, DType dtype) {
  if (!mask) return {bias, nullptr};
  const int64_t rank = mask->type.rank();
  if (rank == 1) return {bias, context.one(Cast{.to = DType::i64}, {mask})};
  if (rank == 2) mask = unsqueezed(context, mask, {1, 2});
  if (rank == 3) mask = unsqueezed(context, mask, {1});
  const double hidden = static_cast<double>(node.number("mask_filter_value", -10000));
  Value* seen = context.one(Greater{}, {mask, number(context, 0, mask->type.dtype)});
  Value* added =
      context.one(Where{}, {seen, number(context, 0, dtype), number(context, hidden, dtype)});
  return {bias ? context.one(Add{}, {added, bias}) : added, nullptr};
}

// The parts of an attention, which is then added.
struct Parts {
  Value *query, *key, *value;
  Mask mask;
  Value *past_key = nullptr, *past_value = nullptr;
};

Values attend(const OnnxNode& node, OnnxContext& context, const Parts& parts, bool present) {
  Attention op;
  op.is_causal = node.integer("unidirectional", 0) != 0;
  op.q_num_heads = op.kv_num_heads = node.integer("num_heads");
  if (const float scale = node.number("scale", 0); scale != 0) op.scale = scale;
  op.outputs = present ? 3 : 1;
  Values operands{parts.query,    parts.key,        parts.value,       parts.mask.added,
                  parts.past_key, parts.past_value, parts.mask.lengths};
  while (!operands.back()) operands.pop_back();
  return context.add(op, operands);
}

// [N, heads, T, size] as [N, T, heads * size].
Value* packed_heads(OnnxContext& context, Value* x) {
  if (x->type.rank() == 3) return x;
  Value* apart = context.one(Transpose{.perm = {0, 2, 1, 3}}, {x});
  const int64_t size = last_size(x, "the key or value");
  TENREC_CHECK(x->type.shape[1].is_const(), unsupported, "{} has an unknown number of heads",
               x->type.str());
  return context.one(Reshape{},
                     {apart, index_vector(context, {0, -1, x->type.shape[1].value() * size})});
}

}  // namespace

// Inputs: x, weights for q, k and v side by side, bias, mask, past [2, N, heads, P, size], bias of
// the scores.
Values ms_attention(const OnnxNode& node, OnnxContext& context) {
  TENREC_CHECK(node.integer("do_rotary", 0) == 0, unsupported, "Attention with do_rotary");
  Value* weights = needed_input(context, 1, "the weights");
  Value* all = context.one(MatMul{}, {needed_input(context, 0, "the input"), weights});
  if (Value* bias = context.input(2)) all = context.one(Add{}, {all, bias});
  const int64_t width = last_size(weights, "the weights");
  std::vector<int64_t> sizes = node.integers("qkv_hidden_sizes");
  if (sizes.empty()) sizes.assign(3, width / 3);
  TENREC_CHECK(sizes.size() == 3 && sizes[0] + sizes[1] + sizes[2] == width, invalid_model,
               "qkv_hidden_sizes [{}] do not fit weights of width {}", fmt::join(sizes, ", "),
               width);
  Parts parts{};
  parts.query = part(context, all, -1, 0, sizes[0]);
  parts.key = part(context, all, -1, sizes[0], sizes[0] + sizes[1]);
  parts.value = part(context, all, -1, sizes[0] + sizes[1], width);
  parts.mask =
      read_mask(node, context, context.input(3), context.input(5), parts.query->type.dtype);
  if (Value* past = context.input(4)) {
    Value* axis = index_vector(context, {0});
    parts.past_key = context.one(Squeeze{}, {part(context, past, 0, 0, 1), axis});
    parts.past_value = context.one(Squeeze{}, {part(context, past, 0, 1, 2), axis});
  }
  const Values out = attend(node, context, parts, node.has_output(1));
  if (!node.has_output(1)) return out;
  return {out[0], context.one(Concat{0}, {unsqueezed(context, out[1], {0}),
                                          unsqueezed(context, out[2], {0})})};
}

// Inputs: query, key, value, bias of all three side by side, mask of the keys, bias of the scores,
// past key, past value.
Values multi_head_attention(const OnnxNode& node, OnnxContext& context) {
  Parts parts{};
  parts.query = needed_input(context, 0, "the query");
  TENREC_CHECK(context.input(1) && context.input(2), unsupported,
               "MultiHeadAttention with packed keys or values; give query, key and value");
  parts.key = packed_heads(context, context.input(1));
  parts.value = packed_heads(context, context.input(2));
  if (Value* bias = context.input(3)) {
    const int64_t q = last_size(parts.query, "the query"), k = last_size(parts.key, "the key");
    const int64_t v = last_size(parts.value, "the value");
    const auto add_part = [&](Value* x, int64_t first, int64_t size) {
      return context.one(Add{}, {x, part(context, bias, 0, first, first + size)});
    };
    parts.query = add_part(parts.query, 0, q);
    parts.key = add_part(parts.key, q, k);
    parts.value = add_part(parts.value, q + k, v);
  }
  parts.mask =
      read_mask(node, context, context.input(4), context.input(5), parts.query->type.dtype);
  parts.past_key = context.input(6);
  parts.past_value = context.input(7);
  return attend(node, context, parts, node.has_output(1) || node.has_output(2));
}

// Inputs: x, positions ([N, T], or [1]: the first), cosines, sines.
Values ms_rotary_embedding(const OnnxNode& node, OnnxContext& context) {
  TENREC_CHECK(node.integer("is_packed_batching", 0) == 0, unsupported,
               "RotaryEmbedding of a packed batch");
  Value* x = needed_input(context, 0, "the input");
  Value* positions = needed_input(context, 1, "the positions");
  Value* cosines = needed_input(context, 2, "the cosines");
  const bool flat = x->type.rank() == 3;
  if (positions->type.rank() == 1) {
    // Step t of every sample is at the given position + t.
    const auto length = [&](int64_t axis) {
      ShapeOf size;
      size.start = axis;
      size.end = axis + 1;
      return context.one(size, {x});
    };
    Value* none = index_vector(context, {0});
    Value* steps = context.one(Range{}, {number(context, 0, DType::i64),
                                         context.one(Squeeze{}, {length(flat ? 1 : 2), none}),
                                         number(context, 1, DType::i64)});
    positions = unsqueezed(context, context.one(Add{}, {steps, positions}), {0});
  }
  RotaryOptions options;
  options.interleaved = node.integer("interleaved", 0) != 0;
  options.turned = node.integer("rotary_embedding_dim", 0);
  options.heads = node.integer("num_heads", 0);
  if (options.heads == 0 && flat) {
    const int64_t width =
        options.turned > 0 ? options.turned : 2 * last_size(cosines, "the cosines");
    options.heads = last_size(x, "the input") / width;
  }
  return {rotary(context, x, cosines, needed_input(context, 3, "the sines"), positions, options)};
}

}  // namespace tenrec
