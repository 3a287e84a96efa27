// SPDX-License-Identifier: Apache-2.0
// Which tiles are worth timing: all that fit, ordered by a model of the chip.
#pragma once
#include <vector>

#include "targets/cuda/kernels/gemm_node.h"
#include "targets/cuda/run/gemm_tactic.h"

namespace tenrec::cuda {

// A product as the model sees it: pixels x channels over k, element and residual sizes in bytes.
struct TileProblem {
  int64_t pixels = 0, channels = 0;
  int64_t kblocks = 0;  // of 128 bytes, padded channels
  int element_bytes = 2;
  bool residual = false;
  int multiprocessors = 132;
  bool both = true;  // both families run it: what the other's best beats by far is left out
};

std::vector<ConvTile> conv_tiles(const TileProblem& problem, size_t most);
std::vector<SplitTile> split_tiles(const TileProblem& problem, size_t most);

}  // namespace tenrec::cuda
