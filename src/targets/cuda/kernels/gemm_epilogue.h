// SPDX-License-Identifier: Apache-2.0
// Epilogues that libraries have a word for: act(result + bias + residual).
#pragma once
#include <optional>

#include "targets/cuda/kernels/gemm_node.h"

namespace tenrec::cuda {

struct SimpleEpilogue {
  bool bias = false;      // the only operand by channel
  bool residual = false;  // the only operand of the output's shape
  bool relu = false;
};
std::optional<SimpleEpilogue> simple_epilogue(const GemmParams& params);

}  // namespace tenrec::cuda
