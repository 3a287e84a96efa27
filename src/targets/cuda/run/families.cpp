// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "targets/cuda/run/family.h"
#include "targets/cuda/run/runners.h"
#include "targets/cuda/run/vendor.h"

namespace tenrec::cuda {
namespace {

constexpr std::array families{
    Family{"attention_mma", prepare_attention_mma},
    Family{"conv_stem_sm90", prepare_conv_stem_sm90},
    Family{"conv_sm90", prepare_conv_sm90},
    Family{"conv_direct", prepare_conv_direct},
    Family{"gemm_sm90", prepare_gemm_sm90},
    Family{"gemm_mma", prepare_gemm_mma},
#ifdef TENREC_HAS_CUBLASLT
    Family{"cublaslt", prepare_cublaslt},
#endif
#ifdef TENREC_HAS_CUDNN
    Family{"cudnn_conv", prepare_cudnn_conv},
#endif
    Family{"kernels", prepare_kernels},
    Family{"copy", prepare_copy},
    Family{"bodies", prepare_bodies},
    Family{"generic", prepare_generic},
    Family{"infer", prepare_infer},
};

}  // namespace

const Family* find_family(std::string_view name) {
  for (const Family& family : families) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

bool lies_on_host(const plan::Plan& plan, int32_t value) {
  if (value == plan::none) return false;
  const plan::ValueDef* def = &plan.values[static_cast<size_t>(value)];
  while (def->storage == plan::Storage::alias) def = &plan.values[static_cast<size_t>(def->index)];
  return def->storage == plan::Storage::dims;
}

}  // namespace tenrec::cuda
