// SPDX-License-Identifier: Apache-2.0
// What every family of products and convolutions asks of a node: is it one, with which parameters,
// and what its epilogue reads.
#pragma once
#include "targets/common/anchored.h"
#include "targets/cuda/run/gemm_params.h"

namespace tenrec::cuda {

struct GemmNode {
  Reject reject;  // not empty: no such node, and why
  Anchored anchor;
  GemmParams params;          // but for the packing of b
  Tensor table;               // operands by channel, f32 [count][n]; or no tensor
  std::vector<StepArg> full;  // operands of the output's shape
  std::vector<DType> full_types;

  bool constant_b() const { return params.constant_b; }
  // Rows (pixels), columns and k of one product, and products of the batch, at these sizes.
  GemmSizes sizes(const Node& node, const Sizes& at) const;
};

// The bias of a convolution and everything pointwise behind the anchor is in params.epilogue.
// `any_order`: input and output of a convolution may differ in layout.
GemmNode gemm_node(const Node& node, const DeviceInfo& device, bool any_order = false);

int capability(const DeviceInfo& device);       // 90 for sm_90a
int multiprocessors(const DeviceInfo& device);  // of the largest GPU of that kind

// Weights as [n][tap][channel], channels of a tap padded with zeros to a multiple of `multiple`;
// sets params.padded_channels. f32 weights for tf32 kernels are rounded (to nearest).
void round_to_tf32(Tensor& tensor);
Tensor pack_weights(GemmNode& gemm, int64_t multiple, bool round_to_tf32);

// The draft: operator, table and operands; input 1 is `packed`, or b as it is.
StepDraft gemm_draft(const Node& node, const GemmNode& gemm, std::string_view family,
                     const std::string& tactic, Tensor packed);

}  // namespace tenrec::cuda
