// SPDX-License-Identifier: Apache-2.0
// cuDNN's graph API as family "cudnn_conv": a convolution and everything pointwise behind it as one
// plan, every engine configuration of its heuristics a tactic. Plans belong to one size: static
// shapes only.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "targets/cuda/run/driver.h"
#include "targets/cuda/run/gemm_params.h"

namespace tenrec::cuda {

// An engine and its knobs, by cuDNN's own numbers, which are the same everywhere for one version;
// another version checks them and says so where they are not its own.
struct CudnnTactic {
  bool automatic = true;  // "auto": the heuristics' first that works
  int64_t engine = 0;
  std::vector<std::pair<int64_t, int64_t>> knobs;
  int64_t workspace = 0;
};
std::string to_text(const CudnnTactic& tactic);  // "engine=34 knobs=2:1,13:4 workspace=0"
CudnnTactic parse_cudnn_tactic(const std::string& text);

constexpr int64_t cudnn_workspace = int64_t{64} << 20;  // bytes offered

// "" or the reason why cuDNN has no words for an epilogue.
std::string cudnn_unsupported(const ExprProgram& epilogue);

// What the heuristics advise for these sizes; none where there is no GPU or library.
std::vector<CudnnTactic> cudnn_tactics(const GemmParams& params, const GemmSizes& sizes,
                                       const std::vector<DType>& full_types, size_t most);

}  // namespace tenrec::cuda
