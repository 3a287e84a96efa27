// SPDX-License-Identifier: Apache-2.0
// Steps of family "gemm_mma": device/gemm_mma.cuh.
#include "targets/cuda/run/gemm_launch.h"
#include "targets/cuda/run/gemm_tactic.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

struct GemmProblem {  // as in device/gemm_mma.cuh
  const void* a;
  const void* b;
  void* c;
  const void* channel;
  const void* full[4];
  int m, n, k, channel_row, out_w, out_hw, in_h, in_w;
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  long long a_image, a_h, a_w, a_c, b_n, b_k, c_image, c_row, c_column;
  int batch[3];
  long long a_batch[3], b_batch[3], c_batch[3];
  int channel_batch;
};

class GemmMmaRunner final : public StepRunner {
 public:
  explicit GemmMmaRunner(const StepSource& source)
      : params_(decode_gemm_params(source.step)),
        tile_(parse_mma_tile(source.step.tactic)),
        environment_(source.environment) {
    const bool plain = params_.type == DType::f32 && !params_.tf32;
    launch_.threads = tile_.threads(plain);
    launch_.shared_bytes = tile_.shared_bytes();
    launch_.function = step_function(source, 0, launch_.shared_bytes);
  }

  bool recordable() const override { return true; }

  void reshape(const StepArgs& args) override {
    const GemmSizes sizes = gemm_sizes(params_, args);
    empty_ = sizes.empty();
    problem_ = {};
    fill(sizes);
    launch_.grid[0] = static_cast<unsigned>(tiles_over(sizes.m, tile_.rows));
    launch_.grid[1] = static_cast<unsigned>(tiles_over(sizes.n, tile_.columns));
    launch_.grid[2] = static_cast<unsigned>(sizes.batch_count());
    TENREC_CHECK(launch_.grid[1] < 65536 && sizes.batch_count() < 65536, unsupported,
                 "a product of {} matrices of {} columns", sizes.batch_count(), sizes.n);
  }

  void run(const StepArgs& args) override {
    if (empty_) return;
    problem_.a = args.inputs[0].data;
    problem_.b = args.inputs[1].data;
    problem_.c = args.outputs[0].data;
    set_operands(args, problem_);
    launch(environment_, launch_, &problem_);
  }

 private:
  void fill(const GemmSizes& s) {
    GemmProblem& p = problem_;
    p.m = static_cast<int>(s.m);
    p.n = static_cast<int>(s.n);
    p.k = static_cast<int>(s.k);
    p.channel_row = static_cast<int>(s.n);
    p.out_w = p.out_hw = 1;
    for (int i = 0; i < 3; ++i) {
      p.batch[i] = static_cast<int>(s.batch[i]);
      p.a_batch[i] = s.a_step[i];
      p.b_batch[i] = s.b_step[i];
      p.c_batch[i] = s.c_step[i];
    }
    if (params_.convolution) return fill_convolution(s);
    p.a_h = s.k;
    p.a_c = 1;
    p.b_n = params_.constant_b ? params_.padded_channels : 1;
    p.b_k = params_.constant_b ? 1 : s.n;
    p.c_row = s.n;
    p.c_column = 1;
  }

  void fill_convolution(const GemmSizes& s) {
    GemmProblem& p = problem_;
    p.channel_row = static_cast<int>(params_.out_channels);
    p.channel_batch = static_cast<int>(s.n);
    p.out_w = static_cast<int>(s.out_w);
    p.out_hw = static_cast<int>(s.out_h * s.out_w);
    p.in_h = static_cast<int>(s.in_h);
    p.in_w = static_cast<int>(s.in_w);
    p.stride_h = static_cast<int>(s.stride_h);
    p.stride_w = static_cast<int>(s.stride_w);
    p.pad_h = static_cast<int>(s.pad_h);
    p.pad_w = static_cast<int>(s.pad_w);
    p.dilation_h = static_cast<int>(s.dilation_h);
    p.dilation_w = static_cast<int>(s.dilation_w);
    const int64_t in = params_.in_channels, out = params_.out_channels;
    const int64_t in_pixels = s.in_h * s.in_w, out_pixels = s.out_h * s.out_w;
    const bool last = params_.channels_last;
    p.a_image = in * in_pixels;
    p.a_h = last ? s.in_w * in : s.in_w;
    p.a_w = last ? in : 1;
    p.a_c = last ? 1 : in_pixels;
    p.b_n = s.k;
    p.b_k = 1;
    p.c_image = out * out_pixels;
    p.c_row = last ? out : 1;
    p.c_column = last ? 1 : out_pixels;
    p.a_batch[2] = in / params_.groups * p.a_c;  // groups
    p.b_batch[2] = s.n * s.k;
    p.c_batch[2] = s.n * p.c_column;
  }

  GemmParams params_;
  MmaTile tile_;
  RunEnvironment& environment_;
  KernelLaunch launch_;
  GemmProblem problem_ = {};
  bool empty_ = false;
};

}  // namespace

Runner prepare_gemm_mma(const StepSource& source) {
  return std::make_unique<GemmMmaRunner>(source);
}

}  // namespace tenrec::cuda
