// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/list.h"

#include <array>

#include "targets/common/generic.h"
#include "targets/cuda/run/vendor.h"

namespace tenrec::cuda {

std::span<const Kernel* const> kernel_list() {
  static const std::array list{
      &attention_kernel(),
      &squeeze_excite_kernel(),
      &conv_stem_kernel(),
      &conv_sm90_kernel(),
      &gemm_sm90_kernel(),
      &conv_direct_kernel(),
#ifdef TENREC_HAS_CUDNN
      &cudnn_conv_kernel(),
#endif
#ifdef TENREC_HAS_CUBLASLT
      &cublaslt_kernel(),
#endif
      &gemm_mma_kernel(),
      &conv_plain_kernel(),
      &matmul_plain_kernel(),
      &pointwise_kernel(),
      &woven_kernel(),
      &copy_kernel(),
      &pool_kernel(),
      &gather_kernel(),
      &fill_kernel(),
      &reduce_kernel(),
      &normalise_kernel(),
      &lrn_kernel(),
      &resize_kernel(),
      &col2im_kernel(),
      &deform_conv_kernel(),
      &det_kernel(),
      &ngrams_kernel(),
      &order_kernel(),
      &compact_kernel(),
      &unique_kernel(),
      &recurrent_kernel(),
      &suppress_kernel(),
      &sample_kernel(),
      &late_slice_kernel(),
      &packed_kernel(),
      &quantize_kernel(),
      &random_kernel(),
      &spectrum_kernel(),
      &signal_kernel(),
      &linear_attention_kernel(),
      &group_query_kernel(),
      &attention_plain_kernel(),
      &bodies_kernel(),
      // `generic` stays last: it accepts what nobody else does, and runs it on the host.
      &generic_kernel(/*on_host=*/true),
  };
  return list;
}

}  // namespace tenrec::cuda
