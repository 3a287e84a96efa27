// SPDX-License-Identifier: Apache-2.0
// Which tiles of conv_direct are worth timing: all that fit, ordered by a model of the chip.
#pragma once
#include <vector>

#include "targets/cuda/run/gemm_params.h"
#include "targets/cuda/run/gemm_tactic.h"

namespace tenrec::cuda {

// Whether there are any.
bool has_direct_tiles(const DirectWindow& window);
std::vector<DirectTile> direct_tiles(const GemmParams& params, const GemmSizes& sizes,
                                     int multiprocessors, size_t most);

}  // namespace tenrec::cuda
