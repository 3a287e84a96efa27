// SPDX-License-Identifier: Apache-2.0
// The boxes that a non-maximum suppression has kept, a list for each side: loops read them by the
// vector.
#pragma once

#include <vector>

#include "ops/non_max_suppression.h"

namespace tenrec::cpu {

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
