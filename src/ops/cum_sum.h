// SPDX-License-Identifier: Apache-2.0
// Running sums and products along the axis that input 1 names.
#pragma once
#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

struct Cumulative {
  bool exclusive = false;  // the element itself is left out
  bool reverse = false;    // from the end
  Types infer(const Types& in) const;
  Tensors sums(const Tensors& in) const;
  Tensors products(const Tensors& in) const;
};

struct CumSum {
  bool exclusive = false;
  bool reverse = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "exclusive", s.exclusive), field(2, "reverse", s.reverse)};
  }
  Types infer(const Types& in) const { return Cumulative{}.infer(in); }
  Tensors eval(const Tensors& in) const { return Cumulative{exclusive, reverse}.sums(in); }
};
TENREC_OP(CumSum, "cum_sum")

struct CumProd {
  bool exclusive = false;
  bool reverse = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "exclusive", s.exclusive), field(2, "reverse", s.reverse)};
  }
  Types infer(const Types& in) const { return Cumulative{}.infer(in); }
  Tensors eval(const Tensors& in) const { return Cumulative{exclusive, reverse}.products(in); }
};
TENREC_OP(CumProd, "cum_prod")

}  // namespace tenrec
