// SPDX-License-Identifier: Apache-2.0
// Every product and convolution with our own kernel for any GPU, layout and size.
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/gemm_text.h"
#include "targets/cuda/kernels/list.h"

namespace tenrec::cuda {
namespace {

// Multiply-adds above which no kernel for everything has ever been the fastest: the largest that
// one won had 230,000 (MobileNetV3), the time of a launch is that of some millions.
constexpr int64_t plain_work = 1 << 21;

class GemmMmaKernel final : public Kernel {
 public:
  std::string_view name() const override { return "gemm_mma"; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    const GemmNode gemm = gemm_node(node, device);
    if (!gemm.reject.empty()) return gemm.reject;
    const GemmParams& params = gemm.params;
    if (params.groups > 1 && params.groups == params.in_channels) return "is depthwise";
    return unsupported(params.epilogue);
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    if (has_special_kernel(node, device, opt)) return {};
    const GemmNode gemm = gemm_node(node, device);
    const GemmSizes sizes = gemm.sizes(node, opt);
    std::vector<MmaTile> tiles{{128, 128, 64, 32}, {64, 64, 32, 32}};
    const int64_t large = (sizes.m + 127) / 128 * ((sizes.n + 127) / 128) * sizes.batch_count();
    if (large < 2 * multiprocessors(device) || sizes.n <= 64) std::swap(tiles[0], tiles[1]);
    // Where Hopper's own kernel runs the node one of these is enough to compare with.
    if (gemm_sm90_kernel().check(node, device).empty()) tiles.pop_back();
    std::vector<std::string> texts;
    for (MmaTile& tile : tiles) {
      set_vectors(gemm, tile);
      texts.push_back(to_text(tile));
    }
    return texts;
  }

  StepDraft compile(const Node& node, const std::string& tactic,
                    const DeviceInfo& device) const override {
    GemmNode gemm = gemm_node(node, device);
    const MmaTile tile = parse_mma_tile(tactic);
    Tensor packed;
    if (gemm.params.constant_b) packed = pack_weights(gemm, padding(gemm), false);
    StepDraft draft = gemm_draft(node, gemm, name(), tactic, std::move(packed));
    draft.code = {gemm_mma_source(gemm, tile)};
    return draft;
  }

 private:
  static int64_t chunk(const GemmNode& gemm) { return 128 / bit_width(gemm.params.type); }
  // A convolution's k counts taps and channels as they are; only a matrix can be padded.
  static int64_t padding(const GemmNode& gemm) { return gemm.params.convolution ? 1 : chunk(gemm); }

  static void set_vectors(const GemmNode& gemm, MmaTile& tile) {
    const GemmParams& params = gemm.params;
    const int64_t elements = chunk(gemm);
    if (params.convolution) {
      const int64_t channels = params.in_channels / params.groups;
      int64_t taps = 1;
      for (const int64_t size : params.kernel) taps *= size;
      tile.vector_a = params.channels_last && channels % elements == 0;
      tile.vector_b = channels * taps % elements == 0;
      return;
    }
    const Dim& k = gemm.anchor.types[0].shape.back();
    tile.vector_a = k.is_const() && k.value() % elements == 0;
    tile.vector_b = params.constant_b;
  }
};

}  // namespace

bool has_special_kernel(const Node& node, const DeviceInfo& device, const Sizes& opt) {
  if (!gemm_sm90_kernel().check(node, device).empty() &&
      !conv_direct_kernel().check(node, device).empty())
    return false;
  const GemmSizes sizes = gemm_node(node, device).sizes(node, opt);
  return sizes.m * sizes.n * sizes.batch_count() > plain_work / std::max<int64_t>(sizes.k, 1);
}

const Kernel& gemm_mma_kernel() {
  static const GemmMmaKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
