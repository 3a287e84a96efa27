// SPDX-License-Identifier: Apache-2.0
// What a convolution or matrix product computes on its result before it is written.
#pragma once
#include "targets/common/anchored.h"
#include "targets/cuda/kernel_text.h"

namespace tenrec::cuda {

// What CUDA's kernels can run behind an anchor.
AnchorRules anchor_rules(bool columns);

// A draft whose inputs are the anchor's, in order, then the epilogue's operands.
StepDraft anchored_step(const Node& node, const Anchored& anchor, std::string_view kernel,
                        std::string tactic);
// Input number of the first operand in such a draft.
size_t first_operand(const Anchored& anchor);

// The epilogue's function for KernelText::functions; "" without one.
std::string epilogue_function(const Anchored& anchor);
// Statements that turn `value`, an expression of the result's compute type, into the output's
// element at these variables (one a logical axis) and write it there, or to the place `to`.
std::string store_result(KernelText& kernel, const Anchored& anchor, const std::string& value,
                         const std::vector<std::string>& variables, const std::string& indent,
                         const std::string& to = "");

std::string accumulator_type(DType dtype);

}  // namespace tenrec::cuda
