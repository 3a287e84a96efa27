// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "passes/fuse.h"

namespace tenrec {

// Nodes in graph order, at least two.
struct Region {
  std::string anchor;
  std::vector<Node*> nodes;
};

// Disjoint regions that can each be one node without making a cycle, in the order of their last
// members.
std::vector<Region> find_regions(const Graph& graph, const FuseOptions& options);

// Puts one Fused node where the last member of the region stands.
void make_fused(Graph& graph, const Region& region, const FuseOptions& options);

}  // namespace tenrec
