// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "targets/target.h"

namespace tenrec::cpu {

// Chooses where tensors lie in the blocked layout (nChwBc): islands grow from convolutions through
// every node that some kernel runs blocked; `reformat` nodes stand at their borders. No operator is
// named here but conv: whether a node can be blocked is what the kernels say.
void assign_layouts(Graph& graph, const DeviceInfo& device);

}  // namespace tenrec::cpu
