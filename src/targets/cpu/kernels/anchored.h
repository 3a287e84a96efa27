// SPDX-License-Identifier: Apache-2.0
// A convolution, matrix product or the like, alone or as the anchor of a fused region whose
// pointwise rest becomes the step's epilogue.
#pragma once
#include "ir/expr.h"
#include "targets/target.h"

namespace tenrec::cpu {

struct Anchored {
  Reject reject;                  // not empty: no such node, and why
  Op op;                          // of the anchor
  Types types;                    // of its inputs
  std::vector<StepArg> inputs;    // of the anchor; omitted ones are empty
  Type result;                    // of the anchor
  ExprProgram epilogue;           // no nodes: none; input 0 is the anchor's result
  std::vector<StepArg> operands;  // the epilogue's inputs from 1 on
  Value* output = nullptr;        // of the node

  // The constant value of anchor input i, or null.
  const Tensor* constant(size_t i) const;
};

// `name`: the anchor operator wanted, as in "conv". `columns`: the epilogue's per-channel operands
// run along the last axis instead of axis 1.
Anchored anchored(const Node& node, std::string_view name, bool columns);

// Why no matrix product of row-major f32 operands; empty: it is one.
Reject gemm_operand_problem(const Anchored& product);

// A draft of the node whose inputs are still to be filled in.
StepDraft anchored_draft(const Node& node, const Anchored& anchored, std::string_view family,
                         std::string tactic);

}  // namespace tenrec::cpu
