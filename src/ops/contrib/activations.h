// SPDX-License-Identifier: Apache-2.0
// com.microsoft's activations with a bias built in.
#pragma once
#include "ops/composite/helpers.h"
#include "ops/elementwise.h"

namespace tenrec {

inline Value* biased(OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  Value* bias = context.input(1);
  return bias ? context.one(Add{}, {x, bias}) : x;
}

inline Values erf_gelu(const OnnxNode&, OnnxContext& context) {
  return context.add(Gelu{}, {biased(context)});
}
TENREC_ONNX("com.microsoft::Gelu", erf_gelu)
TENREC_ONNX("com.microsoft::BiasGelu", erf_gelu)

inline Values tanh_gelu(const OnnxNode&, OnnxContext& context) {
  return context.add(Gelu{"tanh"}, {biased(context)});
}
TENREC_ONNX("com.microsoft::FastGelu", tanh_gelu)

inline Values quick_gelu(const OnnxNode& node, OnnxContext& context) {
  Swish op;
  op.alpha = node.number("alpha", 1.702F);
  return context.add(op, {needed_input(context, 0, "the input")});
}
TENREC_ONNX("com.microsoft::QuickGelu", quick_gelu)

}  // namespace tenrec
