// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "targets/common/run/reference_step.h"
#include "targets/cpu/run/family.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

// Families with parameters of their own, which say more than the operator.
constexpr Family packed(std::string_view name, PrepareFamily prepare) {
  return {.name = name, .prepare = prepare, .loops = Loops::any_layout, .by_operator = false};
}

Runner prepare_generic(const plan::Plan&, const plan::Step& step, RunEnvironment&) {
  return make_reference_step(step);
}
Runner prepare_infer(const plan::Plan&, const plan::Step& step, RunEnvironment&) {
  return make_infer_step(step);
}

constexpr std::array families{
    Family{.name = "roi_align", .prepare = prepare_roi_align, .loops = Loops::any_layout},
    Family{.name = "suppress", .prepare = prepare_suppress, .learns_sizes = true},
    Family{.name = "order", .prepare = prepare_order, .may_omit = true},
    Family{
        .name = "recurrent", .prepare = prepare_recurrent, .by_operator = false, .may_omit = true},
    packed("conv_depthwise", prepare_conv_depthwise),
    packed("conv_rows", prepare_conv_rows),
    packed("conv_stem", prepare_conv_stem),
    packed("conv_direct", prepare_conv_direct),
    packed("conv_winograd", prepare_conv_winograd),
    packed("conv_plain", prepare_conv_plain),
    packed("gemm", prepare_gemm),
    Family{.name = "attention", .prepare = prepare_attention},
#ifdef TENREC_ONEDNN
    packed("onednn_conv", prepare_onednn_conv),
    packed("onednn_matmul", prepare_onednn_matmul),
#endif
    Family{.name = "resize", .prepare = prepare_resize, .loops = Loops::any_layout},
    Family{.name = "pool", .prepare = prepare_pool, .loops = Loops::any_layout},
    Family{.name = "normalise", .prepare = prepare_normalise},
    Family{.name = "reduce", .prepare = prepare_reduce, .loops = Loops::any_layout},
    Family{.name = "gather", .prepare = prepare_gather},
    Family{.name = "copy",
           .prepare = prepare_copy,
           .loops = Loops::any_layout,
           .may_omit = true,
           .copies_bytes = true},
    packed("pointwise", prepare_pointwise),
    Family{.name = "generic",
           .prepare = prepare_generic,
           .loops = Loops::reference,
           .learns_sizes = true},
    Family{.name = "infer",
           .prepare = prepare_infer,
           .loops = Loops::reference,
           .by_operator = false,
           .learns_sizes = true},
};

}  // namespace

const Family* find_family(std::string_view name) {
  for (const Family& family : families) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

}  // namespace tenrec::cpu
