// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Undoes MaxPool: each element of x [N, C, spatial...] at the place in the flattened whole that
// input 1 names, zeros elsewhere. Places count in a tensor of the smallest size that the window
// gives; input 2, the wanted shape, may be larger.
struct MaxUnpool {
  std::vector<int64_t> kernel_shape = {};
  std::vector<int64_t> pads = {};
  std::vector<int64_t> strides = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "kernel_shape", s.kernel_shape), field(2, "pads", s.pads),
                      field(3, "strides", s.strides)};
  }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  Shape smallest(const Type& x) const;
};
TENREC_OP(MaxUnpool, "max_unpool")

}  // namespace tenrec
