// SPDX-License-Identifier: Apache-2.0
#include "ops/grid_sample.h"

#include <algorithm>
#include <cmath>

#include "ops/movement.h"
#include "ops/support.h"

namespace tenrec {
namespace {

// Mirrors x at the ends of [low, high] until it is inside.
double reflect(double x, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  if (x >= low && x <= high) return x;
  const double distance = x < low ? low - x : x - high;
  const double turns = std::floor(distance / range);
  const double rest = distance - turns * range;
  const bool from_near_end = std::fmod(turns, 2) == 0;
  return (x < low) == from_near_end ? low + rest : high - rest;
}

// The elements of one axis that a point reads; index -1 reads zero.
struct AxisTaps {
  int count = 0;
  int64_t index[4] = {-1, -1, -1, -1};
  double weight[4] = {0, 0, 0, 0};
};

int64_t padded_index(SamplePadding padding, double at, int64_t length, double low, double high) {
  if (at >= 0 && at <= static_cast<double>(length - 1)) return static_cast<int64_t>(at);
  if (padding == SamplePadding::zeros) return -1;
  if (padding == SamplePadding::reflection) at = std::trunc(reflect(at, low, high));
  return static_cast<int64_t>(std::clamp(at, 0.0, static_cast<double>(length - 1)));
}

AxisTaps axis_taps(const GridSample& op, double coordinate, int64_t length) {
  const auto size = static_cast<double>(length);
  const double low = op.align_corners ? 0 : -0.5;
  const double high = op.align_corners ? size - 1 : size - 0.5;
  double x =
      op.align_corners ? (coordinate + 1) / 2 * (size - 1) : ((coordinate + 1) * size - 1) / 2;
  // Far outside and NaN: anything outside will do, and integers stay defined.
  x = std::isnan(x) ? -1e9 : std::clamp(x, -1e9, 1e9);
  if (op.mode == SampleMode::nearest) x = std::nearbyint(x);
  // Cubic kernels bend their own support at the border, not the point.
  if (op.mode != SampleMode::cubic && (x < low || x > high)) {
    if (op.padding == SamplePadding::border) x = std::clamp(x, 0.0, size - 1);
    if (op.padding == SamplePadding::reflection) x = reflect(x, low, high);
  }
  const double base = std::floor(x);
  const double t = x - base;
  AxisTaps taps;
  double first = base;
  if (op.mode == SampleMode::nearest) {
    taps = {.count = 1, .weight = {1}};
    first = std::nearbyint(x);
  } else if (op.mode == SampleMode::linear) {
    taps = {.count = 2, .weight = {1 - t, t}};
  } else {
    constexpr double a = -0.75;
    const auto far = [&](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
    const auto near = [&](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
    taps = {.count = 4, .weight = {far(t + 1), near(t), near(1 - t), far(2 - t)}};
    first = base - 1;
  }
  for (int i = 0; i < taps.count; ++i) {
    taps.index[i] = padded_index(op.padding, first + i, length, low, high);
  }
  return taps;
}

// The weighted elements of a channel that one grid point reads.
void point_taps(const std::vector<AxisTaps>& axes, const Dims& spatial, size_t axis, int64_t offset,
                double weight, std::vector<std::pair<int64_t, double>>& into) {
  if (axis == axes.size()) {
    into.emplace_back(offset, weight);
    return;
  }
  for (int i = 0; i < axes[axis].count; ++i) {
    if (axes[axis].index[i] < 0 || axes[axis].weight[i] == 0) continue;
    point_taps(axes, spatial, axis + 1, offset * spatial[axis] + axes[axis].index[i],
               weight * axes[axis].weight[i], into);
  }
}

}  // namespace

Types GridSample::infer(const Types& in) const {
  const Type& x = required(in, 0, "the input");
  const Type& grid = required_float(in, 1, "the grid");
  if (!x.ranked || !grid.ranked) return {Type::unranked(x.dtype)};
  TENREC_CHECK(x.rank() >= 3 && grid.rank() == x.rank(), invalid_model,
               "input {} and grid {} must have the same number of axes, at least three", x.str(),
               grid.str());
  check_same_size(grid.shape[0], x.shape[0], "batch of grid and input");
  check_same_size(grid.shape.back(), x.rank() - 2, "the grid's last axis and the spatial axes");
  Shape shape{x.shape[0], x.shape[1]};
  shape.insert(shape.end(), grid.shape.begin() + 1, grid.shape.end() - 1);
  return {Type::tensor(x.dtype, std::move(shape))};
}

Tensors GridSample::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const Dims spatial(in[0].dims().begin() + 2, in[0].dims().end());
  const int64_t channels = out[1];
  const int64_t plane = elements_between(spatial, 0, spatial.size());
  const int64_t points = elements_between(out, 2, out.size());
  const std::vector<double> x = in[0].to_doubles();
  const std::vector<double> grid = in[1].to_doubles();
  std::vector<double> y(element_count(out), 0.0);
  std::vector<AxisTaps> axes(spatial.size());
  std::vector<std::pair<int64_t, double>> taps;
  for (int64_t p = 0; p < out[0] * points && plane > 0; ++p) {
    const double* at = grid.data() + p * static_cast<int64_t>(spatial.size());
    for (size_t i = 0; i < axes.size(); ++i) {
      axes[i] = axis_taps(*this, at[axes.size() - 1 - i], spatial[i]);
    }
    taps.clear();
    point_taps(axes, spatial, 0, 0, 1, taps);
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t channel = p / points * channels + c;
      double sum = 0;
      for (const auto& [offset, weight] : taps) {
        sum += weight * x[static_cast<size_t>(channel * plane + offset)];
      }
      y[static_cast<size_t>(channel * points + p % points)] = sum;
    }
  }
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

Values GridSample::from_onnx(const OnnxNode& node, OnnxContext& context) {
  GridSample op{.align_corners = node.integer("align_corners", 0) != 0};
  const std::string mode = node.text("mode", "linear");
  if (mode == "nearest") op.mode = SampleMode::nearest;
  else if (mode == "linear" || mode == "bilinear") op.mode = SampleMode::linear;
  else if (mode == "cubic" || mode == "bicubic") op.mode = SampleMode::cubic;
  else fail(ErrorCode::invalid_model, "mode is \"{}\", expected linear, nearest or cubic", mode);
  const std::string padding = node.text("padding_mode", "zeros");
  if (padding == "zeros") op.padding = SamplePadding::zeros;
  else if (padding == "border") op.padding = SamplePadding::border;
  else if (padding == "reflection") op.padding = SamplePadding::reflection;
  else
    fail(ErrorCode::invalid_model, "padding_mode is \"{}\", expected zeros, border or reflection",
         padding);
  return context.add(op, context.inputs());
}

Types AffineGrid::infer(const Types& in) const {
  const Type& theta = required_float(in, 0, "theta");
  const Type& size = required(in, 1, "the size");
  check_list(size, "the size");
  if (!theta.ranked) return {Type::unranked(theta.dtype)};
  TENREC_CHECK(theta.rank() == 3, invalid_model, "theta is {}, expected [N, 2, 3] or [N, 3, 4]",
               theta.str());
  const std::optional<int64_t> rows = theta.shape[1].constant();
  TENREC_CHECK(rows && (*rows == 2 || *rows == 3), invalid_model,
               "theta is {}, expected [N, 2, 3] or [N, 3, 4]", theta.str());
  check_same_size(theta.shape[2], *rows + 1, "columns of theta");
  if (size.ranked) check_same_size(size.shape[0], *rows + 2, "the size");
  const std::vector<Dim>* known = size.known_ints();
  TENREC_CHECK(!known || static_cast<int64_t>(known->size()) == *rows + 2, invalid_model,
               "the size has {} entries, expected {}", known ? known->size() : 0, *rows + 2);
  Shape shape{theta.shape[0]};
  for (int64_t i = 0; i < *rows; ++i) {
    shape.push_back(known ? (*known)[static_cast<size_t>(i + 2)] : Dim::fresh("grid"));
  }
  shape.push_back(*rows);
  return {Type::tensor(theta.dtype, std::move(shape))};
}

Tensors AffineGrid::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const std::vector<double> theta = in[0].to_doubles();
  const auto axes = static_cast<size_t>(out.back());
  std::vector<double> y;
  y.reserve(element_count(out));
  const Dims points(out.begin(), out.end() - 1);
  if (element_count(points) == 0) return {Tensor(in[0].dtype(), out)};
  Dims at(points.size(), 0);
  do {
    const double* matrix = theta.data() + static_cast<size_t>(at[0]) * axes * (axes + 1);
    for (size_t row = 0; row < axes; ++row) {
      double sum = matrix[row * (axes + 1) + axes];
      for (size_t i = 0; i < axes; ++i) {
        // Coordinates run last spatial axis first.
        const auto size = static_cast<double>(points[axes - i]);
        const auto k = static_cast<double>(at[axes - i]);
        double coordinate = align_corners ? -1 + 2 * k / (size - 1) : -1 + (2 * k + 1) / size;
        if (align_corners && size == 1) coordinate = 0;
        sum += matrix[row * (axes + 1) + i] * coordinate;
      }
      y.push_back(sum);
    }
  } while (next_index(at, points));
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

}  // namespace tenrec
