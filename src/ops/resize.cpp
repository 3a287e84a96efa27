// SPDX-License-Identifier: Apache-2.0
#include "ops/resize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "ops/movement.h"
#include "ops/support.h"

namespace tenrec {
namespace {

// Coordinates are computed in float32, as onnxruntime does: which pixel is the nearest depends on
// it.
float original_coordinate(const Resize& op, const ResizeAxis& axis, int64_t output) {
  const auto x = static_cast<float>(output);
  const auto length = static_cast<float>(axis.in);
  switch (op.coordinate) {
    case ResizeCoordinate::half_pixel: return (x + 0.5F) / axis.scale - 0.5F;
    case ResizeCoordinate::pytorch_half_pixel:
      return axis.out > 1 ? (x + 0.5F) / axis.scale - 0.5F : 0.0F;
    case ResizeCoordinate::align_corners:
      return axis.resized == 1 ? 0.0F : x * (length - 1) / (axis.resized - 1);
    case ResizeCoordinate::asymmetric: return x / axis.scale;
    case ResizeCoordinate::tf_crop_and_resize:
      if (axis.out <= 1) return 0.5F * (axis.roi_start + axis.roi_end) * (length - 1);
      return axis.roi_start * (length - 1) +
             x * (axis.roi_end - axis.roi_start) * (length - 1) / (axis.resized - 1);
    case ResizeCoordinate::half_pixel_symmetric: {
      const float adjustment = static_cast<float>(axis.out) / (axis.scale * length);
      return length / 2 * (1 - adjustment) + (x + 0.5F) / axis.scale - 0.5F;
    }
    case ResizeCoordinate::tf_half_pixel_for_nn: return (x + 0.5F) / axis.scale;
  }
  return x;
}

int64_t nearest_index(ResizeNearest mode, float x, bool shrinks) {
  const auto whole = static_cast<int64_t>(std::floor(x));
  switch (mode) {
    case ResizeNearest::round_prefer_floor:
      return x == static_cast<float>(whole) + 0.5F ? whole : static_cast<int64_t>(std::round(x));
    case ResizeNearest::round_prefer_ceil:
      return x == static_cast<float>(whole) + 0.5F ? whole + 1
                                                   : static_cast<int64_t>(std::round(x));
    case ResizeNearest::floor: return whole;
    case ResizeNearest::ceil: return static_cast<int64_t>(std::ceil(x));
    case ResizeNearest::legacy: return shrinks ? static_cast<int64_t>(std::ceil(x)) : whole;
  }
  return whole;
}

double cubic(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

// The weights of one output element: `first` is the input element of weights[0] and may lie
// outside.
struct Kernel {
  int64_t first = 0;
  SmallVector<double, 16> weights;  // antialiasing takes more where it shrinks by more than 4
};

Kernel kernel_at(const Resize& op, double x, double scale) {
  const bool is_linear = op.mode == ResizeMode::linear;
  // When an antialiased axis shrinks, the filter grows with the step between its samples.
  const double squeeze = op.antialias ? std::min(scale, 1.0) : 1.0;
  const double base = std::ceil(x) - 1;  // so that the distance to it is in (0, 1]
  const auto before = static_cast<int64_t>(std::floor((is_linear ? -1 : -2) / squeeze)) + 1;
  Kernel kernel{static_cast<int64_t>(base) + before, {}};
  double sum = 0;
  for (int64_t i = before; i < 2 - before; ++i) {
    const double distance = (static_cast<double>(i) - (x - base)) * squeeze;
    const double weight = is_linear ? std::max(0.0, 1 - std::abs(distance))
                                    : cubic(distance, static_cast<double>(op.cubic_coeff_a));
    kernel.weights.push_back(weight);
    sum += weight;
  }
  if (op.antialias) {
    for (double& weight : kernel.weights) weight /= sum;
  }
  return kernel;
}

void exclude_outside(Kernel& kernel, int64_t length) {
  double sum = 0;
  for (size_t i = 0; i < kernel.weights.size(); ++i) {
    const int64_t at = kernel.first + static_cast<int64_t>(i);
    if (at < 0 || at >= length) kernel.weights[i] = 0;
    sum += kernel.weights[i];
  }
  for (double& weight : kernel.weights) weight /= sum;
}

void set_identity(ResizeTaps& taps, int64_t length) {
  taps.width = 1;
  taps.index.resize(static_cast<size_t>(length));
  std::iota(taps.index.begin(), taps.index.end(), int64_t{0});
  taps.weight.assign(taps.index.size(), 1.0);
}

// One axis of `x` resized.
std::vector<double> apply_taps(const std::vector<double>& x, Dims& dims, size_t axis,
                               const ResizeTaps& taps, int64_t out) {
  const int64_t outer = elements_between(dims, 0, axis);
  const int64_t inner = elements_between(dims, axis + 1, dims.size());
  std::vector<double> y(static_cast<size_t>(outer * out * inner), 0.0);
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < out; ++i) {
      double* to = y.data() + (o * out + i) * inner;
      for (int64_t tap = i * taps.width; tap < (i + 1) * taps.width; ++tap) {
        const double weight = taps.weight[static_cast<size_t>(tap)];
        if (weight == 0) continue;
        const double* from =
            x.data() + (o * dims[axis] + taps.index[static_cast<size_t>(tap)]) * inner;
        for (int64_t j = 0; j < inner; ++j) to[j] += weight * from[j];
      }
    }
  }
  dims[axis] = out;
  return y;
}

SmallVector<size_t, 8> resized_axes(const Resize& op, int64_t rank) {
  SmallVector<size_t, 8> axes;
  if (op.axes.empty()) {
    for (int64_t i = 0; i < rank; ++i) axes.push_back(static_cast<size_t>(i));
  }
  for (const int64_t axis : op.axes)
    axes.push_back(static_cast<size_t>(normalise_axis(axis, rank)));
  return axes;
}

// A roi, scales or sizes input that is there but empty counts as omitted.
bool given(const Types& in, size_t i) {
  return present(in, i) && !(in[i].ranked && in[i].shape == Shape{Dim(0)});
}

int64_t scaled_size(int64_t size, float scale) {
  return static_cast<int64_t>(static_cast<float>(size) * scale);
}

Dim scaled_dim(const Dim& size, const Scale& scale) {
  if (scale.symbol) return scaled(size, Dim::symbol(scale.symbol));
  if (scale.value == 1) return size;
  TENREC_CHECK(scale.value > 0 && std::isfinite(scale.value), invalid_model,
               "a scale is {}, expected a positive number", scale.value);
  if (size.is_const()) return scaled_size(size.value(), scale.value);
  return scaled(size, static_cast<int64_t>(std::bit_cast<uint32_t>(scale.value)));
}

void check_count(size_t found, size_t expected, std::string_view what) {
  TENREC_CHECK(found == expected, invalid_model, "{} has {} entries, expected {}", what, found,
               expected);
}

}  // namespace

ResizeAxes resize_axes(const Resize& op, std::span<const int64_t> x, std::span<const double> roi,
                       std::span<const double> scales, std::span<const int64_t> sizes) {
  const auto chosen = resized_axes(op, static_cast<int64_t>(x.size()));
  TENREC_CHECK(!sizes.empty() || !scales.empty() || chosen.empty(), invalid_model,
               "neither scales nor sizes are given");
  if (!sizes.empty()) check_count(sizes.size(), chosen.size(), "sizes");
  else check_count(scales.size(), chosen.size(), "scales");
  if (op.coordinate == ResizeCoordinate::tf_crop_and_resize) {
    check_count(roi.size(), 2 * chosen.size(), "roi");
  }
  ResizeAxes axes(x.size(), {});
  for (size_t i = 0; i < x.size(); ++i) axes[i].in = axes[i].out = x[i];
  float common = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    ResizeAxis& axis = axes[chosen[i]];
    axis.resized_axis = true;
    if (roi.size() == 2 * chosen.size()) {
      axis.roi_start = static_cast<float>(roi[i]);
      axis.roi_end = static_cast<float>(roi[chosen.size() + i]);
    }
    if (sizes.empty()) {
      axis.scale = static_cast<float>(scales[i]);
      TENREC_CHECK(axis.scale > 0, invalid_model, "a scale is {}, expected a positive number",
                   axis.scale);
      axis.out = scaled_size(axis.in, axis.scale);
      axis.resized = axis.scale * static_cast<float>(axis.in);
      continue;
    }
    TENREC_CHECK(sizes[i] >= 0, invalid_model, "sizes hold {}", sizes[i]);
    axis.out = sizes[i];
    axis.scale = static_cast<float>(axis.out) / static_cast<float>(axis.in);
    axis.resized = static_cast<float>(axis.out);
    const bool smaller = op.keep_aspect_ratio_policy == ResizeAspect::not_larger;
    if (i == 0) common = axis.scale;
    common = smaller ? std::min(common, axis.scale) : std::max(common, axis.scale);
  }
  if (sizes.empty() || op.keep_aspect_ratio_policy == ResizeAspect::stretch) return axes;
  for (const size_t i : chosen) {
    axes[i].scale = common;
    axes[i].out = static_cast<int64_t>(std::round(common * static_cast<float>(axes[i].in)));
    axes[i].resized = static_cast<float>(axes[i].out);
  }
  return axes;
}

void resize_taps(const Resize& op, const ResizeAxis& axis, ResizeTaps& taps) {
  const bool crops = op.coordinate == ResizeCoordinate::tf_crop_and_resize;
  taps.outside.clear();
  if (!axis.resized_axis || (axis.scale == 1 && axis.in == axis.out && !crops)) {
    return set_identity(taps, axis.out);
  }
  TENREC_CHECK(axis.in > 0 || axis.out == 0, invalid_input, "an empty axis cannot be resized to {}",
               axis.out);
  taps.width = 1;
  taps.index.clear();
  taps.weight.clear();
  if (crops) taps.outside.assign(static_cast<size_t>(axis.out), 0);
  for (int64_t i = 0; i < axis.out; ++i) {
    const float x = original_coordinate(op, axis, i);
    if (crops && (x < 0 || x > static_cast<float>(axis.in - 1))) {
      taps.outside[static_cast<size_t>(i)] = 1;
    }
    Kernel kernel;
    if (op.mode == ResizeMode::nearest) {
      kernel = {nearest_index(op.nearest, x, axis.scale < 1), {1.0}};
    } else {
      // Without antialiasing a coordinate outside is that of the border pixel.
      const bool clamps = op.mode == ResizeMode::linear && !op.antialias;
      const float limit = static_cast<float>(axis.in - 1);
      kernel = kernel_at(op, static_cast<double>(clamps ? std::clamp(x, 0.0F, limit) : x),
                         static_cast<double>(axis.scale));
      if (op.exclude_outside) exclude_outside(kernel, axis.in);
    }
    taps.width = static_cast<int64_t>(kernel.weights.size());
    for (size_t j = 0; j < kernel.weights.size(); ++j) {
      taps.index.push_back(
          std::clamp<int64_t>(kernel.first + static_cast<int64_t>(j), 0, axis.in - 1));
      taps.weight.push_back(kernel.weights[j]);
    }
  }
}

Types Resize::infer(const Types& in) const {
  const Type& x = required(in, 0, "the input");
  TENREC_CHECK(given(in, 2) || given(in, 3), invalid_model, "neither scales nor sizes are given");
  if (given(in, 2)) check_list(in[2], "scales");
  if (given(in, 3)) check_list(in[3], "sizes");
  if (!x.ranked) return {Type::unranked(x.dtype)};
  const auto chosen = resized_axes(*this, x.rank());
  Shape shape = x.shape;
  if (given(in, 3)) {
    const std::vector<Dim>* sizes = in[3].known_ints();
    if (sizes) check_count(sizes->size(), chosen.size(), "sizes");
    const auto numbers = in[3].constant_ints();
    const bool aspect = keep_aspect_ratio_policy != ResizeAspect::stretch;
    if (aspect && numbers && x.is_static()) {
      const std::vector<double> roi(2 * chosen.size(), 0.0);
      const auto axes = resize_axes(*this, static_dims(x.shape), roi, {}, *numbers);
      for (const size_t i : chosen) shape[i] = axes[i].out;
      return {Type::tensor(x.dtype, std::move(shape))};
    }
    for (size_t i = 0; i < chosen.size(); ++i) {
      shape[chosen[i]] = sizes && !aspect ? (*sizes)[i] : Dim::fresh("resized");
    }
    return {Type::tensor(x.dtype, std::move(shape))};
  }
  const std::vector<Scale>* scales = in[2].known_floats();
  if (scales) check_count(scales->size(), chosen.size(), "scales");
  for (size_t i = 0; i < chosen.size(); ++i) {
    Dim& size = shape[chosen[i]];
    size = scales ? scaled_dim(size, (*scales)[i]) : Dim::fresh("resized");
  }
  return {Type::tensor(x.dtype, std::move(shape))};
}

Tensors Resize::eval(const Tensors& in) const {
  const auto floats = [&](size_t i) {
    return present(in, i) ? in[i].to_doubles() : std::vector<double>{};
  };
  const std::vector<int64_t> sizes = present(in, 3) ? in[3].to_ints() : std::vector<int64_t>{};
  const ResizeAxes axes = resize_axes(*this, in[0].dims(), floats(1), floats(2), sizes);
  Dims dims = in[0].dims();
  std::vector<double> x = in[0].to_doubles();
  std::vector<ResizeTaps> taps(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    resize_taps(*this, axes[i], taps[i]);
    if (axes[i].resized_axis) x = apply_taps(x, dims, i, taps[i], axes[i].out);
  }
  if (coordinate == ResizeCoordinate::tf_crop_and_resize && !x.empty()) {
    Dims index(dims.size(), 0);
    size_t element = 0;
    do {
      bool outside = false;
      for (size_t i = 0; i < axes.size(); ++i) {
        outside =
            outside || (!taps[i].outside.empty() && taps[i].outside[static_cast<size_t>(index[i])]);
      }
      if (outside) x[element] = static_cast<double>(extrapolation_value);
      ++element;
    } while (next_index(index, dims));
  }
  return {Tensor::from_doubles(in[0].dtype(), dims, x)};
}

namespace {

template <class T>
T parse_choice(const std::string& text, std::string_view attribute,
               std::initializer_list<std::pair<std::string_view, T>> choices) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  fail(ErrorCode::invalid_model, "{} is \"{}\", expected one of {}", attribute, text, names);
}

ResizeMode parse_mode(const OnnxNode& node) {
  return parse_choice<ResizeMode>(node.text("mode", "nearest"), "mode",
                                  {{"nearest", ResizeMode::nearest},
                                   {"linear", ResizeMode::linear},
                                   {"bilinear", ResizeMode::linear},
                                   {"cubic", ResizeMode::cubic}});
}

}  // namespace

Values Resize::from_onnx(const OnnxNode& node, OnnxContext& context) {
  Resize op;
  op.mode = parse_mode(node);
  if (node.opset() < 11) {
    op.coordinate = ResizeCoordinate::asymmetric;
    op.nearest = ResizeNearest::legacy;
    return context.add(op, {context.input(0), nullptr, context.input(1)});
  }
  op.antialias = node.integer("antialias", 0) != 0;
  op.axes = node.integers("axes");
  op.coordinate = parse_choice<ResizeCoordinate>(
      node.text("coordinate_transformation_mode", "half_pixel"), "coordinate_transformation_mode",
      {{"half_pixel", ResizeCoordinate::half_pixel},
       {"pytorch_half_pixel", ResizeCoordinate::pytorch_half_pixel},
       {"align_corners", ResizeCoordinate::align_corners},
       {"asymmetric", ResizeCoordinate::asymmetric},
       {"tf_crop_and_resize", ResizeCoordinate::tf_crop_and_resize},
       {"half_pixel_symmetric", ResizeCoordinate::half_pixel_symmetric},
       {"tf_half_pixel_for_nn", ResizeCoordinate::tf_half_pixel_for_nn}});
  op.cubic_coeff_a = node.number("cubic_coeff_a", -0.75F);
  op.exclude_outside = node.integer("exclude_outside", 0) != 0;
  op.extrapolation_value = node.number("extrapolation_value", 0);
  op.keep_aspect_ratio_policy = parse_choice<ResizeAspect>(
      node.text("keep_aspect_ratio_policy", "stretch"), "keep_aspect_ratio_policy",
      {{"stretch", ResizeAspect::stretch},
       {"not_larger", ResizeAspect::not_larger},
       {"not_smaller", ResizeAspect::not_smaller}});
  op.nearest =
      parse_choice<ResizeNearest>(node.text("nearest_mode", "round_prefer_floor"), "nearest_mode",
                                  {{"round_prefer_floor", ResizeNearest::round_prefer_floor},
                                   {"round_prefer_ceil", ResizeNearest::round_prefer_ceil},
                                   {"floor", ResizeNearest::floor},
                                   {"ceil", ResizeNearest::ceil},
                                   {"simple", ResizeNearest::legacy}});
  // Only tf_crop_and_resize reads the region.
  Values inputs = context.inputs();
  if (inputs.size() > 1 && op.coordinate != ResizeCoordinate::tf_crop_and_resize)
    inputs[1] = nullptr;
  return context.add(op, inputs);
}

Values upsample(const OnnxNode& node, OnnxContext& context) {
  Resize op;
  op.mode = parse_mode(node);
  op.coordinate = ResizeCoordinate::asymmetric;
  op.nearest = ResizeNearest::floor;
  if (node.opset() >= 9) return context.add(op, {context.input(0), nullptr, context.input(1)});
  std::vector<float> scales = node.numbers("scales");
  if (scales.empty())
    scales = {1, 1, node.number("height_scale", 1), node.number("width_scale", 1)};
  const auto count = static_cast<int64_t>(scales.size());
  return context.add(
      op, {context.input(0), nullptr, context.constant(Tensor::of<float>({count}, scales))});
}

}  // namespace tenrec
