// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>

#include "targets/target.h"

namespace tenrec {

// Operands of fused regions that get more channels on their way, all zero (the shortcut of a
// network that widens), are read as they are: the zeros move into the region as a Pad. Where a
// kernel can; after fuse.
void shorten_operands(Graph& graph, std::span<const Kernel* const> kernels,
                      const DeviceInfo& device);

}  // namespace tenrec
