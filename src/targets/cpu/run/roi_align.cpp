// SPDX-License-Identifier: Apache-2.0
// The family "roi_align": bilinear samples inside regions. The samples of a cell are worked out
// once and used for every channel.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ops/roi.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

struct Sample {
  std::array<int64_t, 4> pixel{};
  std::array<float, 4> weight{};
};

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
  RoiAlignRunner(RoiAlign op, const Threads& threads)
      : op_(op), threads_(threads), samples_(static_cast<size_t>(threads.count())) {}

  void reshape(const StepArgs& args) override {
    constexpr int64_t most_samples = 1024;  // along one axis of a cell
    const int64_t regions = args.outputs[0].dims[0];
    const TensorView& batches = args.inputs[2];
    TENREC_CHECK(args.inputs[0].dtype == DType::f32 && args.inputs[0].dims.size() == 4 &&
                     args.inputs[1].dtype == DType::f32 &&
                     args.inputs[1].elements() == 4 * regions && batches.elements() == regions &&
                     (batches.dtype == DType::i32 || batches.dtype == DType::i64) &&
                     regions <= INT32_MAX && op_.sampling_ratio <= most_samples,
                 invalid_engine, "{} regions of {} with {} batch indices and {} samples", regions,
                 tenrec::name(args.inputs[1].dtype), batches.elements(), op_.sampling_ratio);
    const int64_t cells = op_.output_height * op_.output_width;
    TENREC_CHECK(args.outputs[0].elements() == regions * args.inputs[0].dims[1] * cells,
                 invalid_engine, "{} regions of {} channels and {} cells give {}", regions,
                 args.inputs[0].dims[1], cells, tenrec::to_string(args.outputs[0].dims));
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

  void run_region(const StepArgs& args, int64_t r, std::vector<Sample>& samples) const {
    const TensorView& in = args.inputs[0];
    const int64_t channels = in.dims[1], height = in.dims[2], width = in.dims[3],
                  plane = height * width;
    const float* x = in.as<float>() + batch_of(args, r) * channels * plane;
    float* y = args.outputs[0].as<float>() + r * channels * op_.output_height * op_.output_width;
    const float* roi = args.inputs[1].as<float>() + r * 4;
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
    const int64_t rows = grid(cell_high), columns = grid(cell_wide),
                  cells = op_.output_height * op_.output_width;
    for (int64_t cell = 0; cell < cells; ++cell) {
      samples.clear();
      const auto cell_row = static_cast<double>(cell / op_.output_width),
                 cell_column = static_cast<double>(cell % op_.output_width);
      for (int64_t i = 0; i < rows; ++i) {
        const double down = (static_cast<double>(i) + 0.5) / static_cast<double>(rows);
        for (int64_t j = 0; j < columns; ++j) {
          const double across = (static_cast<double>(j) + 0.5) / static_cast<double>(columns);
          samples.push_back(sample(top + (cell_row + down) * cell_high,
                                   left + (cell_column + across) * cell_wide, height, width));
        }
      }
      for (int64_t c = 0; c < channels; ++c) y[c * cells + cell] = pooled(samples, x + c * plane);
    }
  }

  int64_t grid(double cell) const {
    if (op_.sampling_ratio > 0) return op_.sampling_ratio;
    return static_cast<int64_t>(std::clamp(std::ceil(cell), 0.0, 65536.0));
  }

  static Sample sample(double y, double x, int64_t height, int64_t width) {
    Sample made;
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

  float pooled(const std::vector<Sample>& samples, const float* channel) const {
    if (samples.empty()) return 0;
    float sum = 0, top = -std::numeric_limits<float>::infinity();
    for (const Sample& s : samples) {
      for (size_t i = 0; i < 4; ++i) {
        const float part = s.weight[i] * channel[s.pixel[i]];
        sum += part;
        top = std::max(top, part);
      }
    }
    return op_.maximum ? top : sum / static_cast<float>(samples.size());
  }

  RoiAlign op_;
  const Threads& threads_;
  std::vector<std::vector<Sample>> samples_;  // of each thread; they grow to the largest cell
};

}  // namespace

Runner prepare_roi_align(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<RoiAlignRunner>(step_op<RoiAlign>(step), environment.threads);
}

}  // namespace tenrec::cpu
