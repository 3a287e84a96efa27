// SPDX-License-Identifier: Apache-2.0
// oneDNN's matrix product as a family: f32 operands of rank 2 and more as they lie in memory.
#include "base/error.h"
#include "base/wire.h"
#include "targets/cpu/kernels/conv_common.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/run/gemm_step.h"

namespace tenrec::cpu {
namespace {

class OnednnMatMulKernel final : public Kernel {
 public:
  std::string_view name() const override { return "onednn_matmul"; }
  bool vendor() const override { return true; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const Anchored product = anchored(node, "matmul", cpu_anchor_rules(true));
    return product.reject.empty() ? gemm_operand_problem(product) : product.reject;
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const Anchored product = anchored(node, "matmul", cpu_anchor_rules(true));
    StepDraft draft = anchored_draft(node, product, name(), tactic);
    GemmParams params;
    params.epilogue = product.epilogue;
    draft.params = encode(params);
    draft.inputs = product.inputs;
    draft.inputs.insert(draft.inputs.end(), product.operands.begin(), product.operands.end());
    return draft;
  }
};

}  // namespace

const Kernel& onednn_matmul_kernel() {
  static const OnednnMatMulKernel kernel;
  return kernel;
}

}  // namespace tenrec::cpu
