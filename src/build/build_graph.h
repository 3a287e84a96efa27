// SPDX-License-Identifier: Apache-2.0
// The builder's entry for graphs that are already imported: what tools use that change a graph
// first.
#pragma once
#include <string_view>

#include "ir/graph.h"
#include "targets/timing_cache.h"
#include "tenrec/builder.h"

namespace tenrec {

// As build(), from the passes on. They rewrite `graph`, which is of no use afterwards.
BuildResult build_graph(Graph& graph, std::string_view name, const BuildOptions& options = {});
// With a cache in memory, used and extended; `options.timing_cache` must be empty.
BuildResult build_graph(Graph& graph, std::string_view name, const BuildOptions& options,
                        TimingCache& cache);

// Does any size of the graph hang on the value of this input?
bool decides_shapes(const Value& input, const Graph& graph);

}  // namespace tenrec
