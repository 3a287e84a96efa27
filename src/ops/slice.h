// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Inputs: data, starts, ends, axes (optional), steps (optional); numpy's start:end:step an axis.
struct Slice {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = input_bit(0);
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Slice, "slice")

// The part of one axis that a slice takes, from sizes and bounds that may be symbolic. An empty
// result where the sign of a bound is not known.
struct SliceRange {
  Dim first;
  Dim count;
};
std::optional<SliceRange> slice_range(const Dim& size, const Dim& start, const Dim& end,
                                      int64_t step);

}  // namespace tenrec
