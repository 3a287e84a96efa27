// SPDX-License-Identifier: Apache-2.0
// The casts that no scalar expression can say: to and from strings, to fp8 without saturation, to
// f8e8m0 with another rounding than upwards. Cast and CastLike choose between this and `cast`.
#pragma once
#include <string>

#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

struct Convert {
  DType to = DType::f32;
  bool saturate = true;
  std::string round_mode = "up";  // of f8e8m0: up, down, nearest
  static auto fields(auto& s) {
    return std::tuple{field(1, "to", s.to), field(2, "saturate", s.saturate),
                      field(3, "round_mode", s.round_mode)};
  }
  static constexpr std::string_view onnx_name = "";
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(Convert, "convert")

// `x` as `to`, by the node's attributes saturate and round_mode.
Values add_cast(const OnnxNode& node, OnnxContext& context, Value* x, DType to);

}  // namespace tenrec
