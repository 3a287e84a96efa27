// SPDX-License-Identifier: Apache-2.0
// Dropout at inference gives its input back, and a mask that keeps everything.
#pragma once
#include <algorithm>

#include "ops/elementwise.h"
#include "ops/onnx_context.h"

namespace tenrec {

inline Values dropout(const OnnxNode& node, OnnxContext& context) {
  Value* x = context.input(0);
  TENREC_CHECK(x != nullptr, invalid_model, "the input is missing");
  if (Value* mode = context.input(2)) {
    const Tensor* training = context.constant_of(mode);
    const Tensor* ratio = context.input(1) ? context.constant_of(context.input(1)) : nullptr;
    const bool off = training && training->to_ints().at(0) == 0;
    const bool harmless = ratio && ratio->to_doubles().at(0) == 0;
    TENREC_CHECK(off || harmless, unsupported,
                 "training_mode is not known to be false; export the model for inference");
  }
  if (!node.has_output(1)) return {x};
  // Before opset 10 the mask had the data's type.
  Value* as_is = context.one(Equal{}, {x, x});
  Value* keep = context.one(Or{}, {as_is, context.one(Not{}, {as_is})});
  if (node.opset() < 10) keep = context.one(Cast{.to = x->type.dtype}, {keep});
  return {x, keep};
}
TENREC_ONNX("Dropout", dropout)

}  // namespace tenrec
