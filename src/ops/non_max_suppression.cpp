// SPDX-License-Identifier: Apache-2.0
#include "ops/non_max_suppression.h"

#include <algorithm>

#include "ops/support.h"

namespace tenrec {
namespace {

template <class T>
T scalar_or(const Tensors& in, size_t i, T fallback) {
  if (!present(in, i) || in[i].elements() == 0) return fallback;
  return in[i].as<T>()[0];
}

}  // namespace

Types NonMaxSuppression::infer(const Types& in) const {
  const Type& boxes = required(in, 0, "boxes");
  const Type& scores = required(in, 1, "scores");
  TENREC_CHECK(boxes.dtype == DType::f32 && scores.dtype == DType::f32, invalid_model,
               "boxes {} and scores {} must be f32", boxes.str(), scores.str());
  if (present(in, 2)) {
    TENREC_CHECK(in[2].dtype == DType::i64, invalid_model,
                 "max_output_boxes_per_class is {}, expected i64", in[2].str());
  }
  for (size_t i = 3; i < 5; ++i) {
    TENREC_CHECK(!present(in, i) || in[i].dtype == DType::f32, invalid_model,
                 "threshold (input {}) is {}, expected f32", i, in[i].str());
  }
  int64_t upper = Dim::unbounded;
  if (boxes.ranked && scores.ranked) {
    TENREC_CHECK(boxes.rank() == 3 && scores.rank() == 3, invalid_model,
                 "boxes {} and scores {} must have three axes", boxes.str(), scores.str());
    check_same_size(boxes.shape[0], scores.shape[0], "batch of boxes and scores");
    check_same_size(boxes.shape[1], scores.shape[2], "number of boxes and of scores");
    check_same_size(boxes.shape[2], 4, "last axis of boxes");
    Dim each = scores.shape[2];
    const auto most = present(in, 2) ? in[2].constant_ints() : std::vector<int64_t>{0};
    if (most && most->size() == 1) each = min(each, std::max<int64_t>((*most)[0], 0));
    upper = (scores.shape[0] * scores.shape[1] * each).upper();
  }
  return {Type::tensor(DType::i64, {Dim::fresh("selected", 0, upper), 3})};
}

Tensors NonMaxSuppression::eval(const Tensors& in) const {
  infer(types_of(in));
  TENREC_CHECK(in[0].dtype() == DType::f32 && in[1].dtype() == DType::f32, invalid_model,
               "boxes are {} and scores {}, both must be f32", name(in[0].dtype()),
               name(in[1].dtype()));
  const Dims& dims = in[1].dims();
  const int64_t count = dims[2];
  const int64_t most = scalar_or<int64_t>(in, 2, 0);
  const float overlap = scalar_or<float>(in, 3, 0);
  const bool has_limit = present(in, 4) && in[4].elements() > 0;
  const float least = scalar_or<float>(in, 4, 0);
  const std::span<const float> scores = in[1].as<float>();
  const std::span<const float> coordinates = in[0].as<float>();
  std::vector<int64_t> selected;
  for (int64_t line = 0; line < dims[0] * dims[1] && most > 0; ++line) {
    const int64_t batch = line / dims[1];
    const float* score = scores.data() + line * count;
    std::vector<int64_t> order;
    for (int64_t i = 0; i < count; ++i) {
      if (!has_limit || score[i] > least) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return score[a] > score[b]; });
    std::vector<Box> kept;
    for (const int64_t candidate : order) {
      if (static_cast<int64_t>(kept.size()) >= most) break;
      const Box box =
          box_at(coordinates.data() + (batch * count + candidate) * 4, center_point_box);
      const bool suppressed = std::any_of(kept.begin(), kept.end(), [&](const Box& other) {
        return overlaps(box, other, overlap);
      });
      if (suppressed) continue;
      kept.push_back(box);
      selected.insert(selected.end(), {batch, line % dims[1], candidate});
    }
  }
  const auto rows = static_cast<int64_t>(selected.size() / 3);
  return {Tensor::of<int64_t>({rows, 3}, selected)};
}

Box box_at(const float* b, bool centred) {
  if (centred) return {b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
  return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
}

bool overlaps(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (height <= 0 || width <= 0) return false;
  const float shared = height * width;
  const float area_a = (a.bottom - a.top) * (a.right - a.left);
  const float area_b = (b.bottom - b.top) * (b.right - b.left);
  const float all = area_a + area_b - shared;
  if (area_a <= 0 || area_b <= 0 || all <= 0) return false;
  return shared / all > threshold;
}

}  // namespace tenrec
