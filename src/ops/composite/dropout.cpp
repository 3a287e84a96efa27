// SPDX-License-Identifier: Apache-2.0
#include "ops/composite/dropout.h"

#include "ops/composite/helpers.h"
#include "ops/elementwise.h"
#include "ops/movement.h"
#include "ops/random.h"
#include "ops/shape.h"

namespace tenrec {
namespace {

bool is_constant(OnnxContext& context, Value* value, double wanted) {
  const Tensor* tensor = value ? context.constant_of(value) : nullptr;
  return tensor && tensor->elements() == 1 && tensor->to_doubles()[0] == wanted;
}

Values at_inference(const OnnxNode& node, OnnxContext& context, Value* x) {
  if (!node.has_output(1)) return {x};
  // Before opset 10 the mask had the data's type.
  Value* as_is = context.one(Equal{}, {x, x});
  Value* keep = context.one(Or{}, {as_is, context.one(Not{}, {as_is})});
  if (node.opset() < 10) keep = context.one(Cast{.to = x->type.dtype}, {keep});
  return {x, keep};
}

Values in_training(const OnnxNode& node, OnnxContext& context, Value* x, Value* training) {
  const DType dtype = x->type.dtype;
  Value* ratio = context.input(1) ? context.one(Cast{.to = DType::f32}, {context.input(1)})
                                  : number(context, 0.5, DType::f32);
  RandomUniform draw;
  draw.seed =
      node.has("seed") ? std::optional(static_cast<float>(node.integer("seed"))) : std::nullopt;
  Value* drawn = context.one(draw, {context.one(ShapeOf{}, {x})});
  Value* keep = context.one(GreaterOrEqual{}, {drawn, ratio});
  Value* one = number(context, 1, DType::f32);
  Value* scale = context.one(Div{}, {one, context.one(Sub{}, {one, ratio})});
  if (!is_constant(context, training, 1)) {
    keep = context.one(Or{}, {keep, context.one(Not{}, {training})});
    scale = context.one(Where{}, {training, scale, one});
  }
  if (dtype != DType::f32) scale = context.one(Cast{.to = dtype}, {scale});
  Value* scaled = context.one(Mul{}, {x, scale});
  return {context.one(Where{}, {keep, scaled, number(context, 0, dtype)}), keep};
}

}  // namespace

Values dropout(const OnnxNode& node, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  Value* training = context.input(2);
  if (context.input(1)) check_single(context.input(1)->type, "the ratio");
  if (training) check_single(training->type, "the training mode");
  // Read for their types alone; nothing is dropped at inference.
  if (node.opset() < 12) node.number("ratio", 0);
  else node.integer("seed", 0);
  if (node.opset() < 7) node.integer("is_test", 0);
  const bool is_inference =
      !training || is_constant(context, training, 0) || is_constant(context, context.input(1), 0);
  return is_inference ? at_inference(node, context, x) : in_training(node, context, x, training);
}

}  // namespace tenrec
