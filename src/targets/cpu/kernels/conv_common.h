// SPDX-License-Identifier: Apache-2.0
// What the convolution kernels' compiler sides share.
#pragma once
#include "ops/conv.h"
#include "targets/common/anchored.h"
#include "targets/cpu/run/conv_params.h"
#include "targets/cpu/run/isa.h"

namespace tenrec::cpu {

// A conv node (or region) that the families may look at: f32, constant weight and bias, 1 to 3
// spatial axes.
Anchored read_conv_node(const Node& node, bool short_operands = false);
// The same for conv_transpose, whose sizes must follow from its pads.
Anchored read_conv_transpose_node(const Node& node);
ConvParams conv_params(const Anchored& conv);
Isa isa_of(const DeviceInfo& device);
// What packing depends on: channels, groups, kernel, strides and dilations; sizes are 1.
Conv packing_problem(const ConvParams& params);
// The problem at these sizes. Channels are the weight's, whatever is known of x; sizes that only
// running tells are raised to what the kernel needs.
Conv conv_at(const Anchored& conv, const Sizes& sizes);
// What the CPU's kernels can run behind a convolution or matrix product.
AnchorRules cpu_anchor_rules(bool columns);
// Why no matrix product of row-major f32 operands; empty: it is one.
Reject gemm_operand_problem(const Anchored& product);
bool is_blocked(const Type& type, const DeviceInfo& device);  // nChwBc with the device's block

}  // namespace tenrec::cpu
