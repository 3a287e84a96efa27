// SPDX-License-Identifier: Apache-2.0
// Boxes of a non-maximum suppression; float32 throughout, as onnxruntime: whether two overlap
// enough depends on it.
#pragma once

#include <algorithm>
#include <vector>

namespace tenrec::cpu {

struct Box {
  float top, left, bottom, right;
};

inline Box box_at(const float* b, bool centred) {
  if (centred) return {b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
  return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
}

// More than the threshold of the area that both cover together.
inline bool overlaps(const Box& a, const Box& b, float threshold) {
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

struct KeptBoxes {
  std::vector<float> top, left, bottom, right;
  void clear() {
    for (std::vector<float>* side : {&top, &left, &bottom, &right}) side->clear();
  }
  void add(const Box& box) {
    top.push_back(box.top);
    left.push_back(box.left);
    bottom.push_back(box.bottom);
    right.push_back(box.right);
  }
  Box at(size_t i) const { return {top[i], left[i], bottom[i], right[i]}; }
};

}  // namespace tenrec::cpu
