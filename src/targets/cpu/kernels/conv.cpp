// SPDX-License-Identifier: Apache-2.0
// Our own convolutions: one Kernel for all families of run/conv_families.h.
#include "base/wire.h"
#include "targets/cpu/kernels/conv_common.h"
#include "targets/cpu/kernels/conv_fold.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/run/conv_families.h"
#include "targets/cpu/run/epilogue.h"

namespace tenrec::cpu {
namespace {

template <class Family>
class ConvKernel final : public Kernel {
 public:
  std::string_view name() const override { return Family::name; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    const Anchored conv = read(node);
    if (!conv.reject.empty()) return conv.reject;
    for (const auto& [type, blocked] : {std::pair(&conv.types[0], Family::blocked_in),
                                        std::pair(&conv.result, Family::blocked_out)}) {
      if (blocked ? !is_blocked(*type, device) : !type->layout.is_plain()) {
        return blocked ? "the layout is not blocked" : "the layout is not row-major";
      }
    }
    if (Family::blocked_out && conv.types[0].rank() != 4) return "not 2-D";
    const ConvParams params = conv_params(conv);
    if (conv.short_operand && !is_residual_alone(params.epilogue))
      return "an operand that lacks channels is no residual";
    const auto problem =
        conv_family_problem<Family>(params, packing_problem(params), isa_of(device));
    const char* reason = Family::unsupported(problem, isa_of(device));
    return reason ? reason : "";
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    const Anchored conv = read(node);
    const Isa isa = isa_of(device);
    const auto problem = conv_family_problem<Family>(conv_params(conv), conv_at(conv, opt), isa);
    std::vector<std::string> texts;
    for (const auto& tactic : Family::tactics(problem, isa, device.threads)) {
      texts.push_back(tactic_text<Family>(tactic));
    }
    return texts;
  }

  // 16 multiply-adds stand for 36 where there are channels enough to share the transformations.
  bool is_likely_fastest(const Node& node, const DeviceInfo& device,
                         const Sizes& opt) const override {
    if constexpr (!std::is_same_v<Family, WinogradFamily>) return false;
    constexpr int64_t least_channels = 48, least_pixels = 36;
    const Anchored conv = read(node);
    const auto problem =
        conv_family_problem<WinogradFamily>(conv_params(conv), conv_at(conv, opt), isa_of(device));
    const Conv& sizes = problem.conv;
    return std::min(sizes.in_channels, sizes.out_channels) >= least_channels &&
           int64_t{sizes.h.out} * sizes.w.out >= least_pixels;
  }

  StepDraft compile(const Node& node, const std::string& text,
                    const DeviceInfo& device) const override {
    const Anchored conv = read(node);
    auto [params, weights] = weights_of(conv);
    const auto tactic = parse_tactic<Family>(text);
    const Isa isa = isa_of(device);
    const auto problem = conv_family_problem<Family>(params, packing_problem(params), isa);
    Tensor packed(DType::f32, {static_cast<int64_t>(Family::packed_size(problem, tactic, isa))});
    const Tensor* bias = conv.constant(2);
    Family::pack(problem, tactic, isa, weights.data(), bias ? bias->as<float>().data() : nullptr,
                 packed.as_mutable<float>().data());
    StepDraft draft = anchored_draft(node, conv, name(), text);
    draft.params = encode(params);
    draft.inputs = {conv.inputs[0], {nullptr, std::move(packed)}, {}};
    draft.inputs.insert(draft.inputs.end(), conv.operands.begin(), conv.operands.end());
    return draft;
  }

 private:
  static bool is_residual_alone(const ExprProgram& epilogue) {
    const auto simple = simple_epilogue(epilogue);
    return simple && simple->residual == 0 && epilogue.inputs == 2;
  }

  static FoldedConv weights_of(const Anchored& conv) {
    const std::span<const float> weights = conv.constant(1)->as<float>();
    if constexpr (requires(typename Family::Problem p) { p.fold; })
      return fold_kernel(conv_params(conv), weights.data());
    return {conv_params(conv), {weights.begin(), weights.end()}};
  }

  static Anchored read(const Node& node) {
    constexpr bool short_residual = requires(typename Family::Problem p) { p.residual_lacks; };
    Anchored conv = read_conv_node(node, short_residual);
    if (conv.reject.empty() || !runs_transposed<Family>) return conv;
    Anchored transposed = read_conv_transpose_node(node);
    return transposed.op ? transposed : conv;
  }
};

}  // namespace

const Kernel& conv_direct_kernel() {
  static const ConvKernel<DirectFamily> kernel;
  return kernel;
}
const Kernel& conv_winograd_kernel() {
  static const ConvKernel<WinogradFamily> kernel;
  return kernel;
}
const Kernel& conv_depthwise_kernel() {
  static const ConvKernel<DepthwiseFamily> kernel;
  return kernel;
}
const Kernel& conv_rows_kernel() {
  static const ConvKernel<RowsFamily> kernel;
  return kernel;
}
const Kernel& conv_stem_kernel() {
  static const ConvKernel<StemFamily> kernel;
  return kernel;
}
const Kernel& conv_plain_kernel() {
  static const ConvKernel<PlainFamily> kernel;
  return kernel;
}

}  // namespace tenrec::cpu
