// SPDX-License-Identifier: Apache-2.0
// Our direct convolution on the blocked layout.
#include "targets/cpu/run/conv_direct.h"

#include "base/wire.h"
#include "targets/cpu/kernels/conv_common.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/run/conv_direct_step.h"

namespace tenrec::cpu {
namespace {

class ConvDirectKernel final : public Kernel {
 public:
  std::string_view name() const override { return "conv_direct"; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    const Anchored conv = read_conv_node(node);
    if (!conv.reject.empty()) return conv.reject;
    if (conv.types[0].rank() > 4) return "the kernel is 3-D";
    if (!is_blocked(conv.types[0], device) || !is_blocked(conv.result, device))
      return "the layout is not blocked";
    const ConvParams params = conv_params(conv);
    tenrec::cpu::Conv shape;
    shape.groups = static_cast<int>(params.groups);
    shape.in_channels = static_cast<int>(params.in_channels);
    shape.out_channels = static_cast<int>(params.out_channels);
    const char* reason = conv_direct_unsupported({.conv = shape}, isa_of(device));
    return reason ? reason : "";
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    const ConvDirect problem{.conv = conv_at(read_conv_node(node), opt)};
    std::vector<std::string> texts;
    for (const ConvDirectTactic& tactic :
         conv_direct_tactics(problem, isa_of(device), device.threads)) {
      texts.push_back(to_text(tactic));
    }
    return texts;
  }

  StepDraft compile(const Node& node, const std::string& text,
                    const DeviceInfo& device) const override {
    const Anchored conv = read_conv_node(node);
    const ConvParams params = conv_params(conv);
    const ConvDirectTactic tactic = parse_conv_direct_tactic(text);
    const Isa isa = isa_of(device);
    StepDraft draft = anchored_draft(node, conv, name(), text);
    draft.params = encode(params);
    const ConvDirect problem{.conv = packing_problem(params)};
    Tensor packed(DType::f32,
                  {static_cast<int64_t>(conv_direct_packed_size(problem, tactic, isa))});
    const Tensor* bias = conv.constant(2);
    conv_direct_pack(problem, tactic, isa, conv.constant(1)->as<float>().data(),
                     bias ? bias->as<float>().data() : nullptr, packed.as_mutable<float>().data());
    draft.inputs = {conv.inputs[0], {nullptr, std::move(packed)}, {}};
    draft.inputs.insert(draft.inputs.end(), conv.operands.begin(), conv.operands.end());
    return draft;
  }
};

}  // namespace

const Kernel& conv_direct_kernel() {
  static const ConvDirectKernel kernel;
  return kernel;
}

}  // namespace tenrec::cpu
