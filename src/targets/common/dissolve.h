// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>

#include "targets/target.h"

namespace tenrec {

// Fused regions that none of a target's kernels runs (but for the reference code) go back to single
// nodes, which each find one. Bodies too.
void dissolve_unsupported(Graph& graph, std::span<const Kernel* const> kernels,
                          const DeviceInfo& device);

}  // namespace tenrec
