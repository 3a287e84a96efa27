// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "targets/common/run/reference_step.h"
#include "targets/cpu/run/family.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

Runner prepare_generic(const plan::Plan&, const plan::Step& step, RunEnvironment&) {
  return make_reference_step(step);
}
Runner prepare_infer(const plan::Plan&, const plan::Step& step, RunEnvironment&) {
  return make_infer_step(step);
}

constexpr std::array families{
    Family{"roi_align", prepare_roi_align},
    Family{"order", prepare_order},
    Family{"recurrent", prepare_recurrent},
    Family{"conv_depthwise", prepare_conv_depthwise},
    Family{"conv_stem", prepare_conv_stem},
    Family{"conv_direct", prepare_conv_direct},
    Family{"conv_winograd", prepare_conv_winograd},
    Family{"conv_plain", prepare_conv_plain},
    Family{"gemm", prepare_gemm},
#ifdef TENREC_ONEDNN
    Family{"onednn_conv", prepare_onednn_conv},
    Family{"onednn_matmul", prepare_onednn_matmul},
#endif
    Family{"resize", prepare_resize},
    Family{"pool", prepare_pool},
    Family{"normalise", prepare_normalise},
    Family{"reduce", prepare_reduce},
    Family{"gather", prepare_gather},
    Family{"copy", prepare_copy},
    Family{"pointwise", prepare_pointwise},
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

}  // namespace tenrec::cpu
