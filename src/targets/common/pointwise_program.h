// SPDX-License-Identifier: Apache-2.0
// Pointwise nodes and fused pointwise regions as one expression program.
#pragma once
#include <vector>

#include "ir/expr.h"
#include "targets/target.h"

namespace tenrec {

struct PointwiseProgram {
  Reject reject;  // not empty: the node is no such thing, and why
  ExprProgram program;
  std::vector<StepArg> inputs;  // what the program's inputs are
  std::vector<Value*> outputs;  // what its outputs are; only those that somebody uses
};

PointwiseProgram pointwise_program(const Node& node);

// Append a new input, or the one element of `scalar`.
int32_t append_input(ExprProgram& program, DType dtype);
int32_t append_constant(ExprProgram& program, const Tensor& scalar);
// Appends `op` to `program`, its inputs given as nodes; the node of its result. For epilogues.
int32_t append_op(ExprProgram& program, const Op& op, const std::vector<int32_t>& arguments);

}  // namespace tenrec
