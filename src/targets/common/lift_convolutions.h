// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace tenrec {

// Writes 1-D convolutions of `fewest` input channels or more in 2-D, one row high, so that layouts
// and kernels of pictures serve them. The views around them cancel where convolutions follow each
// other.
void lift_convolutions(Graph& graph, int64_t fewest);

}  // namespace tenrec
