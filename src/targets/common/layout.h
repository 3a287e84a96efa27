// SPDX-License-Identifier: Apache-2.0
// Chooses memory layouts before fusion: convolutions and what surrounds them get the layout that a
// target's kernels are fast in, with explicit reformat nodes where it begins and ends.
#pragma once
#include <span>
#include <vector>

#include "targets/target.h"

namespace tenrec {

struct LayoutRules {
  Layout layout;              // of the islands
  std::vector<DType> dtypes;  // of the tensors in them
  int64_t few_channels = 8;   // inputs of fewer are read as they come, if a kernel can
  std::span<const Kernel* const> kernels;
};

void assign_layouts(Graph& graph, const DeviceInfo& device, const LayoutRules& rules);

}  // namespace tenrec
