// SPDX-License-Identifier: Apache-2.0
// The family "roi_align": bilinear samples inside regions. The samples of a run of cells are worked
// out once and used for every channel, so that a region's part of a channel is read in one go. Of
// an input in blocks of channels each tap is one vector.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/roi_align.cpp"
#include "targets/cpu/run/highway_each.h"
#include "targets/cpu/run/simd-inl.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ops/roi.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/roi_align.h"
#include "targets/cpu/run/runners.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

// B channels of `cells` cells, the next channel `channel_step` floats on; the first `channels` of
// them are there.
void roi_cells(const RoiSamples& samples, const float* from, int channels, float* to,
               int64_t channel_step) {
  const RoiSample* sample = samples.first;
  const V factor = all(samples.each == 0 ? 0.0F : 1.0F / static_cast<float>(samples.each));
  for (int64_t cell = 0; cell < samples.cells; ++cell) {
    V total = zero();
    V top = all(samples.each == 0 ? 0.0F : -std::numeric_limits<float>::infinity());
    for (int64_t i = 0; i < samples.each; ++i, ++sample) {
      for (size_t tap = 0; tap < 4; ++tap) {
        const V part = load(from + sample->pixel[tap] * B) * all(sample->weight[tap]);
        if (samples.maximum) top = at_least(part, top);
        else total = total + part;
      }
    }
    float lanes[B];
    store(lanes, samples.maximum ? top : total * factor);
    for (int lane = 0; lane < channels; ++lane) to[lane * channel_step + cell] = lanes[lane];
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tenrec::cpu {
namespace {

constexpr int64_t most_samples = 2048;  // of a run of cells, unless one cell has more

struct AxisSample {
  int64_t low = 0, high = 0;
  double fraction = 0;
};

AxisSample axis_sample(double at, int64_t length) {
  const double inside = std::max(at, 0.0);
  const auto low = static_cast<int64_t>(inside);
  if (low >= length - 1) return {length - 1, length - 1, 0};
  return {low, low + 1, inside - static_cast<double>(low)};
}

class RoiAlignRunner : public StepRunner {
 public:
  RoiAlignRunner(RoiAlign op, const RunEnvironment& environment)
      : op_(op),
        threads_(environment.threads),
        block_(block_of(environment.isa)),
        roi_cells_(TENREC_CPU_PICK(environment.isa, roi_cells)),
        samples_(static_cast<size_t>(threads_.count())) {}

  void reshape(const StepArgs& args) override {
    constexpr int64_t most_along = 1024;  // samples of one axis of a cell
    const int64_t regions = args.outputs[0].dims[0];
    const TensorView& batches = args.inputs[2];
    TENREC_CHECK(args.inputs[0].dtype == DType::f32 && args.inputs[0].dims.size() == 4 &&
                     args.inputs[1].dtype == DType::f32 &&
                     args.inputs[1].elements() == 4 * regions && batches.elements() == regions &&
                     (batches.dtype == DType::i32 || batches.dtype == DType::i64) &&
                     regions <= INT32_MAX && op_.sampling_ratio <= most_along,
                 invalid_engine, "{} regions of {} with {} batch indices and {} samples", regions,
                 tenrec::name(args.inputs[1].dtype), batches.elements(), op_.sampling_ratio);
    const int64_t cells = op_.output_height * op_.output_width;
    TENREC_CHECK(args.outputs[0].elements() == regions * args.inputs[0].dims[1] * cells,
                 invalid_engine, "{} regions of {} channels and {} cells give {}", regions,
                 args.inputs[0].dims[1], cells, tenrec::to_string(args.outputs[0].dims));
    const Layout layout = layout_of(args.inputs[0]);
    blocked_ = !layout.is_plain();
    TENREC_CHECK((!blocked_ || (layout.block_axis == 1 && layout.block == block_)) &&
                     layout_of(args.inputs[1]).is_plain() && layout_of(batches).is_plain() &&
                     layout_of(args.outputs[0]).is_plain(),
                 invalid_engine, "regions of a layout that the loops cannot read");
  }

  void run(const StepArgs& args) override {
    const auto regions = static_cast<int>(args.outputs[0].dims[0]);
    for (int64_t r = 0; r < regions; ++r) {
      const int64_t batch = batch_of(args, r);
      TENREC_CHECK(batch >= 0 && batch < args.inputs[0].dims[0], invalid_input,
                   "a region's batch index is {}, the input has {}", batch, args.inputs[0].dims[0]);
    }
    threads_.parallel(regions, [&](int region, int worker) {
      run_region(args, region, samples_[static_cast<size_t>(worker)]);
    });
  }

 private:
  static int64_t batch_of(const StepArgs& args, int64_t r) {
    const TensorView& view = args.inputs[2];
    return view.dtype == DType::i32 ? view.as<int32_t>()[r] : view.as<int64_t>()[r];
  }

  // A region in pixels of the input, and its grid of samples in each cell.
  struct Region {
    double left, top, cell_wide, cell_high;
    int64_t rows, columns;
  };

  Region region_of(const float* roi) const {
    const double scale = static_cast<double>(op_.spatial_scale),
                 offset = op_.half_pixel ? 0.5 : 0.0;
    const double left = static_cast<double>(roi[0]) * scale - offset,
                 top = static_cast<double>(roi[1]) * scale - offset;
    double wide = static_cast<double>(roi[2]) * scale - offset - left,
           high = static_cast<double>(roi[3]) * scale - offset - top;
    if (!op_.half_pixel) {
      wide = std::max(wide, 1.0);
      high = std::max(high, 1.0);
    }
    const double cell_high = high / static_cast<double>(op_.output_height),
                 cell_wide = wide / static_cast<double>(op_.output_width);
    return {left, top, cell_wide, cell_high, grid(cell_high), grid(cell_wide)};
  }

  void run_region(const StepArgs& args, int64_t r, std::vector<RoiSample>& samples) const {
    const TensorView& in = args.inputs[0];
    const int64_t channels = in.dims[1], plane = in.dims[2] * in.dims[3],
                  cells = op_.output_height * op_.output_width;
    const int64_t stored = blocked_ ? (channels + block_ - 1) / block_ * block_ : channels;
    const float* x = in.as<float>() + batch_of(args, r) * stored * plane;
    float* y = args.outputs[0].as<float>() + r * channels * cells;
    const Region region = region_of(args.inputs[1].as<float>() + r * 4);
    const int64_t each = region.rows * region.columns,
                  run = std::clamp<int64_t>(most_samples / std::max<int64_t>(each, 1), 1, cells);
    for (int64_t cell = 0; cell < cells; cell += run) {
      const int64_t count = std::min(run, cells - cell);
      samples.clear();
      for (int64_t i = 0; i < count; ++i)
        add_samples(region, cell + i, in.dims[2], in.dims[3], samples);
      const RoiSamples all{samples.data(), each, count, op_.maximum};
      for (int64_t c = 0; blocked_ && c < channels; c += block_)
        roi_cells_(all, x + c * plane, static_cast<int>(std::min<int64_t>(block_, channels - c)),
                   y + c * cells + cell, cells);
      for (int64_t c = 0; !blocked_ && c < channels; ++c)
        plain_cells(all, x + c * plane, y + c * cells + cell);
    }
  }

  void add_samples(const Region& region, int64_t cell, int64_t height, int64_t width,
                   std::vector<RoiSample>& samples) const {
    const auto row = static_cast<double>(cell / op_.output_width),
               column = static_cast<double>(cell % op_.output_width);
    for (int64_t i = 0; i < region.rows; ++i) {
      const double down = (static_cast<double>(i) + 0.5) / static_cast<double>(region.rows);
      for (int64_t j = 0; j < region.columns; ++j) {
        const double across = (static_cast<double>(j) + 0.5) / static_cast<double>(region.columns);
        samples.push_back(sample(region.top + (row + down) * region.cell_high,
                                 region.left + (column + across) * region.cell_wide, height,
                                 width));
      }
    }
  }

  int64_t grid(double cell) const {
    if (op_.sampling_ratio > 0) return op_.sampling_ratio;
    return static_cast<int64_t>(std::clamp(std::ceil(cell), 0.0, 65536.0));
  }

  static RoiSample sample(double y, double x, int64_t height, int64_t width) {
    RoiSample made;
    // Also without a number.
    if (!(y >= -1 && y <= static_cast<double>(height) && x >= -1 &&
          x <= static_cast<double>(width)))
      return made;
    const AxisSample row = axis_sample(y, height), column = axis_sample(x, width);
    made.pixel = {row.low * width + column.low, row.low * width + column.high,
                  row.high * width + column.low, row.high * width + column.high};
    made.weight = {static_cast<float>((1 - row.fraction) * (1 - column.fraction)),
                   static_cast<float>((1 - row.fraction) * column.fraction),
                   static_cast<float>(row.fraction * (1 - column.fraction)),
                   static_cast<float>(row.fraction * column.fraction)};
    return made;
  }

  static void plain_cells(const RoiSamples& samples, const float* channel, float* to) {
    const RoiSample* sample = samples.first;
    for (int64_t cell = 0; cell < samples.cells; ++cell) {
      float sum = 0, top = samples.each == 0 ? 0 : -std::numeric_limits<float>::infinity();
      for (int64_t i = 0; i < samples.each; ++i, ++sample) {
        for (size_t tap = 0; tap < 4; ++tap) {
          const float part = sample->weight[tap] * channel[sample->pixel[tap]];
          sum += part;
          top = std::max(top, part);
        }
      }
      const auto count = static_cast<float>(std::max<int64_t>(samples.each, 1));
      to[cell] = samples.maximum ? top : sum / count;
    }
  }

  RoiAlign op_;
  const Threads& threads_;
  int64_t block_;
  void (*roi_cells_)(const RoiSamples&, const float*, int, float*, int64_t);
  bool blocked_ = false;
  std::vector<std::vector<RoiSample>> samples_;  // of each thread; they grow to the largest run
};

}  // namespace

Runner prepare_roi_align(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<RoiAlignRunner>(step_op<RoiAlign>(step), environment);
}

}  // namespace tenrec::cpu
#endif
