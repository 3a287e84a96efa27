// SPDX-License-Identifier: Apache-2.0
// Attention reads queries, keys and values where one product has written them, side by side.
#pragma once
#include "ir/graph.h"

namespace tenrec::cuda {

constexpr std::string_view attention_anchor = "attention";  // of the Fused nodes made here

// Before fuse(): the products that make queries, keys and values of one value become one.
void join_projections(Graph& graph);

// After fuse(): parts of the last axis that only an attention reads belong to it.
void absorb_slices(Graph& graph);

// A Slice of the last of three axes: which elements; nothing for any other node.
struct LineRange {
  int64_t first = 0, count = 0;
};
std::optional<LineRange> line_range(const Node& node);

}  // namespace tenrec::cuda
