// SPDX-License-Identifier: Apache-2.0
// Parameters of every family of matrix products and convolutions (own, cuBLASLt, cuDNN), and the
// geometry they resolve to once sizes are known.
// Step inputs: a (x), b (weights), the table of operands by channel (f32 [count][n]) or none, then
// operands of the output's shape. Output: one.
#pragma once
#include "base/dtype.h"
#include "base/fields.h"
#include "ir/expr.h"
#include "runtime/device.h"

namespace tenrec::cuda {

struct GemmParams {
  bool convolution = false;
  DType type = DType::f32;  // of a and b
  DType out_type = DType::f32;
  bool tf32 = false;            // f32 operands may be rounded to tf32
  bool constant_b = false;      // packed [n][k] (convolutions: [n][tap][channel]), k padded
  int64_t padded_channels = 0;  // channels of a tap in packed b; 0: b is no packed weight
  bool channels_last = false;   // convolutions: of x and the output
  std::vector<int64_t> kernel, strides, dilations, pads;  // convolutions, 2 axes
  int64_t groups = 1, in_channels = 0, out_channels = 0;  // products: k and n of a constant b
  int64_t channel_operands = 0, full_operands = 0;
  ExprProgram epilogue;  // inputs: the result, then the channel operands, then the full ones
  DType table_type = DType::f32;  // of the table by channel
  static auto fields(auto& s) {
    return std::tuple{field(1, "convolution", s.convolution),
                      field(2, "type", s.type),
                      field(3, "out_type", s.out_type),
                      field(4, "tf32", s.tf32),
                      field(5, "constant_b", s.constant_b),
                      field(6, "padded_channels", s.padded_channels),
                      field(7, "channels_last", s.channels_last),
                      field(8, "kernel", s.kernel),
                      field(9, "strides", s.strides),
                      field(10, "dilations", s.dilations),
                      field(11, "pads", s.pads),
                      field(12, "groups", s.groups),
                      field(13, "in_channels", s.in_channels),
                      field(14, "out_channels", s.out_channels),
                      field(15, "channel_operands", s.channel_operands),
                      field(16, "full_operands", s.full_operands),
                      field(17, "epilogue", s.epilogue),
                      field(18, "table_type", s.table_type)};
  }
};

constexpr size_t gemm_operands = 3;  // step inputs before the full operands

// Everything that does not depend on sizes, the step's argument list included.
void check_gemm_step(const GemmParams& params, const plan::Step& step);
GemmParams decode_gemm_params(const plan::Step& step);  // and checked

// A convolution whose output positions are not its input positions: no plain product.
bool walks(const GemmParams& params);

// With every size known. Rows are pixels or matrix rows, columns are output channels.
struct GemmSizes {
  int64_t m = 0, n = 0, k = 0;  // of one product of the batch (group)
  // convolutions
  int64_t images = 1, in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int64_t pad_h = 0, pad_w = 0, pad_h_end = 0, pad_w_end = 0;
  // products: sizes of the batch axes, innermost last, and elements from one matrix to the next
  int64_t batch[3] = {1, 1, 1}, a_step[3] = {}, b_step[3] = {}, c_step[3] = {};
  int64_t batch_count() const { return batch[0] * batch[1] * batch[2]; }
  bool empty() const { return m == 0 || n == 0 || batch_count() == 0; }
};

// An invalid_engine Error where the views contradict the parameters or each other, unsupported
// where a size is beyond 32 bits.
GemmSizes gemm_sizes(const GemmParams& params, const StepArgs& args);
GemmSizes convolution_sizes(const GemmParams& params, std::span<const int64_t> x,
                            std::span<const int64_t> y);

}  // namespace tenrec::cuda
