// SPDX-License-Identifier: Apache-2.0
// Launches and tensor maps of the kernels whose parameter is one struct.
#pragma once
#include "targets/cuda/run/family.h"
#include "targets/cuda/run/gemm_params.h"

namespace tenrec::cuda {

void launch(const RunEnvironment& environment, const KernelLaunch& launch, const void* params);

// Blocks of `tile` that cover `size`.
constexpr int64_t tiles_over(int64_t size, int64_t tile) { return (size + tile - 1) / tile; }

// What the epilogue reads: rows of values by channel, operands of the output's shape.
template <class Problem>
void set_operands(const StepArgs& args, Problem& problem) {
  problem.channel = args.inputs[2].data;
  for (size_t i = gemm_operands; i < args.inputs.size(); ++i)
    problem.full[i - gemm_operands] = args.inputs[i].data;
}

// The kernel of a step's device code `i`.
CUfunction step_function(const StepSource& source, size_t i, int shared_bytes);

// Rows of `inner` elements, `row_step` elements apart, in boxes of 128 bytes x `box_rows`, with the
// 128-byte swizzle. tf32 is f32 here: the tensor cores ignore the low bits.
CUtensorMap tiled_map(const Gpu& gpu, DType type, const void* data, int64_t inner, int64_t rows,
                      int64_t row_step, int box_rows);

// x of a convolution, walked by output pixels: `channels` of every position, of which each starts
// `step_w` elements after the one before (overlapping positions are allowed).
struct Im2col {
  int64_t channels = 0, step_w = 0, step_h = 0, step_image = 0;
};
CUtensorMap im2col_map(const Gpu& gpu, DType type, const void* data, const GemmSizes& sizes,
                       const Im2col& steps, int box_pixels);

// What im2col_map cannot express; "" or the reason.
std::string im2col_problem(const GemmParams& params);

}  // namespace tenrec::cuda
