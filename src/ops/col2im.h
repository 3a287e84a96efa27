// SPDX-License-Identifier: Apache-2.0
// Columns [N, C * block elements, positions] added back into an image [N, C, spatial...].
// Inputs: columns, image shape, block shape.
#pragma once
#include "ir/op_decl.h"
#include "ops/window.h"

namespace tenrec {

struct Col2Im {
  std::vector<int64_t> dilations = {};
  std::vector<int64_t> pads = {};
  std::vector<int64_t> strides = {};
  static auto fields(auto& s) {
    return std::tuple{field(1, "dilations", s.dilations), field(2, "pads", s.pads),
                      field(3, "strides", s.strides)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(Col2Im, "col2im")

// Determinants of the matrices in the last two axes.
struct Det {
  static auto fields(auto&) { return std::tuple{}; }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(Det, "det")

}  // namespace tenrec
