// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Cuts the input along `axis` into `num_outputs` pieces: of the sizes that the optional input 1
// lists, else of equal size (with `even`, as before opset 18: exactly; else the last may be
// smaller).
struct Split {
  int64_t axis = 0;
  int64_t num_outputs = 1;
  bool even = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "axis", s.axis), field(2, "num_outputs", s.num_outputs),
                      field(3, "even", s.even)};
  }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = input_bit(0);
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);

 private:
  std::vector<Dim> equal_sizes(const Dim& size) const;
};
TENREC_OP(Split, "split")

}  // namespace tenrec
