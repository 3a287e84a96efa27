// SPDX-License-Identifier: Apache-2.0
#include "ops/contrib/layer_norms.h"

#include "ops/composite/helpers.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/normalization.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace tenrec {
namespace {

constexpr float default_epsilon = 1e-12F;

Value* normalised(const OnnxNode& node, OnnxContext& context, Value* x, Value* scale, Value* bias) {
  LayerNormalization op;
  op.epsilon = node.number("epsilon", default_epsilon);
  Values operands{x, scale};
  if (bias) operands.push_back(bias);
  return context.one(op, operands);
}

Value* rms_normalised(OnnxContext& context, Value* x, Value* scale, float epsilon, int64_t axis) {
  RMSNormalization op;
  op.axis = axis;
  op.epsilon = epsilon;
  return context.one(op, {x, scale});
}

// Input, residual and bias (input `bias`) together.
Value* residual_sum(OnnxContext& context, size_t bias) {
  Value* sum = context.one(
      Add{}, {needed_input(context, 0, "the input"), needed_input(context, 1, "the residual")});
  return context.input(bias) ? context.one(Add{}, {sum, context.input(bias)}) : sum;
}

void refuse_statistics(const OnnxNode& node) {
  TENREC_CHECK(!node.has_output(1) && !node.has_output(2), unsupported,
               "the outputs mean and inv_std_var are for training only");
}

}  // namespace

Values simplified_layer_norm(const OnnxNode& node, OnnxContext& context) {
  refuse_statistics(node);
  return {rms_normalised(context, needed_input(context, 0, "the input"),
                         needed_input(context, 1, "the scale"), node.number("epsilon", 1e-5F),
                         node.integer("axis", -1))};
}

Values skip_layer_norm(const OnnxNode& node, OnnxContext& context) {
  refuse_statistics(node);
  Value* sum = residual_sum(context, 4);
  Value* scale = needed_input(context, 2, "gamma");
  return {normalised(node, context, sum, scale, context.input(3)), nullptr, nullptr, sum};
}

Values skip_simplified_layer_norm(const OnnxNode& node, OnnxContext& context) {
  refuse_statistics(node);
  Value* sum = residual_sum(context, 3);
  Value* scale = needed_input(context, 2, "gamma");
  return {rms_normalised(context, sum, scale, node.number("epsilon", default_epsilon), -1), nullptr,
          nullptr, sum};
}

// Inputs: token ids, segment ids, three tables, gamma, beta, mask, position ids.
Values embed_layer_norm(const OnnxNode& node, OnnxContext& context) {
  Value* ids = needed_input(context, 0, "the token ids");
  Value* positions = needed_input(context, 3, "the position table");
  Value* sum = context.one(Gather{0}, {needed_input(context, 2, "the token table"), ids});
  if (Value* position_ids = context.input(8)) {
    positions = context.one(Gather{0}, {positions, position_ids});
  } else {
    ShapeOf length;
    length.start = 1;
    length.end = 2;
    Value* zero = index_vector(context, {0});
    positions = context.one(Slice{}, {positions, zero, context.one(length, {ids}), zero});
  }
  sum = context.one(Add{}, {sum, positions});
  if (Value* segments = context.input(1)) {
    Value* table = needed_input(context, 4, "the segment table");
    sum = context.one(Add{}, {sum, context.one(Gather{0}, {table, segments})});
  }
  Value* y = normalised(node, context, sum, needed_input(context, 5, "gamma"), context.input(6));
  Value* mask = context.input(7);
  Value* counted = mask ? context.one(Cast{.to = DType::i32}, {mask})
                        : context.one(Mul{}, {context.one(Cast{.to = DType::i32}, {ids}),
                                              number(context, 0, DType::i32)});
  Value* lengths = add_reduce(context, ReduceKind::sum, counted, {1}, false);
  return {y, lengths, sum};
}

}  // namespace tenrec
