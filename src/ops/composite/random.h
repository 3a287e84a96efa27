// SPDX-License-Identifier: Apache-2.0
// Random tensors of another tensor's shape.
#pragma once
#include "ops/composite/helpers.h"
#include "ops/elementwise.h"
#include "ops/random.h"
#include "ops/shape.h"

namespace tenrec {

inline DType dtype_or_own(const OnnxNode& node, const Value* like) {
  return node.dtype("dtype", like->type.dtype);
}

inline Values random_uniform_like(const OnnxNode& node, OnnxContext& context) {
  Value* like = needed_input(context, 0, "the input");
  RandomUniform op;
  op.dtype = dtype_or_own(node, like);
  op.low = node.number("low", 0);
  op.high = node.number("high", 1);
  op.seed = random_seed(node);
  return context.add(op, {context.one(ShapeOf{}, {like})});
}
TENREC_ONNX("RandomUniformLike", random_uniform_like)

inline Values random_normal_like(const OnnxNode& node, OnnxContext& context) {
  Value* like = needed_input(context, 0, "the input");
  RandomNormal op;
  op.dtype = dtype_or_own(node, like);
  op.mean = node.number("mean", 0);
  op.scale = node.number("scale", 1);
  op.seed = random_seed(node);
  return context.add(op, {context.one(ShapeOf{}, {like})});
}
TENREC_ONNX("RandomNormalLike", random_normal_like)

// 1 with the probability that the input states, else 0.
inline Values bernoulli(const OnnxNode& node, OnnxContext& context) {
  Value* probability = needed_input(context, 0, "the probability");
  RandomUniform op;
  op.dtype = probability->type.dtype;
  op.seed = random_seed(node);
  Value* drawn = context.one(op, {context.one(ShapeOf{}, {probability})});
  Value* hit = context.one(Less{}, {drawn, probability});
  return context.add(Cast{.to = dtype_or_own(node, probability)}, {hit});
}
TENREC_ONNX("Bernoulli", bernoulli)

}  // namespace tenrec
