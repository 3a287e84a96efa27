// SPDX-License-Identifier: Apache-2.0
// Convolutions in plain f32, for layers of few channels above all: device/conv_direct.cuh.
#include <cstring>

#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/direct_tiles.h"
#include "targets/cuda/kernels/gemm_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

constexpr size_t most_tactics = 3;

class ConvDirectKernel final : public Kernel {
 public:
  std::string_view name() const override { return "conv_direct"; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    const GemmNode gemm = gemm_node(node, device);
    if (!gemm.reject.empty()) return gemm.reject;
    const GemmParams& params = gemm.params;
    if (!params.convolution) return "is no convolution";
    if (params.type != DType::f32 || params.tf32 || params.out_type != DType::f32)
      return "is not in plain f32";
    if (params.kernel.size() != 2) return "the kernel is not 2-D";
    if (!params.channels_last) return "is not in channels-last order";
    if (params.groups > 1) return "has groups";
    if (params.strides[0] != params.strides[1] || params.dilations[0] != params.dilations[1])
      return "strides or dilations differ by axis";
    if (!has_direct_tiles(DirectWindow::of(params)))
      return "has a large kernel, stride or dilation";
    if (params.in_channels % 4 != 0 || params.out_channels % 4 != 0)
      return fmt::format("{} > {} channels are no multiples of 4", params.in_channels,
                         params.out_channels);
    return unsupported(params.epilogue);
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    const GemmNode gemm = gemm_node(node, device);
    const GemmSizes sizes = gemm.sizes(node, opt);
    std::vector<std::string> texts;
    for (const DirectTile& tile :
         direct_tiles(gemm.params, sizes, multiprocessors(device), most_tactics))
      texts.push_back(to_text(tile));
    return texts;
  }

  StepDraft compile(const Node& node, const std::string& tactic,
                    const DeviceInfo& device) const override {
    GemmNode gemm = gemm_node(node, device);
    const DirectTile tile = parse_direct_tile(tactic);
    Tensor packed = pack(gemm, tile.depth);
    StepDraft draft = gemm_draft(node, gemm, name(), tactic, std::move(packed));
    draft.code = {conv_direct_source(gemm, tile)};
    return draft;
  }

 private:
  // [tap][channel][n], channels padded with zeros to whole stages.
  static Tensor pack(GemmNode& gemm, int depth) {
    GemmParams& params = gemm.params;
    const Tensor& weights = *gemm.anchor.constant(1);
    const int64_t taps = params.kernel[0] * params.kernel[1];
    const int64_t in = params.in_channels, out = params.out_channels;
    params.padded_channels = (in + depth - 1) / depth * depth;
    Tensor packed(DType::f32, {taps, params.padded_channels, out});
    std::memset(packed.mutable_data(), 0, static_cast<size_t>(packed.bytes()));
    const auto* from = reinterpret_cast<const float*>(weights.data());
    auto* to = reinterpret_cast<float*>(packed.mutable_data());
    for (int64_t n = 0; n < out; ++n)
      for (int64_t c = 0; c < in; ++c)
        for (int64_t tap = 0; tap < taps; ++tap)
          to[(tap * params.padded_channels + c) * out + n] = from[(n * in + c) * taps + tap];
    return packed;
  }
};

}  // namespace

const Kernel& conv_direct_kernel() {
  static const ConvDirectKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
