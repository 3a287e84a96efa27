// SPDX-License-Identifier: Apache-2.0
// CausalConvWithState: a depthwise convolution over the past steps (the state, or zeros) and the
// new ones; the last kernel - 1 steps are the next state.
#pragma once
#include <limits>

#include "ops/composite/helpers.h"
#include "ops/concat.h"
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/movement.h"
#include "ops/pad.h"
#include "ops/slice.h"

namespace tenrec {

inline Values causal_conv_with_state(const OnnxNode& node, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  Value* weight = needed_input(context, 1, "the weight");
  const Type& type = weight->type;
  TENREC_CHECK(
      type.ranked && type.rank() == 3 && type.shape[0].is_const() && type.shape[2].is_const(),
      unsupported, "the weight is {}; its channels and kernel size must be known", type.str());
  const int64_t past_steps = type.shape[2].value() - 1;
  Value* past = context.input(3);
  if (past && past->type.ranked) {
    TENREC_CHECK(past->type.rank() == 3, invalid_model, "the past state is {}, expected 3 axes",
                 past->type.str());
    agreed(past->type.shape[2], past_steps, "the past state and kernel size - 1");
  }
  Value* pads = index_vector(context, {0, 0, past_steps, 0, 0, 0});
  Value* steps = past ? context.one(Concat{2}, {past, x}) : context.one(Pad{}, {x, pads});
  Conv conv;
  conv.group = type.shape[0].value();
  conv.strides = conv.dilations = {1};
  conv.pads = {0, 0};
  Values operands{steps, weight};
  if (Value* bias = context.input(2)) operands.push_back(bias);
  Value* y = context.one(conv, operands);
  const std::string activation = node.text("activation", "none");
  TENREC_CHECK(activation == "none" || activation == "silu" || activation == "swish", invalid_model,
               "activation is \"{}\", expected none, silu or swish", activation);
  if (activation != "none") y = context.one(Swish{}, {y});
  // Counted from the end, an empty state would be everything.
  Value* first =
      index_vector(context, {past_steps > 0 ? -past_steps : std::numeric_limits<int64_t>::max()});
  Value* end = index_vector(context, {std::numeric_limits<int64_t>::max()});
  return {y, context.one(Slice{}, {steps, first, end, index_vector(context, {2})})};
}
TENREC_ONNX("CausalConvWithState", causal_conv_with_state)

}  // namespace tenrec
