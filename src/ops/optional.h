// SPDX-License-Identifier: Apache-2.0
// Optionals: a value that may be missing at run time.
#pragma once
#include <optional>

#include "ir/op_decl.h"

namespace tenrec {

// An optional of the input; without one, an empty optional of a tensor, or of a sequence of
// tensors, of `dtype`.
struct MakeOptional {
  DType dtype = DType::f32;
  bool of_sequence = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "dtype", s.dtype), field(2, "of_sequence", s.of_sequence)};
  }
  static constexpr std::string_view onnx_name = "Optional";
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(MakeOptional, "optional")

// What the optional holds (an Error if nothing); any other value is itself.
struct OptionalGetElement {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
};
TENREC_OP(OptionalGetElement, "optional_get_element")

// Whether there is a value: false for an empty optional and for no input at all.
struct OptionalHasElement {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Data eval_data(const Data& in) const;
};
TENREC_OP(OptionalHasElement, "optional_has_element")

}  // namespace tenrec
