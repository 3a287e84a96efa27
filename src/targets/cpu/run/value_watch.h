// SPDX-License-Identifier: Apache-2.0
// Small inputs whose values shape a runner's tables (starts, pads, sizes, k): the runner builds
// from them in reshape, and again in run when they have changed since, which is rare.
#pragma once
#include <algorithm>
#include <cstring>

#include "runtime/device.h"
#include "targets/common/run/memory_layout.h"

namespace tenrec::cpu {

class ValueWatch {
 public:
  // Inputs from `first` on are watched.
  explicit ValueWatch(size_t first = 1) : first_(first) {}

  bool changed(std::span<const TensorView> inputs) const {
    size_t at = 0;
    for (size_t i = first_; i < inputs.size(); ++i) {
      const size_t bytes = size_of(inputs[i]);
      if (at + bytes > seen_.size()) return true;
      if (bytes > 0 && std::memcmp(seen_.data() + at, inputs[i].data, bytes) != 0) return true;
      at += bytes;
    }
    return at != seen_.size();
  }

  void remember(std::span<const TensorView> inputs) {
    seen_.clear();
    for (size_t i = first_; i < inputs.size(); ++i) {
      const size_t bytes = size_of(inputs[i]);
      seen_.insert(seen_.end(), inputs[i].data, inputs[i].data + bytes);
    }
  }

 private:
  static size_t size_of(const TensorView& view) {
    if (!view.data) return 0;
    return static_cast<size_t>(view.elements()) * byte_size(view.dtype, 1);
  }
  size_t first_;
  std::vector<std::byte> seen_;
};

}  // namespace tenrec::cpu
