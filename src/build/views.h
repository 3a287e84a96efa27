// SPDX-License-Identifier: Apache-2.0
// Values that need no memory of their own: parts that a Split or Slice takes out of one stretch of
// its input, the inputs of a Concat, which their producers write right into its output, and what
// leaves the graph as a view (reshaped, say), which its producer writes where it is wanted.
#pragma once
#include <functional>
#include <set>
#include <unordered_map>

#include "ir/graph.h"

namespace tenrec {

struct ViewOptions {
  int64_t alignment = 1;  // bytes; a part begins at a multiple of it, or is no view
  // Sizes that are known before the first step: only those can be given memory ahead.
  std::function<bool(const Type&)> known_at_start;
  // Outputs of the graph, whose memory is the caller's.
  std::function<bool(const Value*)> leaves;
  // Values that have no place in memory that could be chosen: sizes as data.
  std::function<bool(const Value*)> is_known;
};

struct View {
  const Value* base = nullptr;
  Dim offset = 0;  // bytes
};

struct Views {
  std::unordered_map<const Value*, View> parts;
  std::set<const Node*> free_nodes;  // nothing to run
  std::set<const Value*> assembled;  // written as parts: must not be written over
};

Views find_views(const Graph& graph, const ViewOptions& options);

}  // namespace tenrec
