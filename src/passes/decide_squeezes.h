// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace tenrec {

// A Squeeze without axes, of sizes that may be 1 or not, leaves the rank open. It becomes an If on
// each such size, in whose branches the axes are known, so that `continue_branches` can go on:
//
//   y = squeeze(x: [N, 1, 4])   becomes   y = if(N == 1) { squeeze(x, [0, 1]) } else {
//   squeeze(x, [1]) }
//
// Squeezes that ask for the same size share the condition.
void decide_squeezes(Graph& graph);

}  // namespace tenrec
