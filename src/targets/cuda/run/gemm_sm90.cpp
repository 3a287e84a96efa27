// SPDX-License-Identifier: Apache-2.0
// Steps of families "conv_sm90" (device/conv_sm90.cuh), "gemm_sm90" (device/gemm_sm90.cuh) and
// "conv_stem_sm90" (device/conv_stem_sm90.cuh, then conv_sm90).
#include <algorithm>
#include <array>

#include "base/wire.h"
#include "targets/cuda/run/gemm_launch.h"
#include "targets/cuda/run/gemm_tactic.h"
#include "targets/cuda/run/runners.h"
#include "targets/cuda/run/stem_params.h"

namespace tenrec::cuda {
namespace {

struct Walk {  // the tail that both kernels' parameters share
  int cblocks, taps, taps_w, q, pq;
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
};

Walk walk_of(const GemmParams& params, const GemmSizes& s) {
  const int64_t depth = 1024 / bit_width(params.type);
  const auto number = [](int64_t value) { return static_cast<int>(value); };
  return {number(params.padded_channels / depth),
          number(s.kernel_h * s.kernel_w),
          number(s.kernel_w),
          number(s.out_w),
          number(s.out_h * s.out_w),
          number(s.stride_h),
          number(s.stride_w),
          number(s.pad_h),
          number(s.pad_w),
          number(s.dilation_h),
          number(s.dilation_w)};
}

struct ConvProblem {  // as in device/conv_sm90.cuh
  CUtensorMap w, x, y, residual;
  const void* channel;
  int channels, tiles_c, tiles_p;
  Walk walk;
};

struct SplitProblem {  // as in device/gemm_sm90.cuh
  CUtensorMap w, x;
  const void* channel;
  const void* full;
  void* y;
  int channels, pixels, tiles_c;
  Walk walk;
  int stages;
};

// What both families do alike: sizes, and tensor maps made again only when a pointer moved.
class Sm90Runner : public StepRunner {
 public:
  Sm90Runner(const StepSource& source, GemmParams params)
      : params_(std::move(params)), environment_(source.environment) {
    const int64_t depth = 1024 / bit_width(params_.type);
    TENREC_CHECK(params_.constant_b && params_.groups == 1 && params_.full_operands <= 1 &&
                     (params_.channels_last || !params_.convolution) &&
                     params_.padded_channels > 0 && params_.padded_channels % depth == 0 &&
                     params_.padded_channels >= params_.in_channels,
                 invalid_engine, "a product that family \"{}\" does not run", source.step.family);
    if (params_.convolution) {
      const std::string problem = im2col_problem(params_);
      TENREC_CHECK(problem.empty(), invalid_engine, "a convolution with {}", problem);
    }
  }

  bool recordable() const override { return true; }

  void reshape(const StepArgs& args) override { set_sizes(gemm_sizes(params_, args)); }
  void run(const StepArgs& args) override { run(args, args.inputs[0].data); }

 protected:
  using Pointers = std::array<const std::byte*, 5>;  // x, weights, table, residual, y
  void set_sizes(const GemmSizes& sizes) {
    sizes_ = sizes;
    pointers_ = {};
    if (!sizes_.empty()) resize();
  }
  void run(const StepArgs& args, const std::byte* x) {
    if (sizes_.empty()) return;
    const Pointers now{
        x, args.inputs[1].data, args.inputs[2].data,
        args.inputs.size() > gemm_operands ? args.inputs[gemm_operands].data : nullptr,
        args.outputs[0].data};
    if (now != pointers_) bind(now);
    pointers_ = now;
    start();
  }
  virtual void resize() = 0;
  virtual void bind(const Pointers& pointers) = 0;
  virtual void start() = 0;

  virtual CUtensorMap x_map(const std::byte* data, int pixels, bool im2col) const {
    const int64_t c = params_.in_channels;
    if (!im2col) return tiled_map(environment_.gpu, params_.type, data, c, sizes_.m, c, pixels);
    return im2col_map(environment_.gpu, params_.type, data, sizes_,
                      {c, c, c * sizes_.in_w, c * sizes_.in_w * sizes_.in_h}, pixels);
  }
  CUtensorMap w_map(const std::byte* data, int channels) const {
    const int64_t row = params_.padded_channels * sizes_.kernel_h * sizes_.kernel_w;
    return tiled_map(environment_.gpu, params_.type, data, row, sizes_.n, row, channels);
  }

  GemmParams params_;
  RunEnvironment& environment_;
  GemmSizes sizes_;
  KernelLaunch launch_;

 private:
  Pointers pointers_{};
};

class ConvSm90Runner : public Sm90Runner {
 public:
  explicit ConvSm90Runner(const StepSource& source, GemmParams params)
      : Sm90Runner(source, std::move(params)), tile_(parse_conv_tile(source.step.tactic)) {
    im2col_ = walks(params_);
    launch_.threads = tile_.threads();
    launch_.shared_bytes = tile_.shared_bytes(bit_width(params_.type) / 8);
    launch_.cluster = tile_.cluster();
    launch_.overlap = true;
    launch_.function = step_function(source, 0, launch_.shared_bytes);
  }

 private:
  void resize() override {
    const int64_t tiles_c = tiles_over(sizes_.n, tile_.channels);
    TENREC_CHECK(tiles_c % tile_.share_p == 0, invalid_engine, "{} channel tiles in clusters of {}",
                 tiles_c, tile_.share_p);
    const int64_t tiles_p = tiles_over(tiles_over(sizes_.m, tile_.pixels), tile_.share_w);
    problem_.channels = static_cast<int>(sizes_.n);
    problem_.tiles_c = static_cast<int>(tiles_c / tile_.share_p);
    problem_.tiles_p = static_cast<int>(tiles_p);
    problem_.walk = walk_of(params_, sizes_);
    const int64_t slots =
        int64_t{environment_.gpu.multiprocessors()} * tile_.ctas / tile_.cluster();
    const int64_t clusters = std::min(tiles_c / tile_.share_p * tiles_p, slots);
    launch_.grid[0] = static_cast<unsigned>(clusters * tile_.cluster());
  }

  void bind(const Pointers& pointers) override {
    problem_.w = w_map(pointers[1], tile_.channels / tile_.share_w);
    problem_.x = x_map(pointers[0], tile_.pixels / tile_.share_p, im2col_);
    const auto slab = [&](const std::byte* data) {
      return tiled_map(environment_.gpu, params_.type, data, sizes_.n, sizes_.m, sizes_.n,
                       tile_.slab_pixels);
    };
    problem_.y = slab(pointers[4]);
    problem_.residual = pointers[3] ? slab(pointers[3]) : problem_.y;
    problem_.channel = pointers[2];
  }

  void start() override { launch(environment_, launch_, &problem_); }

  ConvTile tile_;
  ConvProblem problem_ = {};
  bool im2col_ = false;
};

class GemmSm90Runner final : public Sm90Runner {
 public:
  explicit GemmSm90Runner(const StepSource& source)
      : Sm90Runner(source, decode_gemm_params(source.step)),
        tile_(parse_split_tile(source.step.tactic)) {
    im2col_ = walks(params_);
    launch_.threads = SplitTile::threads;
    launch_.shared_bytes = tile_.shared_bytes();
    launch_.cluster = tile_.split;
    launch_.overlap = true;
    launch_.function = step_function(source, 0, launch_.shared_bytes);
  }

 private:
  void resize() override {
    const int64_t tiles_c = tiles_over(sizes_.n, tile_.channels);
    problem_.channels = static_cast<int>(sizes_.n);
    problem_.pixels = static_cast<int>(sizes_.m);
    problem_.tiles_c = static_cast<int>(tiles_c);
    problem_.walk = walk_of(params_, sizes_);
    problem_.stages = tile_.stages;
    const int64_t blocks = tiles_c * tiles_over(sizes_.m, tile_.pixels) * tile_.split;
    TENREC_CHECK(blocks < int64_t{1} << 31, unsupported, "a product of {} tiles", blocks);
    launch_.grid[0] = static_cast<unsigned>(blocks);
  }

  void bind(const Pointers& pointers) override {
    problem_.w = w_map(pointers[1], tile_.channels);
    problem_.x = x_map(pointers[0], tile_.pixels, im2col_);
    problem_.channel = pointers[2];
    problem_.full = pointers[3];
    problem_.y = const_cast<std::byte*>(pointers[4]);
  }

  void start() override { launch(environment_, launch_, &problem_); }

  SplitTile tile_;
  SplitProblem problem_ = {};
  bool im2col_ = false;
};

struct PackProblem {  // as in device/conv_stem_sm90.cuh
  const void* x;
  void* patches;
  int images, rows, columns, in_h, in_w, start_h, start_w;
  long long x_image, x_h, x_w, x_c;
};

StemParams decode_stem(const plan::Step& step) {
  StemParams params = decode<StemParams>(step.params);
  check_gemm_step(params.conv, step);
  check_gemm_step(params.inner, step);
  TENREC_CHECK(params.conv.kernel.size() == 2 && params.inner.kernel.size() == 2 &&
                   params.inner.in_channels >= 1 && params.inner.kernel[1] == 1 &&
                   params.taps(0) == params.inner.kernel[0] &&
                   params.inner.in_channels == params.taps(1) * params.patch() &&
                   params.inner.channels_last,
               invalid_engine, "a stem convolution of {} channels", params.conv.in_channels);
  return params;
}

// The patches lie in the scratch; the convolution over them has stride 1 and no padding.
class ConvStemRunner final : public ConvSm90Runner {
 public:
  explicit ConvStemRunner(const StepSource& source)
      : ConvSm90Runner(source, decode_stem(source.step).inner), stem_(decode_stem(source.step)) {
    pack_.threads = 256;
    pack_.overlap = true;
    pack_.function = step_function(source, 1, 0);
  }

  void reshape(const StepArgs& args) override {
    const TensorView& x = args.inputs[0];
    const TensorView& y = args.outputs[0];
    const GemmSizes outer = convolution_sizes(stem_.conv, x.dims, y.dims);
    TENREC_CHECK(x.dtype == stem_.conv.type && y.dtype == stem_.conv.out_type &&
                     x.def->block_axis < 0 && x.def->channels_last == stem_.conv.channels_last &&
                     y.def->channels_last &&
                     args.inputs[1].elements() ==
                         params_.out_channels * params_.kernel[0] * params_.padded_channels,
                 invalid_engine, "a stem convolution on unknown types or layouts");
    GemmSizes sizes = outer;
    const int64_t patch = stem_.patch();
    columns_ = outer.out_w + stem_.taps(1) - 1;
    sizes.in_h = outer.out_h + params_.kernel[0] - 1;
    sizes.in_w = outer.out_w;
    sizes.kernel_h = params_.kernel[0];
    sizes.kernel_w = sizes.stride_h = sizes.stride_w = sizes.dilation_h = sizes.dilation_w = 1;
    sizes.pad_h = sizes.pad_w = sizes.pad_h_end = sizes.pad_w_end = 0;
    const int64_t bytes = outer.images * sizes.in_h * columns_ * patch * bit_width(x.dtype) / 8;
    TENREC_CHECK(static_cast<int64_t>(args.scratch.size()) >= bytes, invalid_engine,
                 "a stem convolution with {} bytes of scratch needs {}", args.scratch.size(),
                 bytes);
    set_pack(outer, sizes.in_h);
    pack_.grid[0] = static_cast<unsigned>(tiles_over(bytes / 16, 256));
    set_sizes(sizes);
  }

  void run(const StepArgs& args) override {
    if (sizes_.empty()) return;
    problem_.x = args.inputs[0].data;
    problem_.patches = args.scratch.data();
    launch(environment_, pack_, &problem_);
    Sm90Runner::run(args, args.scratch.data());
  }

 private:
  void set_pack(const GemmSizes& outer, int64_t rows) {
    const int64_t c = stem_.conv.in_channels, h = outer.in_h, w = outer.in_w;
    const bool last = stem_.conv.channels_last;
    problem_ = {nullptr,
                nullptr,
                static_cast<int>(outer.images),
                static_cast<int>(rows),
                static_cast<int>(columns_),
                static_cast<int>(h),
                static_cast<int>(w),
                static_cast<int>(stem_.start(0)),
                static_cast<int>(stem_.start(1)),
                c * h * w,
                last ? w * c : w,
                last ? c : 1,
                last ? 1 : h * w};
  }

  // Each position begins one patch after the one before, and reaches over a whole row of taps.
  CUtensorMap x_map(const std::byte* data, int pixels, bool) const override {
    const int64_t patch = stem_.patch();
    return im2col_map(
        environment_.gpu, params_.type, data, sizes_,
        {params_.in_channels, patch, patch * columns_, patch * columns_ * sizes_.in_h}, pixels);
  }

  StemParams stem_;
  KernelLaunch pack_;
  PackProblem problem_ = {};
  int64_t columns_ = 0;
};

}  // namespace

Runner prepare_conv_sm90(const StepSource& source) {
  return std::make_unique<ConvSm90Runner>(source, decode_gemm_params(source.step));
}
Runner prepare_conv_stem_sm90(const StepSource& source) {
  return std::make_unique<ConvStemRunner>(source);
}
Runner prepare_gemm_sm90(const StepSource& source) {
  return std::make_unique<GemmSm90Runner>(source);
}

}  // namespace tenrec::cuda
