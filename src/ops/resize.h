// SPDX-License-Identifier: Apache-2.0
// Resize of every opset, Upsample included. Inputs: x, roi, scales, sizes (one of the last two).
// Every mode is separable: an output element along an axis is a weighted sum of a few input
// elements
// (`resize_taps`), which is what the kernels of every target read too.
#pragma once
#include "base/small_vector.h"
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Numbers are permanent (engine files hold them).
enum class ResizeMode : uint8_t { nearest = 0, linear = 1, cubic = 2 };
enum class ResizeCoordinate : uint8_t {
  half_pixel = 0,
  pytorch_half_pixel = 1,
  align_corners = 2,
  asymmetric = 3,
  tf_crop_and_resize = 4,
  half_pixel_symmetric = 5,
  tf_half_pixel_for_nn = 6,
};
enum class ResizeNearest : uint8_t {
  round_prefer_floor = 0,
  round_prefer_ceil = 1,
  floor = 2,
  ceil = 3,
  legacy = 4,  // opset 10: ceil when an axis shrinks, else floor
};
enum class ResizeAspect : uint8_t { stretch = 0, not_larger = 1, not_smaller = 2 };

struct Resize {
  bool antialias = false;
  std::vector<int64_t> axes = {};  // those that roi, scales and sizes speak of; empty: all
  ResizeCoordinate coordinate = ResizeCoordinate::half_pixel;
  float cubic_coeff_a = -0.75F;
  bool exclude_outside = false;
  float extrapolation_value = 0;
  ResizeAspect keep_aspect_ratio_policy = ResizeAspect::stretch;
  ResizeMode mode = ResizeMode::nearest;
  ResizeNearest nearest = ResizeNearest::round_prefer_floor;
  static auto fields(auto& s) {
    return std::tuple{field(1, "antialias", s.antialias),
                      field(2, "axes", s.axes),
                      field(3, "coordinate", s.coordinate),
                      field(4, "cubic_coeff_a", s.cubic_coeff_a),
                      field(5, "exclude_outside", s.exclude_outside),
                      field(6, "extrapolation_value", s.extrapolation_value),
                      field(7, "keep_aspect_ratio_policy", s.keep_aspect_ratio_policy),
                      field(8, "mode", s.mode),
                      field(9, "nearest", s.nearest)};
  }
  static constexpr uint32_t narrowable = input_bit(0);
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(Resize, "resize")

Values upsample(const OnnxNode& node, OnnxContext& context);
TENREC_ONNX("Upsample", upsample)

// One axis with everything known.
struct ResizeAxis {
  int64_t in = 1, out = 1;
  float scale = 1;
  float resized =
      1;  // the length that the coordinates assume: in * scale, or out when sizes are given
  float roi_start = 0, roi_end = 1;
  bool resized_axis = false;  // false: not among the axes, copied as it is
};
using ResizeAxes = SmallVector<ResizeAxis, 8>;
// All axes of x; `roi`, `scales` and `sizes` are empty when not given.
ResizeAxes resize_axes(const Resize& op, std::span<const int64_t> x, std::span<const double> roi,
                       std::span<const double> scales, std::span<const int64_t> sizes);

// Output i along an axis = sum over j < width of weight[i * width + j] * x[index[i * width + j]].
struct ResizeTaps {
  int64_t width = 1;
  std::vector<int64_t> index = {};
  std::vector<double> weight = {};
  std::vector<uint8_t> outside =
      {};  // tf_crop_and_resize: takes the extrapolation value; else empty
};
// Writes over `taps`, whose memory it keeps.
void resize_taps(const Resize& op, const ResizeAxis& axis, ResizeTaps& taps);

}  // namespace tenrec
