// SPDX-License-Identifier: Apache-2.0
// Attention in f32 without a cache. What it leaves to the reference code: windows, soft caps, past
// keys, further outputs.
#include "ops/attention.h"

#include "targets/cpu/kernels/list.h"

namespace tenrec::cpu {
namespace {

class AttentionKernel final : public Kernel {
 public:
  std::string_view name() const override { return "attention"; }

  Reject check(const Node& node, const DeviceInfo&) const override {
    const auto* op = node.as<Attention>();
    if (!op) return "no attention";
    if (op->outputs != 1 || node.output_count() != 1) return "more than one output";
    if (op->softcap != 0) return "a soft cap";
    if (op->left_window >= 0 || op->right_window >= 0) return "a window";
    if (op->softmax_precision != DType::undefined && op->softmax_precision != DType::f32)
      return "a softmax of its own precision";
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* value = node.input(i);
      if (!value) continue;
      if (i > 3) return "past keys or a number of valid ones";
      if (value->type.dtype != DType::f32)
        return fmt::format("{} elements", tenrec::name(value->type.dtype));
      if (!value->type.ranked || !value->type.layout.is_plain()) return "no row-major tensors";
    }
    return mask_problem(node);
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    StepDraft draft = draft_of(node, name(), tactic);
    draft.inputs.resize(std::min<size_t>(draft.inputs.size(), 4));
    return draft;
  }

 private:
  // A mask may end before the keys do, which the kernel does not know.
  static Reject mask_problem(const Node& node) {
    if (node.inputs().size() < 4 || !node.input(3)) return "";
    const Shape& mask = node.input(3)->type.shape;
    const Type& key = node.input(1)->type;
    if (mask.empty()) return "a mask without axes";
    const Dim& keys = key.shape[key.rank() == 4 ? 2 : 1];
    return mask.back() == keys || mask.back() == Dim(1) ? "" : "a mask of another length";
  }
};

}  // namespace

const Kernel& attention_kernel() {
  static const AttentionKernel kernel;
  return kernel;
}

}  // namespace tenrec::cpu
