// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "runtime/limits.h"

namespace tenrec::cuda {

// From the GPU's clocks and widths; what its makers publish for units that CUDA says nothing of.
DeviceLimits limits_of_gpu(const DeviceOptions& options);

}  // namespace tenrec::cuda
