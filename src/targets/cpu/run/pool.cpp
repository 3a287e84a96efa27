// SPDX-License-Identifier: Apache-2.0
// The family "pool": max and average pools over one to three spatial axes, in any layout.
#include <array>

#include "ops/pool.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/row_split.h"
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

struct PoolAxis {
  WindowAxis axis;
  std::vector<Taps> taps;      // of each output position
  std::vector<float> factors;  // one over the positions that an average counts; of none: 0
};

void set_taps(PoolAxis& all, bool count_pads) {
  const WindowAxis& axis = all.axis;
  all.taps.clear();
  all.factors.clear();
  for (int64_t o = 0; o < axis.out; ++o) {
    const int64_t start = o * axis.stride - axis.pad_begin;
    const int64_t skipped = taps_before(start, 0, axis);
    const int64_t taps = taps_before(start, axis.in, axis) - skipped;
    const int64_t counted = count_pads ? taps_before(start, axis.in + axis.pad_end, axis) : taps;
    all.taps.push_back({taps > 0 ? start + skipped * axis.dilation : 0, taps});
    all.factors.push_back(counted == 0 ? 0.0F : 1.0F / static_cast<float>(counted));
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
      axes_[i].axis =
          i < shift ? WindowAxis{} : resolve(op_.window, axis, dims[axis + 2], op_.kernel[axis]);
      set_taps(axes_[i], op_.count_pads);
    }
    const bool blocked = layout.block_axis == 1;
    lanes_ = layout.channels_last ? dims[1] : blocked ? layout.block : 1;
    planes_ = dims[0] * (layout.channels_last ? 1
                         : blocked            ? (dims[1] + lanes_ - 1) / lanes_
                                              : dims[1]);
    const auto out = static_cast<int64_t>(physical_elements(args.outputs[0]));
    TENREC_CHECK(
        layout == layout_of(args.outputs[0]) &&
            out == planes_ * axes_[0].axis.out * axes_[1].axis.out * axes_[2].axis.out * lanes_,
        invalid_engine, "a pool whose output is {}", tenrec::to_string(args.outputs[0].dims));
    const WindowAxis& columns = axes_[2].axis;
    const int64_t covered =
        (columns.out - 1) * columns.stride + (columns.kernel - 1) * columns.dilation + 1;
    line_size_ = std::max({covered, columns.pad_begin, int64_t{0}});
    if (lanes_ == 1)
      lines_.resize(static_cast<size_t>(threads_.count() * (line_size_ + pool_line_slack)));
    used_lanes_ = blocked ? dims[1] % lanes_ : 0;
    blocks_ = blocked ? (dims[1] + lanes_ - 1) / lanes_ : 1;
    has_empty_windows_ = std::any_of(axes_.begin(), axes_.end(), [](const PoolAxis& each) {
      return std::any_of(each.taps.begin(), each.taps.end(),
                         [](const Taps& taps) { return taps.taps == 0; });
    });
  }

  void run(const StepArgs& args) override {
    const WindowAxis &depth = axes_[0].axis, &height = axes_[1].axis, &width = axes_[2].axis;
    const int64_t rows = planes_ * depth.out * height.out, row_size = width.out * lanes_;
    if (rows * row_size == 0) return;
    const int64_t work = rows * row_size * depth.kernel * height.kernel * width.kernel;
    const int tasks =
        work < parallel_work ? 1 : static_cast<int>(std::min<int64_t>(rows, threads_.count()));
    const RowSplit split{planes_, depth.out * height.out, tasks};
    threads_.parallel(tasks, [&](int task, int worker) {
      PoolRow pool = row_pattern(worker);
      split.each_part(task, [&](int64_t plane, int64_t first, int64_t last) {
        for (int64_t row = plane * split.rows + first; row < plane * split.rows + last; ++row) {
          run_row(pool, args.inputs[0].as<float>(), args.outputs[0].as<float>() + row * row_size,
                  row);
        }
      });
    });
  }

 private:
  // What all rows have in common.
  PoolRow row_pattern(int worker) {
    const WindowAxis &depth = axes_[0].axis, &height = axes_[1].axis, &width = axes_[2].axis;
    PoolRow pool;
    pool.depth_step = depth.dilation * height.in * width.in * lanes_;
    pool.height_step = height.dilation * width.in * lanes_;
    pool.width_step = width.dilation * lanes_;
    pool.ahead = height.stride * width.in;
    pool.columns = axes_[2].taps.data();
    pool.width = width.out;
    pool.lanes = lanes_;
    pool.stride = width.stride;
    pool.kernel = width.kernel;
    pool.dilation = width.dilation;
    pool.pad = width.pad_begin;
    pool.is_max = op_.is_max;
    pool.factors = axes_[2].factors.data();
    pool.in_width = width.in;
    pool.line_size = line_size_;
    pool.line = lines_.data() + worker * (line_size_ + pool_line_slack);
    return pool;
  }

  void run_row(PoolRow& pool, const float* x, float* y, int64_t row) const {
    const WindowAxis &depth = axes_[0].axis, &height = axes_[1].axis;
    const int64_t plane = row / (depth.out * height.out);
    const auto z = static_cast<size_t>(row / height.out % depth.out);
    const auto line = static_cast<size_t>(row % height.out);
    const Taps &in_depth = axes_[0].taps[z], &in_height = axes_[1].taps[line];
    const int64_t line_size = axes_[2].axis.in * lanes_, picture = height.in * line_size;
    pool.from = x + (plane * depth.in + in_depth.first) * picture + in_height.first * line_size;
    pool.depth = in_depth.taps;
    pool.height = in_height.taps;
    pool.factor = axes_[0].factors[z] * axes_[1].factors[line];
    loops_.pool(pool, y);
    // The maximum of pad lanes is their zero, but for windows in the padding alone: -inf.
    const bool has_pad_lanes = used_lanes_ > 0 && plane % blocks_ == blocks_ - 1;
    if (!has_pad_lanes || !has_empty_windows_) return;
    for (int64_t o = 0; o < pool.width; ++o)
      std::fill(y + o * lanes_ + used_lanes_, y + (o + 1) * lanes_, 0.0F);
  }

  PoolOp op_;
  const Threads& threads_;
  const SpatialLoops& loops_;
  std::array<PoolAxis, 3> axes_;
  std::vector<float> lines_;  // PoolRow's line, of each thread
  int64_t line_size_ = 0;
  int64_t lanes_ = 1, planes_ = 1, used_lanes_ = 0, blocks_ = 1;
  bool has_empty_windows_ = false;
};

}  // namespace

Runner prepare_pool(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<Pool>(step, environment);
}

}  // namespace tenrec::cpu
