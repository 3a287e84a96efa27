// SPDX-License-Identifier: Apache-2.0
// The family "pool": max and average pools over one to three spatial axes, in any layout.
#include <array>

#include "ops/pool.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/runners.h"
#include "targets/cpu/run/spatial_loops.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t parallel_work = 64 << 10;  // elements read

struct PoolOp {
  Window window;
  std::vector<int64_t> kernel;
  bool is_max = true, count_pads = false;
};

PoolOp pool_op(const plan::Step& step) {
  const Op op = decode_step_op(step);
  if (const auto* max = op.as<MaxPool>()) return {max->window(), max->kernel_shape, true, false};
  if (const auto* mean = op.as<AveragePool>()) {
    return {mean->window(), mean->kernel_shape, false, mean->count_include_pad};
  }
  fail(ErrorCode::invalid_engine, "the pool family has no operator \"{}\"", step.op);
}

// Taps k of `kernel` for which start + k * dilation < end.
int64_t taps_before(int64_t start, int64_t end, const WindowAxis& axis) {
  if (end <= start) return 0;
  return std::min((end - start - 1) / axis.dilation + 1, axis.kernel);
}

void set_taps(std::vector<Taps>& all, const WindowAxis& axis, bool count_pads) {
  all.clear();
  for (int64_t o = 0; o < axis.out; ++o) {
    const int64_t start = o * axis.stride - axis.pad_begin;
    Taps taps;
    taps.skipped = taps_before(start, 0, axis);
    taps.taps = taps_before(start, axis.in, axis) - taps.skipped;
    taps.counted = count_pads ? taps_before(start, axis.in + axis.pad_end, axis) : taps.taps;
    if (taps.taps > 0) taps.first = start + taps.skipped * axis.dilation;
    else taps.skipped = 0;
    all.push_back(taps);
  }
}

class Pool : public StepRunner {
 public:
  Pool(const plan::Step& step, RunEnvironment& environment)
      : op_(pool_op(step)), threads_(environment.threads), loops_(spatial_loops(environment.isa)) {}

  void reshape(const StepArgs& args) override {
    const TensorView& in = args.inputs[0];
    const std::span<const int64_t> dims = in.dims;
    const Layout layout = layout_of(in);
    TENREC_CHECK(in.dtype == DType::f32, invalid_engine, "a pool of {}", tenrec::name(in.dtype));
    TENREC_CHECK(
        dims.size() == op_.kernel.size() + 2 && op_.kernel.size() >= 1 && op_.kernel.size() <= 3,
        invalid_engine, "a pool of {} axes on {}", op_.kernel.size(), tenrec::to_string(dims));
    const size_t shift = 3 - op_.kernel.size();
    for (size_t i = 0; i < 3; ++i) {
      const size_t axis = i - shift;
      axes_[i] =
          i < shift ? WindowAxis{} : resolve(op_.window, axis, dims[axis + 2], op_.kernel[axis]);
      set_taps(taps_[i], axes_[i], op_.count_pads);
    }
    const bool blocked = layout.block_axis == 1;
    lanes_ = layout.channels_last ? dims[1] : blocked ? layout.block : 1;
    planes_ = dims[0] * (layout.channels_last ? 1
                         : blocked            ? (dims[1] + lanes_ - 1) / lanes_
                                              : dims[1]);
    const auto out = static_cast<int64_t>(physical_elements(args.outputs[0]));
    TENREC_CHECK(layout == layout_of(args.outputs[0]) &&
                     out == planes_ * axes_[0].out * axes_[1].out * axes_[2].out * lanes_,
                 invalid_engine, "a pool whose output is {}",
                 tenrec::to_string(args.outputs[0].dims));
    used_lanes_ = blocked && dims[1] % lanes_ != 0 ? dims[1] % lanes_ : 0;
    blocks_ = blocked ? (dims[1] + lanes_ - 1) / lanes_ : 1;
  }

  void run(const StepArgs& args) override {
    const int64_t depth = axes_[0].out, height = axes_[1].out, width = axes_[2].out;
    const int64_t rows = planes_ * depth * height;
    if (rows * width * lanes_ == 0) return;
    const int64_t work =
        rows * width * lanes_ * axes_[0].kernel * axes_[1].kernel * axes_[2].kernel;
    const int tasks =
        work < parallel_work ? 1 : static_cast<int>(std::min<int64_t>(rows, threads_.count()));
    threads_.parallel(tasks, [&](int task, int) {
      for (int64_t row = rows * task / tasks; row < rows * (task + 1) / tasks; ++row) {
        run_row(args.inputs[0].as<float>(), args.outputs[0].as<float>() + row * width * lanes_,
                row);
      }
    });
  }

 private:
  void run_row(const float* x, float* y, int64_t row) const {
    const int64_t plane = row / (axes_[0].out * axes_[1].out);
    const Taps& depth = taps_[0][static_cast<size_t>(row / axes_[1].out % axes_[0].out)];
    const Taps& height = taps_[1][static_cast<size_t>(row % axes_[1].out)];
    const int64_t line = axes_[2].in * lanes_, picture = axes_[1].in * line;
    PoolRow pool;
    pool.from = x + plane * axes_[0].in * picture + depth.first * picture + height.first * line;
    pool.depth = depth.taps;
    pool.height = height.taps;
    pool.depth_step = axes_[0].dilation * picture;
    pool.height_step = axes_[1].dilation * line;
    pool.width_step = axes_[2].dilation * lanes_;
    pool.columns = taps_[2].data();
    pool.width = axes_[2].out;
    pool.lanes = lanes_;
    pool.stride = axes_[2].stride;
    pool.kernel = axes_[2].kernel;
    pool.dilation = axes_[2].dilation;
    pool.pad = axes_[2].pad_begin;
    pool.is_max = op_.is_max;
    pool.counted = depth.counted * height.counted;
    loops_.pool(pool, y);
    // A window in the padding alone gives -inf; pad lanes stay zero all the same.
    if (used_lanes_ == 0 || plane % blocks_ != blocks_ - 1 || !op_.is_max) return;
    for (int64_t o = 0; o < pool.width; ++o)
      std::fill(y + o * lanes_ + used_lanes_, y + (o + 1) * lanes_, 0.0F);
  }

  PoolOp op_;
  const Threads& threads_;
  const SpatialLoops& loops_;
  std::array<WindowAxis, 3> axes_;
  std::array<std::vector<Taps>, 3> taps_;
  int64_t lanes_ = 1, planes_ = 1, used_lanes_ = 0, blocks_ = 1;
};

}  // namespace

Runner prepare_pool(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<Pool>(step, environment);
}

}  // namespace tenrec::cpu
