// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace tenrec {

// Products of four axes around a softmax become one attention, which keeps its scores in the cache.
// Where query, key and value were turned from token order, it reads and writes that order and the
// transposes go. A row whose keys are all masked by -infinity then gives 0, no longer NaN.
// For targets that have a kernel for f32 attention with a mask.
void join_attention(Graph& graph);

}  // namespace tenrec
