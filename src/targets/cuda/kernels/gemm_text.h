// SPDX-License-Identifier: Apache-2.0
// Program texts of the product and convolution kernels: device header, what the tile needs of
// wgmma, the epilogue's functor, one line of instantiation.
#pragma once
#include "targets/cuda/kernels/gemm_node.h"
#include "targets/cuda/run/gemm_tactic.h"

namespace tenrec::cuda {

plan::KernelSource conv_sm90_source(const GemmNode& gemm, const ConvTile& tile, bool im2col);
plan::KernelSource gemm_sm90_source(const GemmNode& gemm, const SplitTile& tile, bool im2col);
plan::KernelSource gemm_mma_source(const GemmNode& gemm, const MmaTile& tile);
plan::KernelSource conv_direct_source(const GemmNode& gemm, const DirectTile& tile);

}  // namespace tenrec::cuda
