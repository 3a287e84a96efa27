// SPDX-License-Identifier: Apache-2.0
// boxes [N, B, 4], scores [N, C, B], optional max_output_boxes_per_class, iou_threshold and
// score_threshold -> [selected, 3]: batch, class, box; by batch and class, greatest score first.
#pragma once
#include "ir/op_decl.h"
#include "ops/onnx_context.h"

namespace tenrec {

struct NonMaxSuppression {
  bool center_point_box =
      false;  // boxes are (x, y, width, height) instead of two corners (y, x, y, x)
  static auto fields(auto& s) {
    return std::tuple{field(1, "center_point_box", s.center_point_box)};
  }
  static constexpr Accuracy accuracy = exact();
  static constexpr bool data_dependent = true;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(NonMaxSuppression, "non_max_suppression")

// float32 throughout, as onnxruntime: whether two boxes overlap enough depends on it.
struct Box {
  float top, left, bottom, right;
};
// Of four numbers: `centred` says which, as center_point_box.
Box box_at(const float* numbers, bool centred);
// More than the threshold of the area that both cover together.
bool overlaps(const Box& a, const Box& b, float threshold);

}  // namespace tenrec
