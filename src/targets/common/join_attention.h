// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "targets/target.h"

namespace tenrec {

// Products of four axes around a softmax become one attention where `kernel` runs it, which then
// keeps its scores close by. Where query, key and value were turned from token order, attention
// reads and writes that order and the transposes go. A row whose keys are all masked by -infinity
// then gives 0, no longer NaN.
void join_attention(Graph& graph, const Kernel& kernel, const DeviceInfo& device);

}  // namespace tenrec
