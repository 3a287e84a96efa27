// SPDX-License-Identifier: Apache-2.0
// oneDNN's convolutions as a family: every 2-D f32 one with constant weights, blocked or plain.
#include "base/error.h"
#include "base/wire.h"
#include "targets/cpu/kernels/conv_common.h"
#include "targets/cpu/kernels/list.h"
#include "targets/cpu/onednn/convolution.h"

namespace tenrec::cpu {
namespace {

// Formats depend on channels and kernels, hardly on sizes: unknown ones stand in as this many
// pixels.
constexpr int64_t typical_size = 56;

class OnednnConvKernel final : public Kernel {
 public:
  std::string_view name() const override { return "onednn_conv"; }
  bool vendor() const override { return true; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    const Anchored conv = read_conv_node(node);
    if (!conv.reject.empty()) return conv.reject;
    if (conv.types[0].rank() != 4) return "the kernel is not 2-D";
    for (const Type* type : {&conv.types[0], &conv.result}) {
      if (!type->layout.is_plain() && !is_blocked(*type, device)) return "an unknown layout";
    }
    if (conv_params(conv).auto_pad != AutoPad::notset) return "the padding depends on the size";
    return format(conv).empty() ? "oneDNN has no fast kernel for it" : "";
  }

  StepDraft compile(const Node& node, const std::string& tactic, const DeviceInfo&) const override {
    const Anchored conv = read_conv_node(node);
    ConvParams params = conv_params(conv);
    params.weights_format = format(conv);
    StepDraft draft = anchored_draft(node, conv, name(), tactic);
    draft.params = encode(params);
    draft.inputs = {conv.inputs[0], {nullptr, pack(params, *conv.constant(1))}, {}};
    if (const Tensor* bias = conv.constant(2)) draft.inputs[2] = {nullptr, *bias};
    draft.inputs.insert(draft.inputs.end(), conv.operands.begin(), conv.operands.end());
    return draft;
  }

 private:
  static std::string format(const Anchored& conv) {
    const ConvParams params = conv_params(conv);
    Shape x{Dim(1), Dim(params.in_channels)}, w;
    for (size_t i = 0; i < 2; ++i) {
      const Dim& dim = conv.types[0].shape[i + 2];
      x.push_back(dim.is_const() ? dim
                                 : Dim(std::max<int64_t>(typical_size,
                                                         params.kernel[i] * params.dilations[i])));
    }
    Types types{Type::tensor(DType::f32, x), Type::of_constant(*conv.constant(1))};
    const Type y = conv.op.infer(types)[0];
    if (!y.is_static()) return "";
    return choose_weights_format(params, static_dims(x), static_dims(y.shape),
                                 conv.types[0].layout.block, conv.result.layout.block,
                                 conv.constant(2) != nullptr);
  }

  static Tensor pack(const ConvParams& params, const Tensor& weights) {
    const auto plain =
        params.groups > 1 ? dnnl::memory::format_tag::goihw : dnnl::memory::format_tag::oihw;
    const dnnl::memory::desc from = weights_desc(params, plain);
    const dnnl::memory::desc to = weights_desc(params, weights_tag(params.weights_format));
    Tensor packed(DType::f32, {static_cast<int64_t>(to.get_size() / sizeof(float))});
    const OneThread one_thread;
    dnnl::stream stream(onednn_engine());
    dnnl::memory source(from, onednn_engine(), const_cast<std::byte*>(weights.data()));
    dnnl::memory target(to, onednn_engine(), packed.mutable_data());
    dnnl::reorder(source, target).execute(stream, source, target);
    stream.wait();
    return packed;
  }
};

}  // namespace

const Kernel& onednn_conv_kernel() {
  static const OnednnConvKernel kernel;
  return kernel;
}

}  // namespace tenrec::cpu
