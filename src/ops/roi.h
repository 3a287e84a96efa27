// SPDX-License-Identifier: Apache-2.0
// Pooling over regions of an image [N, C, H, W] into [regions, C, height, width].
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Inputs: x, rois [R, 4] (x1, y1, x2, y2), batch index of each [R]. Each cell is the mean (or
// maximum) of bilinear samples.
struct RoiAlign {
  bool half_pixel = true;
  bool maximum = false;
  int64_t output_height = 1;
  int64_t output_width = 1;
  int64_t sampling_ratio = 0;  // samples a cell and axis; 0: as many as the cell has pixels
  float spatial_scale = 1;
  static auto fields(auto& s) {
    return std::tuple{
        field(1, "half_pixel", s.half_pixel),         field(2, "maximum", s.maximum),
        field(3, "output_height", s.output_height),   field(4, "output_width", s.output_width),
        field(5, "sampling_ratio", s.sampling_ratio), field(6, "spatial_scale", s.spatial_scale)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(RoiAlign, "roi_align")

// Inputs: x, rois [R, 5] (batch, x1, y1, x2, y2, whole pixels after scaling).
struct MaxRoiPool {
  std::vector<int64_t> pooled_shape = {};
  float spatial_scale = 1;
  static auto fields(auto& s) {
    return std::tuple{field(1, "pooled_shape", s.pooled_shape),
                      field(2, "spatial_scale", s.spatial_scale)};
  }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(MaxRoiPool, "max_roi_pool")

}  // namespace tenrec
