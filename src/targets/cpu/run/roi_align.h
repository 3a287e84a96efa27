// SPDX-License-Identifier: Apache-2.0
// Where the cells of a region take their samples, for all channels alike.
#pragma once

#include <array>
#include <cstdint>

namespace tenrec::cpu {

struct RoiSample {
  std::array<int64_t, 4> pixel{};
  std::array<float, 4> weight{};
};

struct RoiSamples {
  const RoiSample* first = nullptr;  // `each` of one cell, then those of the next
  int64_t each = 0, cells = 0;
  bool maximum = false;  // of all taps, instead of the samples' mean
};

}  // namespace tenrec::cpu
