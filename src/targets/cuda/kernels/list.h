// SPDX-License-Identifier: Apache-2.0
// CUDA's kernels in order of preference: without tuning the first that accepts a node runs it.
#pragma once
#include <span>

#include "targets/target.h"

namespace tenrec::cuda {

std::span<const Kernel* const> kernel_list();

// One function a kernel; list.cpp puts them in order.
const Kernel& pointwise_kernel();
const Kernel& woven_kernel();
const Kernel& copy_kernel();
const Kernel& conv_plain_kernel();
const Kernel& matmul_plain_kernel();
const Kernel& pool_kernel();
const Kernel& gather_kernel();
const Kernel& fill_kernel();
const Kernel& reduce_kernel();
const Kernel& normalise_kernel();
const Kernel& resize_kernel();
const Kernel& order_kernel();
const Kernel& compact_kernel();
const Kernel& unique_kernel();
const Kernel& col2im_kernel();
const Kernel& det_kernel();
const Kernel& ngrams_kernel();
const Kernel& lrn_kernel();
const Kernel& deform_conv_kernel();
const Kernel& recurrent_kernel();
const Kernel& suppress_kernel();
const Kernel& sample_kernel();
const Kernel& late_slice_kernel();
const Kernel& bodies_kernel();
const Kernel& packed_kernel();
const Kernel& quantize_kernel();
const Kernel& random_kernel();
const Kernel& spectrum_kernel();
const Kernel& signal_kernel();
const Kernel& linear_attention_kernel();
const Kernel& group_query_kernel();
const Kernel& attention_plain_kernel();
const Kernel& attention_kernel();
const Kernel& squeeze_excite_kernel();
const Kernel& conv_stem_kernel();
const Kernel& conv_sm90_kernel();
const Kernel& gemm_sm90_kernel();
const Kernel& gemm_mma_kernel();
const Kernel& conv_direct_kernel();
const Kernel& cublaslt_kernel();
const Kernel& cudnn_conv_kernel();

// A kernel made for it runs the node, and there is so much to do that none for everything is worth
// compiling and timing beside it.
bool has_special_kernel(const Node& node, const DeviceInfo& device, const Sizes& opt);

}  // namespace tenrec::cuda
