// SPDX-License-Identifier: Apache-2.0
// What a device can do at most: what the time of a step is held against.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/device.h"

namespace tenrec {

struct DeviceLimits {
  // Floating-point operations a second, by the type that products are computed in.
  double f32 = 0, tf32 = 0, f16 = 0;
  // Bytes a second of work that touches no more than `size` bytes; ascending, the last for all.
  struct Level {
    uint64_t size = 0;
    double rate = 0;
  };
  std::vector<Level> memory;
  std::string source;  // "measured on 2 threads"

  // Microseconds that no implementation of this work falls below.
  double microseconds(double flops, double bytes, double peak) const;
};

// Of an open device of this target; a device Error if there is none.
DeviceLimits device_limits(std::string_view target, const DeviceOptions& options);
using LimitsFactory = std::function<DeviceLimits(const DeviceOptions&)>;
void register_limits(std::string_view target, LimitsFactory factory);

}  // namespace tenrec
