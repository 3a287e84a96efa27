// SPDX-License-Identifier: Apache-2.0
// GridSample: x [N, C, spatial...] read at the points of a grid [N, out..., axes]; AffineGrid makes
// such a grid. Grid coordinates run from -1 to 1, last spatial axis first.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

// Numbers are permanent (engine files hold them).
enum class SampleMode : uint8_t { nearest = 0, linear = 1, cubic = 2 };
enum class SamplePadding : uint8_t { zeros = 0, border = 1, reflection = 2 };

struct GridSample {
  bool align_corners = false;
  SampleMode mode = SampleMode::linear;
  SamplePadding padding = SamplePadding::zeros;
  static auto fields(auto& s) {
    return std::tuple{field(1, "align_corners", s.align_corners), field(2, "mode", s.mode),
                      field(3, "padding", s.padding)};
  }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
  static Values from_onnx(const OnnxNode& node, OnnxContext& context);
};
TENREC_OP(GridSample, "grid_sample")

// theta [N, 2, 3] or [N, 3, 4] and the size of the image (N, C, spatial...) -> its grid.
struct AffineGrid {
  bool align_corners = false;
  static auto fields(auto& s) { return std::tuple{field(1, "align_corners", s.align_corners)}; }
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(AffineGrid, "affine_grid")

}  // namespace tenrec
