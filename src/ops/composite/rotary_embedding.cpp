// SPDX-License-Identifier: Apache-2.0
#include "ops/composite/rotary_embedding.h"

#include <limits>

#include "ops/concat.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/onnx_context.h"
#include "ops/reshape.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/squeeze.h"

namespace tenrec {
namespace {

Value* vector(OnnxContext& context, const std::vector<int64_t>& values) {
  return context.constant(Tensor::of({static_cast<int64_t>(values.size())}, values));
}

// x[..., first:last:step].
Value* part(OnnxContext& context, Value* x, int64_t first, int64_t last, int64_t step = 1) {
  return context.one(Slice{}, {x, vector(context, {first}), vector(context, {last}),
                               vector(context, {-1}), vector(context, {step})});
}

// The angles of each step, with an axis of size 1 where the heads are.
Value* angles(OnnxContext& context, Value* cache, Value* positions, int64_t heads_axis) {
  Value* chosen = positions ? context.one(Gather{0}, {cache, positions}) : cache;
  return context.one(Unsqueeze{}, {chosen, vector(context, {heads_axis})});
}

Value* rotated(OnnxContext& context, Value* first, Value* second, Value* cosines, Value* sines,
               bool real) {
  Value* a = context.one(Mul{}, {real ? cosines : sines, first});
  Value* b = context.one(Mul{}, {real ? sines : cosines, second});
  return real ? context.one(Sub{}, {a, b}) : context.one(Add{}, {a, b});
}

}  // namespace

Value* rotary(OnnxContext& context, Value* input, Value* cosines, Value* sines, Value* positions,
              const RotaryOptions& options) {
  const bool flat = input->type.rank() == 3;
  Value* x = input;
  if (flat) {
    TENREC_CHECK(options.heads > 0, invalid_model,
                 "RotaryEmbedding of a 3-D input needs num_heads");
    x = context.one(Reshape{}, {input, vector(context, {0, 0, options.heads, -1})});
  }
  TENREC_CHECK(x->type.rank() == 4, invalid_model, "RotaryEmbedding of {}; it needs 3 or 4 axes",
               input->type.str());
  const std::optional<int64_t> features = x->type.shape[3].constant();
  TENREC_CHECK(features, unsupported, "RotaryEmbedding of heads of unknown size ({})",
               input->type.str());
  const int64_t turned = options.turned > 0 ? options.turned : *features;
  TENREC_CHECK(turned <= *features && turned % 2 == 0, invalid_model,
               "RotaryEmbedding of {} of {} features", turned, *features);
  constexpr int64_t end = std::numeric_limits<int64_t>::max();

  cosines = angles(context, part(context, cosines, 0, turned / 2), positions, flat ? 2 : 1);
  sines = angles(context, part(context, sines, 0, turned / 2), positions, flat ? 2 : 1);
  Value* head = turned < *features ? part(context, x, 0, turned) : x;
  Value* first =
      options.interleaved ? part(context, head, 0, end, 2) : part(context, head, 0, turned / 2);
  Value* second =
      options.interleaved ? part(context, head, 1, end, 2) : part(context, head, turned / 2, end);
  Value* real = rotated(context, first, second, cosines, sines, true);
  Value* imaginary = rotated(context, first, second, cosines, sines, false);
  Value* result = nullptr;
  if (options.interleaved) {
    Value* axis = vector(context, {-1});
    Value* pairs = context.one(Concat{-1}, {context.one(Unsqueeze{}, {real, axis}),
                                            context.one(Unsqueeze{}, {imaginary, axis})});
    result = context.one(Reshape{}, {pairs, vector(context, {0, 0, 0, turned})});
  } else {
    result = context.one(Concat{-1}, {real, imaginary});
  }
  if (turned < *features) result = context.one(Concat{-1}, {result, part(context, x, turned, end)});
  if (flat) result = context.one(Reshape{}, {result, context.one(ShapeOf{}, {input})});
  return result;
}

Values rotary_embedding(const OnnxNode& node, OnnxContext& context) {
  Value* input = context.input(0);
  Value* cosines = context.input(1);
  Value* sines = context.input(2);
  TENREC_CHECK(input && cosines && sines, invalid_model,
               "RotaryEmbedding needs X, cosines and sines");
  RotaryOptions options;
  options.interleaved = node.integer("interleaved", 0) != 0;
  options.turned = node.integer("rotary_embedding_dim", 0);
  options.heads = node.integer("num_heads", 0);
  return {rotary(context, input, cosines, sines, context.input(3), options)};
}

}  // namespace tenrec
