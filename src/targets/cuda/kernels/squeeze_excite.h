// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "targets/cuda/squeeze_regions.h"

namespace tenrec::cuda {

// Why the kernel does not run a block, or "".
Reject squeeze_problem(const SqueezeExcite& block, const DeviceInfo& device);

}  // namespace tenrec::cuda
