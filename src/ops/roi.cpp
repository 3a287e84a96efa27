// SPDX-License-Identifier: Apache-2.0
#include "ops/roi.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/support.h"

namespace tenrec {
namespace {

// One bilinear sample: four pixels of a channel and their weights (all 0 outside the image).
struct Sample {
  int64_t pixel[4] = {0, 0, 0, 0};
  double weight[4] = {0, 0, 0, 0};
};

struct AxisSample {
  int64_t low = 0, high = 0;
  double fraction = 0;
};

AxisSample axis_sample(double at, int64_t length) {
  at = std::max(at, 0.0);
  const auto low = static_cast<int64_t>(at);
  if (low >= length - 1) return {length - 1, length - 1, 0};
  return {low, low + 1, at - static_cast<double>(low)};
}

Sample sample_at(double y, double x, int64_t height, int64_t width) {
  Sample sample;
  if (y < -1 || y > static_cast<double>(height) || x < -1 || x > static_cast<double>(width)) {
    return sample;
  }
  const AxisSample row = axis_sample(y, height);
  const AxisSample column = axis_sample(x, width);
  sample.pixel[0] = row.low * width + column.low;
  sample.pixel[1] = row.low * width + column.high;
  sample.pixel[2] = row.high * width + column.low;
  sample.pixel[3] = row.high * width + column.high;
  sample.weight[0] = (1 - row.fraction) * (1 - column.fraction);
  sample.weight[1] = (1 - row.fraction) * column.fraction;
  sample.weight[2] = row.fraction * (1 - column.fraction);
  sample.weight[3] = row.fraction * column.fraction;
  return sample;
}

Shape regions_shape(const Types& in, int64_t columns, Dim height, Dim width) {
  const Type& x = required_float(in, 0, "the input");
  const Type& rois = required_float(in, 1, "the regions");
  TENREC_CHECK(x.rank() == 4 && rois.rank() == 2, invalid_model,
               "input {} and regions {} must have four and two axes", x.str(), rois.str());
  check_same_size(rois.shape[1], columns, "numbers of a region");
  return {rois.shape[0], x.shape[1], height, width};
}

int64_t checked_batch(int64_t batch, const Dims& dims) {
  TENREC_CHECK(batch >= 0 && batch < dims[0], invalid_input,
               "a region's batch index is {}, the input has {}", batch, dims[0]);
  return batch;
}

double pooled(const std::vector<Sample>& samples, const double* channel, bool maximum) {
  double result = maximum ? -std::numeric_limits<double>::infinity() : 0;
  for (const Sample& sample : samples) {
    double sum = 0;
    double top = -std::numeric_limits<double>::infinity();
    for (int i = 0; i < 4; ++i) {
      const double part = sample.weight[i] * channel[sample.pixel[i]];
      sum += part;
      top = std::max(top, part);
    }
    // ONNX takes the greatest weighted pixel, not the greatest interpolated value.
    result = maximum ? std::max(result, top) : result + sum;
  }
  if (samples.empty()) return 0;
  return maximum ? result : result / static_cast<double>(samples.size());
}

}  // namespace

Types RoiAlign::infer(const Types& in) const {
  TENREC_CHECK(output_height >= 1 && output_width >= 1, invalid_model,
               "output_height and output_width are {} and {}", output_height, output_width);
  TENREC_CHECK(sampling_ratio >= 0 && sampling_ratio <= 4096, invalid_model, "sampling_ratio is {}",
               sampling_ratio);
  const Type& x = required_float(in, 0, "the input");
  if (!x.ranked || !required(in, 1, "the regions").ranked) return {Type::unranked(x.dtype)};
  const Type& batch = required(in, 2, "the batch indices");
  Shape shape = regions_shape(in, 4, output_height, output_width);
  if (batch.ranked) {
    TENREC_CHECK(batch.rank() == 1, invalid_model, "batch indices are {}, expected 1-D",
                 batch.str());
    check_same_size(batch.shape[0], shape[0], "batch indices and regions");
  }
  return {Type::tensor(x.dtype, std::move(shape))};
}

Tensors RoiAlign::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const Dims& dims = in[0].dims();
  const std::vector<double> x = in[0].to_doubles();
  const std::vector<double> rois = in[1].to_doubles();
  const std::vector<int64_t> batches = in[2].to_ints();
  const int64_t plane = dims[2] * dims[3];
  std::vector<double> y(element_count(out));
  const double scale = static_cast<double>(spatial_scale);
  const double offset = half_pixel ? 0.5 : 0.0;
  std::vector<Sample> samples;
  for (int64_t r = 0; r < out[0]; ++r) {
    const double* roi = rois.data() + r * 4;
    const int64_t batch = checked_batch(batches[static_cast<size_t>(r)], dims);
    const double left = roi[0] * scale - offset;
    const double top = roi[1] * scale - offset;
    double width = roi[2] * scale - offset - left;
    double height = roi[3] * scale - offset - top;
    if (!half_pixel) {
      width = std::max(width, 1.0);
      height = std::max(height, 1.0);
    }
    const double cell_height = height / static_cast<double>(output_height);
    const double cell_width = width / static_cast<double>(output_width);
    const auto grid = [&](double cell) {
      if (sampling_ratio > 0) return sampling_ratio;
      return static_cast<int64_t>(std::clamp(std::ceil(cell), 0.0, 65536.0));
    };
    const int64_t rows = grid(cell_height);
    const int64_t columns = grid(cell_width);
    for (int64_t cell = 0; cell < output_height * output_width; ++cell) {
      samples.clear();
      const auto cell_row = static_cast<double>(cell / output_width);
      const auto cell_column = static_cast<double>(cell % output_width);
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < columns; ++j) {
          const double down = (static_cast<double>(i) + 0.5) / static_cast<double>(rows);
          const double across = (static_cast<double>(j) + 0.5) / static_cast<double>(columns);
          samples.push_back(sample_at(top + (cell_row + down) * cell_height,
                                      left + (cell_column + across) * cell_width, dims[2],
                                      dims[3]));
        }
      }
      for (int64_t c = 0; c < dims[1]; ++c) {
        y[static_cast<size_t>((r * dims[1] + c) * output_height * output_width + cell)] =
            pooled(samples, x.data() + (batch * dims[1] + c) * plane, maximum);
      }
    }
  }
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

Values RoiAlign::from_onnx(const OnnxNode& node, OnnxContext& context) {
  // Opset 16 added the attribute, with another default than the behaviour before.
  const std::string coordinates = node.text("coordinate_transformation_mode",
                                            node.opset() < 16 ? "output_half_pixel" : "half_pixel");
  TENREC_CHECK(coordinates == "half_pixel" || coordinates == "output_half_pixel", invalid_model,
               "coordinate_transformation_mode is \"{}\", expected half_pixel or output_half_pixel",
               coordinates);
  const std::string mode = node.text("mode", "avg");
  TENREC_CHECK(mode == "avg" || mode == "max", invalid_model, "mode is \"{}\", expected avg or max",
               mode);
  return context.add(RoiAlign{.half_pixel = coordinates == "half_pixel",
                              .maximum = mode == "max",
                              .output_height = node.integer("output_height", 1),
                              .output_width = node.integer("output_width", 1),
                              .sampling_ratio = node.integer("sampling_ratio", 0),
                              .spatial_scale = node.number("spatial_scale", 1)},
                     context.inputs());
}

Types MaxRoiPool::infer(const Types& in) const {
  TENREC_CHECK(pooled_shape.size() == 2 && pooled_shape[0] >= 1 && pooled_shape[1] >= 1,
               invalid_model, "pooled_shape is {}, expected height and width",
               tenrec::to_string(pooled_shape));
  const Type& x = required_float(in, 0, "the input");
  if (!x.ranked || !required(in, 1, "the regions").ranked) return {Type::unranked(x.dtype)};
  return {Type::tensor(x.dtype, regions_shape(in, 5, pooled_shape[0], pooled_shape[1]))};
}

Tensors MaxRoiPool::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const Dims& dims = in[0].dims();
  const std::vector<double> x = in[0].to_doubles();
  const std::vector<double> rois = in[1].to_doubles();
  std::vector<double> y(element_count(out), 0.0);
  const auto pixel = [&](double value) {
    return static_cast<int64_t>(
        std::clamp(std::round(value * static_cast<double>(spatial_scale)), -1e9, 1e9));
  };
  // Cells [first, last) of pixels along one axis.
  const auto cell = [](int64_t i, int64_t start, int64_t end, int64_t cells, int64_t length) {
    const double size =
        static_cast<double>(std::max<int64_t>(end - start + 1, 1)) / static_cast<double>(cells);
    const auto first = static_cast<int64_t>(std::floor(static_cast<double>(i) * size)) + start;
    const auto last = static_cast<int64_t>(std::ceil(static_cast<double>(i + 1) * size)) + start;
    return std::pair{std::clamp<int64_t>(first, 0, length), std::clamp<int64_t>(last, 0, length)};
  };
  Dims at(4, 0);
  size_t element = 0;
  if (y.empty()) return {Tensor::from_doubles(in[0].dtype(), out, y)};
  do {
    const double* roi = rois.data() + at[0] * 5;
    const int64_t batch = checked_batch(static_cast<int64_t>(roi[0]), dims);
    const auto [top, bottom] = cell(at[2], pixel(roi[2]), pixel(roi[4]), out[2], dims[2]);
    const auto [left, right] = cell(at[3], pixel(roi[1]), pixel(roi[3]), out[3], dims[3]);
    double best = -std::numeric_limits<double>::infinity();
    for (int64_t row = top; row < bottom; ++row) {
      for (int64_t column = left; column < right; ++column) {
        best = std::max(
            best,
            x[static_cast<size_t>(((batch * dims[1] + at[1]) * dims[2] + row) * dims[3] + column)]);
      }
    }
    y[element++] = std::isinf(best) && (top >= bottom || left >= right) ? 0 : best;
  } while (next_index(at, out));
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

}  // namespace tenrec
