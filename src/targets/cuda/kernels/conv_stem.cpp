// SPDX-License-Identifier: Apache-2.0
// Convolutions with few input channels (the first one of an image network) on Hopper's tensor
// cores: 7x7 stride 2 over 3 channels becomes 4x1 taps of 64 channels. x may be in either order.
#include "base/wire.h"
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/gemm_text.h"
#include "targets/cuda/kernels/gemm_tiles.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/run/gemm_launch.h"
#include "targets/cuda/run/stem_params.h"

namespace tenrec::cuda {
namespace {

constexpr size_t most_tactics = 4;
constexpr int64_t most_channels = 7;  // eight and more fill the copy engine's 16 bytes
// tf32 rounds each product by up to 2^-11; a sum of K of them averages that out as 1 / sqrt(K)
// only, and every later layer inherits what an image's first layer lost. A 3x3 stem (K = 27) is
// bound by memory in fp32 too, and made an eighth of RVM's error.
constexpr int64_t fewest_tf32_terms = 64;

class ConvStemKernel final : public Kernel {
 public:
  std::string_view name() const override { return "conv_stem_sm90"; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    const GemmNode gemm = gemm_node(node, device, true);
    if (!gemm.reject.empty()) return gemm.reject;
    const GemmParams& params = gemm.params;
    if (!params.convolution) return "is no convolution";
    if (capability(device) != 90) return "is for sm_90a";
    if (params.type == DType::f32 && !params.tf32) return "tf32 is not allowed";
    if (params.kernel.size() != 2) return "the kernel is not 2-D";
    if (!gemm.anchor.result.layout.channels_last) return "the result is not in channels-last order";
    if (params.groups > 1) return "has groups";
    if (params.in_channels > most_channels) return "has many channels";
    const int64_t terms = params.in_channels * params.kernel[0] * params.kernel[1];
    if (params.type == DType::f32 && terms < fewest_tf32_terms)
      return fmt::format("sums of {} products lose too much in tf32", terms);
    for (size_t i = 0; i < 2; ++i) {
      if (params.dilations[i] != 1) return "is dilated";
      if (params.strides[i] > 16) return "has a stride beyond 16";
      if (params.pads[i] < 0 || params.pads[i + 2] < 0) return "has a negative padding";
    }
    if (params.out_type != params.type) return "the result has another type";
    if (params.full_operands > 1) return "has several operands of the output's shape";
    if (!gemm.full_types.empty() && gemm.full_types[0] != params.type)
      return "the residual has another type";
    if (params.channel_operands > 4) return "has many operands by channel";
    const int64_t bytes = bit_width(params.type) / 8;
    if (params.out_channels * bytes % 16 != 0)
      return fmt::format("{} output channels are no multiple of {}", params.out_channels,
                         16 / bytes);
    const std::string problem = im2col_problem(stem_of(gemm).inner);
    if (!problem.empty()) return problem;
    return unsupported(params.epilogue);
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    const GemmNode gemm = gemm_node(node, device, true);
    const StemParams stem = stem_of(gemm);
    TileProblem problem;
    const GemmSizes sizes = gemm.sizes(node, opt);
    problem.pixels = sizes.m;
    problem.channels = sizes.n;
    problem.element_bytes = bit_width(gemm.params.type) / 8;
    problem.kblocks = stem.inner.padded_channels * problem.element_bytes / 128 * stem.taps(0);
    problem.residual = gemm.params.full_operands > 0;
    problem.multiprocessors = multiprocessors(device);
    problem.both = false;
    std::vector<std::string> texts;
    for (const ConvTile& tile : conv_tiles(problem, most_tactics)) texts.push_back(to_text(tile));
    return texts;
  }

  StepDraft compile(const Node& node, const std::string& tactic,
                    const DeviceInfo& device) const override {
    GemmNode gemm = gemm_node(node, device, true);
    const StemParams stem = stem_of(gemm);
    StepDraft draft = gemm_draft(node, gemm, name(), tactic, pack_patches(gemm, stem));
    draft.params = encode(stem);
    draft.code = {conv_sm90_source(gemm, parse_conv_tile(tactic), true), pack_source(stem)};
    const Shape& y = gemm.anchor.result.shape;
    draft.scratch = y[0] * (y[2] + Dim(stem.taps(0) - 1)) * (y[3] + Dim(stem.taps(1) - 1)) *
                    Dim(stem.patch() * bit_width(gemm.params.type) / 8);
    return draft;
  }

 private:
  static StemParams stem_of(const GemmNode& gemm) {
    StemParams stem;
    stem.conv = gemm.params;
    stem.inner = gemm.params;
    GemmParams& inner = stem.inner;
    const int64_t depth = 1024 / bit_width(inner.type);
    inner.channels_last = true;
    inner.kernel = {stem.taps(0), 1};
    inner.strides = inner.dilations = {1, 1};
    inner.pads = {0, 0, 0, 0};
    inner.in_channels = stem.taps(1) * stem.patch();
    inner.padded_channels = (inner.in_channels + depth - 1) / depth * depth;
    return stem;
  }

  // [n][tap row][tap column][channel][y][x], a row of taps padded to whole k blocks.
  static Tensor pack_patches(const GemmNode& gemm, const StemParams& stem) {
    const Tensor& weights = *gemm.anchor.constant(1);
    const GemmParams& conv = stem.conv;
    Tensor packed(weights.dtype(), {conv.out_channels, stem.taps(0) * stem.inner.padded_channels});
    const auto bytes = static_cast<size_t>(bit_width(weights.dtype()) / 8);
    std::byte* to = packed.mutable_data();
    const auto before = [&](size_t axis) { return -stem.start(axis) - conv.pads[axis]; };
    for (int64_t n = 0; n < conv.out_channels; ++n)
      for (int64_t c = 0; c < conv.in_channels; ++c)
        for (int64_t h = 0; h < conv.kernel[0]; ++h)
          for (int64_t w = 0; w < conv.kernel[1]; ++w) {
            const int64_t y = h + before(0), x = w + before(1);
            const int64_t row = y / conv.strides[0], column = x / conv.strides[1];
            const int64_t inside =
                (c * conv.strides[0] + y % conv.strides[0]) * conv.strides[1] + x % conv.strides[1];
            const int64_t at = (n * stem.taps(0) + row) * stem.inner.padded_channels +
                               column * stem.patch() + inside;
            const int64_t from =
                ((n * conv.in_channels + c) * conv.kernel[0] + h) * conv.kernel[1] + w;
            std::memcpy(to + static_cast<size_t>(at) * bytes,
                        weights.data() + static_cast<size_t>(from) * bytes, bytes);
          }
    if (weights.dtype() == DType::f32) round_to_tf32(packed);
    return packed;
  }

  static plan::KernelSource pack_source(const StemParams& stem) {
    const GemmParams& conv = stem.conv;
    return {"conv_stem_pack", fmt::format("#include \"conv_stem_sm90.cuh\"\n"
                                          "using C = stem::Config<{}, {}, {}, {}, {}>;\n"
                                          "extern \"C\" __global__ __launch_bounds__(256)\n"
                                          "void kernel(const __grid_constant__ stem::Pack p) {{ "
                                          "stem::pack<C>(p); }}\n",
                                          bit_width(conv.type) / 8, conv.in_channels,
                                          conv.strides[0], conv.strides[1], stem.patch())};
  }
};

}  // namespace

const Kernel& conv_stem_kernel() {
  static const ConvStemKernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
