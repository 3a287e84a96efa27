// SPDX-License-Identifier: Apache-2.0
// cuBLASLt as family "cublaslt": act(a * b + bias + residual), every algorithm that its heuristics
// know a tactic, written as the configuration itself.
#pragma once
#include <cublasLt.h>

#include <string>
#include <vector>

#include "targets/cuda/run/driver.h"
#include "targets/cuda/run/dynlib.h"
#include "targets/cuda/run/gemm_params.h"

namespace tenrec::cuda {

// The step's inputs are those of GemmParams; input 2 is the bias, in the output's type.
struct CublasLtParams {
  GemmParams gemm;
  bool bias = false, residual = false, relu = false;
  static auto fields(auto& s) {
    return std::tuple{field(1, "gemm", s.gemm), field(2, "bias", s.bias),
                      field(3, "residual", s.residual), field(4, "relu", s.relu)};
  }
};

constexpr int64_t cublaslt_workspace = 32 << 20;  // bytes offered

// "auto": whatever the heuristics name first for the sizes at hand. Else all of an algorithm's
// numbers, which any version of the library can check and refuse.
struct CublasLtTactic {
  bool automatic = true;
  int algorithm = 0, tile = 0, stages = 0, split_k = 1, reduction = 0, swizzle = 0, custom = 0;
  int inner = 0, cluster = 0;
  int64_t workspace = cublaslt_workspace;
};
// The library wants its workspace at a multiple of this; scratch lies at smaller ones.
constexpr int64_t cublaslt_alignment = 256;
inline int64_t cublaslt_scratch(const CublasLtTactic& tactic) {  // bytes
  return tactic.workspace == 0 ? 0 : tactic.workspace + cublaslt_alignment;
}
std::string to_text(const CublasLtTactic& tactic);
CublasLtTactic parse_cublaslt_tactic(const std::string& text);  // an invalid_engine Error

// The heuristics' algorithms for these sizes, best first; none where there is no GPU or library.
std::vector<CublasLtTactic> cublaslt_tactics(const CublasLtParams& params, const GemmSizes& sizes,
                                             size_t most);

}  // namespace tenrec::cuda
