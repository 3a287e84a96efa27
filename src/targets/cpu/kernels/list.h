// SPDX-License-Identifier: Apache-2.0
// The CPU's kernels in order of preference: without tuning the first that accepts a node runs it.
#pragma once
#include <span>

#include "targets/target.h"

namespace tenrec::cpu {

std::span<const Kernel* const> kernel_list();

// One function a kernel; list.cpp puts them in order.
const Kernel& pointwise_kernel();
const Kernel& copy_kernel();
const Kernel& gather_kernel();
const Kernel& reduce_kernel();
const Kernel& normalise_kernel();
const Kernel& pool_kernel();
const Kernel& resize_kernel();
const Kernel& conv_depthwise_kernel();
const Kernel& conv_rows_kernel();
const Kernel& conv_stem_kernel();
const Kernel& conv_direct_kernel();
const Kernel& conv_winograd_kernel();
const Kernel& conv_plain_kernel();
const Kernel& gemm_kernel();
#ifdef TENREC_ONEDNN
const Kernel& onednn_conv_kernel();
const Kernel& onednn_matmul_kernel();
#endif
const Kernel& recurrent_kernel();
const Kernel& attention_kernel();
const Kernel& order_kernel();
const Kernel& roi_align_kernel();
const Kernel& suppress_kernel();

}  // namespace tenrec::cpu
