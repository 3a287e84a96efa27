// SPDX-License-Identifier: Apache-2.0
// The interpreter: evaluates a graph with the operators' reference code. It is the oracle that
// every kernel is tested against.
#pragma once
#include <functional>

#include "ir/graph.h"

namespace tenrec {

// Called after each node with its outputs (comparisons, value dumps).
using Observer = std::function<void(const Node&, const Data& outputs)>;

Data evaluate(const Graph& graph, const Data& inputs, const Observer& observer = {});

}  // namespace tenrec
