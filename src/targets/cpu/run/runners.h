// SPDX-License-Identifier: Apache-2.0
// The prepare function of every family, one line each; families.cpp gives them their names.
#pragma once
#include "targets/cpu/run/family.h"

namespace tenrec::cpu {

using Runner = std::unique_ptr<StepRunner>;

Runner prepare_pointwise(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_copy(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_gather(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_reduce(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_normalise(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_pool(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_resize(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_conv_direct(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_conv_winograd(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_conv_depthwise(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_conv_rows(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_conv_stem(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_conv_plain(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_gemm(const plan::Plan&, const plan::Step&, RunEnvironment&);
#ifdef TENREC_ONEDNN
Runner prepare_onednn_conv(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_onednn_matmul(const plan::Plan&, const plan::Step&, RunEnvironment&);
#endif
Runner prepare_attention(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_recurrent(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_order(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_roi_align(const plan::Plan&, const plan::Step&, RunEnvironment&);
Runner prepare_suppress(const plan::Plan&, const plan::Step&, RunEnvironment&);

}  // namespace tenrec::cpu
