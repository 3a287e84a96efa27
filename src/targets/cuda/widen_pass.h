// SPDX-License-Identifier: Apache-2.0
// Moves of elements of less than a byte become moves of bytes, between two casts: kernels address
// whole bytes.
#pragma once
#include "ir/graph.h"

namespace tenrec::cuda {

void widen_packed_moves(Graph& graph);

}  // namespace tenrec::cuda
