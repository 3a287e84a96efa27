// SPDX-License-Identifier: Apache-2.0
// Steps of family "conv_direct": device/conv_direct.cuh.
#include "targets/cuda/run/gemm_launch.h"
#include "targets/cuda/run/gemm_tactic.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

struct Problem {  // as in device/conv_direct.cuh
  const void* x;
  const void* w;
  void* y;
  const void* channel;
  const void* full[4];
  int in_h, in_w, in_pixels, out_h, out_w, out_pixels;
  int pad_h, pad_w, in_channels, padded_channels, out_channels;
  int tiles_w, tiles;
};

void check_params(const GemmParams& params, const DirectTile& tile) {
  TENREC_CHECK(params.convolution && params.kernel.size() == 2 && params.groups == 1 &&
                   params.type == DType::f32 && params.out_type == DType::f32 &&
                   params.channels_last && params.strides[0] == params.strides[1] &&
                   params.dilations[0] == params.dilations[1] && params.in_channels % 4 == 0 &&
                   params.out_channels % 4 == 0 && params.padded_channels >= params.in_channels &&
                   params.padded_channels % tile.depth == 0 &&
                   tile.problem(DirectWindow::of(params)).empty(),
               invalid_engine, "a convolution that is not for conv_direct");
}

class ConvDirectRunner final : public StepRunner {
 public:
  explicit ConvDirectRunner(const StepSource& source)
      : params_(decode_gemm_params(source.step)),
        tile_(parse_direct_tile(source.step.tactic)),
        environment_(source.environment) {
    check_params(params_, tile_);
    launch_.threads = tile_.threads();
    launch_.shared_bytes = tile_.shared_bytes(DirectWindow::of(params_));
    launch_.function = step_function(source, 0, launch_.shared_bytes);
  }

  bool recordable() const override { return true; }

  void reshape(const StepArgs& args) override {
    const GemmSizes sizes = gemm_sizes(params_, args);
    empty_ = sizes.empty();
    if (empty_) return;
    problem_ = {};
    problem_.pad_h = static_cast<int>(sizes.pad_h);
    problem_.pad_w = static_cast<int>(sizes.pad_w);
    problem_.in_channels = static_cast<int>(params_.in_channels);
    problem_.padded_channels = static_cast<int>(params_.padded_channels);
    problem_.out_channels = static_cast<int>(params_.out_channels);
    if (walks(params_)) set_pictures(sizes);
    else set_pixels(sizes);
    launch_.grid[1] = static_cast<unsigned>(tiles_over(params_.out_channels, tile_.channels()));
  }

  void run(const StepArgs& args) override {
    if (empty_) return;
    problem_.x = args.inputs[0].data;
    problem_.w = args.inputs[1].data;
    problem_.y = args.outputs[0].data;
    set_operands(args, problem_);
    launch(environment_, launch_, &problem_);
  }

 private:
  void set_pictures(const GemmSizes& s) {
    Problem& p = problem_;
    p.in_h = static_cast<int>(s.in_h);
    p.in_w = static_cast<int>(s.in_w);
    p.in_pixels = p.in_h * p.in_w;
    p.out_h = static_cast<int>(s.out_h);
    p.out_w = static_cast<int>(s.out_w);
    p.out_pixels = p.out_h * p.out_w;
    p.tiles_w = static_cast<int>(tiles_over(s.out_w, tile_.lanes));
    p.tiles = p.tiles_w * static_cast<int>(tiles_over(s.out_h, tile_.height()));
    const int64_t blocks = s.images * p.tiles;
    // A block counts elements of its rows in 32 bits.
    const int64_t rows = (tile_.height() - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
    TENREC_CHECK(blocks < 1LL << 31 && s.in_h * s.in_w <= 1 << 30 &&
                     rows * s.in_w * params_.in_channels < 1LL << 31,
                 unsupported, "a convolution of {} tiles of {} pixels a row", blocks, s.in_w);
    launch_.grid[0] = static_cast<unsigned>(blocks);
  }

  // Where no pixel needs another one, all lie in one picture as wide as a block.
  void set_pixels(const GemmSizes& s) {
    Problem& p = problem_;
    p.in_w = p.out_w = tile_.lanes;
    p.in_h = p.out_h = static_cast<int>(tiles_over(s.m, tile_.lanes));
    p.in_pixels = p.out_pixels = static_cast<int>(s.m);
    p.tiles_w = 1;
    p.tiles = static_cast<int>(tiles_over(p.out_h, tile_.height()));
    launch_.grid[0] = static_cast<unsigned>(p.tiles);
  }

  GemmParams params_;
  DirectTile tile_;
  RunEnvironment& environment_;
  KernelLaunch launch_;
  Problem problem_ = {};
  bool empty_ = false;
};

}  // namespace

Runner prepare_conv_direct(const StepSource& source) {
  return std::make_unique<ConvDirectRunner>(source);
}

}  // namespace tenrec::cuda
