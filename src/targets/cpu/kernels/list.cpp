// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/kernels/list.h"

#include <array>

#include "targets/common/generic.h"

namespace tenrec::cpu {

std::span<const Kernel* const> kernel_list() {
  static const std::array list{
      &conv_depthwise_kernel(),
      &conv_rows_kernel(),
      &conv_stem_kernel(),
      &conv_direct_kernel(),
      &conv_winograd_kernel(),
#ifdef TENREC_ONEDNN
      &onednn_conv_kernel(),
#endif
      &conv_plain_kernel(),
      &gemm_kernel(),
#ifdef TENREC_ONEDNN
      &onednn_matmul_kernel(),
#endif
      &pointwise_kernel(),
      &copy_kernel(),
      &gather_kernel(),
      &reduce_kernel(),
      &normalise_kernel(),
      &pool_kernel(),
      &resize_kernel(),
      &attention_kernel(),
      &recurrent_kernel(),
      &order_kernel(),
      &roi_align_kernel(),
      &suppress_kernel(),
      // `generic` stays last: it accepts what nobody else does.
      &generic_kernel(/*on_host=*/false),
  };
  return list;
}

}  // namespace tenrec::cpu
