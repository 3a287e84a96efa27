// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "runtime/device.h"
#include "targets/cuda/run/driver.h"

namespace tenrec::cuda {

// From the GPU's clocks and widths; what its makers publish for units that CUDA says nothing of.
DeviceLimits limits_of(const Gpu& gpu);

}  // namespace tenrec::cuda
