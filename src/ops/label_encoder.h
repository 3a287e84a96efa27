// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// values[i] for each element that is keys[i] (the last such i), else `fallback`.
struct LabelEncoder {
  Tensor keys;
  Tensor values;
  Tensor fallback;  // one element of the values' type
  static auto fields(auto& s) {
    return std::tuple{field(1, "keys", s.keys), field(2, "values", s.values),
                      field(3, "fallback", s.fallback)};
  }
  static constexpr std::string_view onnx_name = "ai.onnx.ml::LabelEncoder";
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(LabelEncoder, "label_encoder")

}  // namespace tenrec
