// SPDX-License-Identifier: Apache-2.0
// A convolution, matrix product or the like, alone or as the anchor of a fused region whose
// pointwise rest becomes the step's epilogue.
#pragma once
#include "ir/expr.h"
#include "targets/target.h"

namespace tenrec {

struct Anchored {
  Reject reject;                  // not empty: no such node, and why
  Op op;                          // of the anchor
  Types types;                    // of its inputs
  std::vector<StepArg> inputs;    // of the anchor; omitted ones are empty
  Type result;                    // of the anchor
  ExprProgram epilogue;           // no nodes: none; input 0 is the anchor's result
  std::vector<StepArg> operands;  // the epilogue's inputs from 1 on
  bool short_operand = false;     // one lacks the last channels, which are 0
  Value* output = nullptr;        // of the node

  // The constant value of anchor input i, or null.
  const Tensor* constant(size_t i) const;
};

struct AnchorRules {
  bool columns = false;  // the epilogue's per-channel operands run along the last axis, not axis 1
  std::vector<DType> dtypes{DType::f32};                // of the anchor's result and of operands
  Reject (*unsupported)(const ExprProgram&) = nullptr;  // the target's word on the epilogue
  bool short_operands = false;                          // operands may lack the last channels
};
// `name`: the anchor operator wanted, as in "conv".
Anchored anchored(const Node& node, std::string_view name, const AnchorRules& rules);

// A draft of the node whose inputs are still to be filled in.
StepDraft anchored_draft(const Node& node, const Anchored& anchored, std::string_view family,
                         std::string tactic);

}  // namespace tenrec
