// SPDX-License-Identifier: Apache-2.0
// Products with constant weights and NHWC convolutions on Hopper: "conv_sm90" for many pixels,
// "gemm_sm90" for few.
#include "targets/cuda/emit.h"
#include "targets/cuda/kernels/gemm_text.h"
#include "targets/cuda/kernels/gemm_tiles.h"
#include "targets/cuda/kernels/list.h"
#include "targets/cuda/run/gemm_launch.h"

namespace tenrec::cuda {
namespace {

constexpr size_t most_tactics = 6;

// What both families need.
Reject check_sm90(const GemmNode& gemm, const DeviceInfo& device) {
  if (!gemm.reject.empty()) return gemm.reject;
  const GemmParams& params = gemm.params;
  if (capability(device) != 90) return "is for sm_90a";
  if (params.type == DType::f32 && !params.tf32) return "tf32 is not allowed";
  if (!params.constant_b) return "b is not constant";
  if (params.convolution && !params.channels_last) return "is not in channels-last order";
  if (params.groups > 1) return "has groups";
  if (params.full_operands > 1) return "has several operands of the output's shape";
  if (params.channel_operands > 4) return "has many operands by channel";
  const int64_t bytes = bit_width(params.type) / 8;
  if (params.in_channels * bytes % 16 != 0)
    return fmt::format("{} input channels are no multiple of {}", params.in_channels, 16 / bytes);
  if (params.convolution) {
    const std::string problem = im2col_problem(params);
    if (!problem.empty()) return problem;
  }
  return unsupported(params.epilogue);
}

TileProblem problem_of(const GemmNode& gemm, const Node& node, const DeviceInfo& device,
                       const Sizes& opt) {
  const GemmSizes sizes = gemm.sizes(node, opt);
  const int64_t depth = 1024 / bit_width(gemm.params.type);
  TileProblem problem;
  problem.pixels = sizes.m;
  problem.channels = sizes.n;
  problem.kblocks = (gemm.params.in_channels + depth - 1) / depth * sizes.kernel_h * sizes.kernel_w;
  problem.element_bytes = bit_width(gemm.params.type) / 8;
  problem.residual = gemm.params.full_operands > 0;
  problem.multiprocessors = multiprocessors(device);
  return problem;
}

template <class Tile>
std::vector<std::string> texts_of(const std::vector<Tile>& tiles) {
  std::vector<std::string> texts;
  for (const Tile& tile : tiles) texts.push_back(to_text(tile));
  return texts;
}

StepDraft compile_sm90(GemmNode& gemm, const Node& node, std::string_view family,
                       const std::string& tactic) {
  const int64_t depth = 1024 / bit_width(gemm.params.type);
  Tensor packed = pack_weights(gemm, depth, true);
  return gemm_draft(node, gemm, family, tactic, std::move(packed));
}

// What conv_sm90 needs beyond that: its results leave through the copy engine.
Reject check_stores(const GemmNode& gemm) {
  const GemmParams& params = gemm.params;
  if (params.out_type != params.type) return "the result has another type";
  if (!gemm.full_types.empty() && gemm.full_types[0] != params.type)
    return "the residual has another type";
  const int64_t bytes = bit_width(params.type) / 8;
  if (params.out_channels * bytes % 16 != 0)
    return fmt::format("{} output channels are no multiple of {}", params.out_channels, 16 / bytes);
  return "";
}

class ConvSm90Kernel final : public Kernel {
 public:
  std::string_view name() const override { return "conv_sm90"; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    const GemmNode gemm = gemm_node(node, device);
    const Reject reject = check_sm90(gemm, device);
    return reject.empty() ? check_stores(gemm) : reject;
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    const GemmNode gemm = gemm_node(node, device);
    return texts_of(conv_tiles(problem_of(gemm, node, device, opt), most_tactics));
  }

  StepDraft compile(const Node& node, const std::string& tactic,
                    const DeviceInfo& device) const override {
    GemmNode gemm = gemm_node(node, device);
    const ConvTile tile = parse_conv_tile(tactic);
    StepDraft draft = compile_sm90(gemm, node, name(), tactic);
    draft.code = {conv_sm90_source(gemm, tile, walks(gemm.params))};
    return draft;
  }
};

class GemmSm90Kernel final : public Kernel {
 public:
  std::string_view name() const override { return "gemm_sm90"; }

  Reject check(const Node& node, const DeviceInfo& device) const override {
    return check_sm90(gemm_node(node, device), device);
  }

  std::vector<std::string> tactics(const Node& node, const DeviceInfo& device,
                                   const Sizes& opt) const override {
    const GemmNode gemm = gemm_node(node, device);
    TileProblem problem = problem_of(gemm, node, device, opt);
    problem.both = check_stores(gemm).empty();
    std::vector<SplitTile> tiles = split_tiles(problem, most_tactics);
    // Too many tiles for this kernel at the opt size: conv_sm90's work, if it takes the node.
    if (tiles.empty()) tiles = {{64, 128, 4, 1}};
    return texts_of(tiles);
  }

  StepDraft compile(const Node& node, const std::string& tactic,
                    const DeviceInfo& device) const override {
    GemmNode gemm = gemm_node(node, device);
    const SplitTile tile = parse_split_tile(tactic);
    StepDraft draft = compile_sm90(gemm, node, name(), tactic);
    draft.code = {gemm_sm90_source(gemm, tile, walks(gemm.params))};
    return draft;
  }
};

}  // namespace

const Kernel& conv_sm90_kernel() {
  static const ConvSm90Kernel kernel;
  return kernel;
}
const Kernel& gemm_sm90_kernel() {
  static const GemmSm90Kernel kernel;
  return kernel;
}

}  // namespace tenrec::cuda
