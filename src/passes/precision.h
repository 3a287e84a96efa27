// SPDX-License-Identifier: Apache-2.0
// Computes a float32 model in float16 or bfloat16: casts stand where precision changes. Inputs and
// outputs of the graph keep their types, and so does what a narrow type cannot hold: positions,
// sizes, scales of Resize, constants beyond its range. Kernels accumulate in float32 all the same.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"

namespace tenrec {

// The nodes that go on computing in float32, for people to read.
std::vector<std::string> narrow_precision(Graph& graph, DType to);

}  // namespace tenrec
