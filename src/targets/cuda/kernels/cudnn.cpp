// SPDX-License-Identifier: Apache-2.0
// Convolutions by cuDNN, with everything pointwise behind them.
#include "targets/cuda/run/vendor.h"
#ifdef TENREC_HAS_CUDNN
#include "targets/cuda/run/cudnn.h"

#include "base/wire.h"
#include "targets/cuda/kernels/gemm_node.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/run/dynlib.h"

namespace tenrec::cuda {
namespace {

// Few: making a plan can take a second.
constexpr size_t most_tactics = 2;

class CudnnConvKernel final : public Kernel {
 public:
  std::string_view name() const override { return "cudnn_conv"; }
  bool vendor() const override { return true; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    if (!cudnn_library().is_open()) return cudnn_library().problem();
    const GemmNode gemm = gemm_node(node, device);
    if (!gemm.reject.empty()) return gemm.reject;
    const GemmParams& params = gemm.params;
    if (!params.convolution) return "is no convolution";
    if (params.groups > 1 && params.groups == params.in_channels)
      return "is depthwise: our own is as fast, and needs no plan";
    if (!gemm.anchor.types[0].is_static()) return "sizes vary; cuDNN's plans are made for one size";
    // Its plans take up to a second to make, when an engine is loaded too, and win by 5 % at most,
    // in plain f32 never.
    for (const Kernel* own : {&conv_sm90_kernel(), &conv_stem_kernel(), &conv_direct_kernel()}) {
      if (own->check(node, device).empty()) return fmt::format("{} runs it", own->name());
    }
    return cudnn_unsupported(gemm.params.epilogue);
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes&) const override {
    GemmNode gemm = gemm_node(node, device);
    gemm.params.table_type = gemm.params.type;
    std::vector<std::string> texts;
    for (const CudnnTactic& tactic :
         cudnn_tactics(gemm.params, static_sizes(gemm), gemm.full_types, most_tactics))
      texts.push_back(to_text(tactic));
    std::string problem;
    if (!find_driver(problem)) texts.push_back("auto");  // a build without a GPU to ask
    return texts;
  }

  StepDraft compile(const Node& node, const std::string& text,
                    const DeviceInfo& device) const override {
    GemmNode gemm = gemm_node(node, device);
    gemm.params.table_type = gemm.params.type;
    Tensor packed = pack_weights(gemm, 1, false);
    gemm.params.padded_channels = 0;
    StepDraft draft = gemm_draft(node, gemm, name(), text, std::move(packed));
    if (gemm.table) draft.inputs[2] = {nullptr, gemm.table.converted(gemm.params.table_type)};
    const CudnnTactic tactic = parse_cudnn_tactic(text);
    draft.scratch = Dim(tactic.automatic ? cudnn_workspace : tactic.workspace);
    return draft;
  }

 private:
  // Everything that the graph API asks; shapes are static.
  static GemmSizes static_sizes(const GemmNode& gemm) {
    const Dims x = static_dims(gemm.anchor.types[0].shape);
    const Dims y = static_dims(gemm.anchor.result.shape);
    return convolution_sizes(gemm.params, x, y);
  }
};

}  // namespace

const Kernel& cudnn_conv_kernel() {
  static const CudnnConvKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda

#endif  // TENREC_HAS_CUDNN
