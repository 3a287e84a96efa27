// SPDX-License-Identifier: Apache-2.0
// Part of a kernel that computes an expression for every element of a nest of loops: one thread a
// few neighbours, read and written 16 bytes at a time where strides allow it.
#pragma once
#include <string>
#include <vector>

#include "ir/expr.h"
#include "targets/cuda/kernels/block_parts.h"

namespace tenrec::cuda {

struct PointwisePart {
  ExprProgram program;
  Loops loops;                  // walks of the output, which all outputs share, then of the inputs
  std::vector<size_t> outputs;  // of the step, one an output of the program
  std::vector<size_t> inputs;   // of the step, one an input of the program
};

// `name` is that of the part's function, which is added to the kernel's.
BlockPart pointwise_text(PointwisePart part, const std::string& name, KernelText& kernel,
                         const StepDraft& draft);

// All parts in one launch.
void launch_parts(std::vector<PointwisePart> parts, const std::string& entry, StepWriter& step);

}  // namespace tenrec::cuda
