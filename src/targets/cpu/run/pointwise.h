// SPDX-License-Identifier: Apache-2.0
// The family "pointwise": one tile program over broadcast inputs.
#pragma once
#include <tuple>

#include "ir/expr.h"

namespace tenrec::cpu {

struct PointwiseParams {
  ExprProgram program;  // its inputs and outputs are the step's
  static auto fields(auto& s) { return std::tuple{field(1, "program", s.program)}; }
};

}  // namespace tenrec::cpu
