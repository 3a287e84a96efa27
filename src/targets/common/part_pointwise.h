// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace tenrec {

// For targets whose views cost nothing: pointwise work between a Concat and a Split into the same
// parts is done part by part, and neither the whole nor its result is written.
void part_pointwise(Graph& graph);

}  // namespace tenrec
