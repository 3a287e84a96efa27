// SPDX-License-Identifier: Apache-2.0
// Values that need no memory of their own: parts that a Split or Slice takes out of one stretch of
// its input, and the inputs of a Concat, which their producers write right into its output.
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
  // Values that have memory of their own whatever we find: the graph's outputs.
  std::function<bool(const Value*)> has_own_memory;
};

struct View {
  const Value* base = nullptr;
  Dim offset = 0;  // bytes
};

struct Views {
  std::unordered_map<const Value*, View> parts;
  std::set<const Node*> free_nodes;  // nothing to run
  std::set<const Value*> assembled;  // outputs of such Concats: must not be written over
};

Views find_views(const Graph& graph, const ViewOptions& options);

}  // namespace tenrec
