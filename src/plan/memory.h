// SPDX-License-Identifier: Apache-2.0
// The memory planner: which values live when, and where each lies in the arena. The builder runs it
// once on upper bounds; the runtime runs the same functions on actual sizes for open profiles.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "plan/dims.h"
#include "plan/plan.h"

namespace tenrec::plan {

constexpr uint64_t arena_alignment = 64;

// Wanted memory: alive during the steps first..last, both included.
struct Buffer {
  uint64_t bytes = 0;
  int32_t first = 0, last = 0;
};
struct Placement {
  std::vector<uint64_t> offsets;  // one a buffer, multiples of arena_alignment
  uint64_t total = 0;
};
// Largest first, each into the tightest gap among those alive at the same time. Deterministic.
// Sizes that don't fit into 63 bits together are an out_of_memory Error.
Placement place(std::span<const Buffer> buffers);

// Lifetimes of whole buffers: an alias belongs to the buffer at the end of its chain.
struct Lifetimes {
  std::vector<int32_t> root;   // per value: itself, or where its alias chain ends
  std::vector<int32_t> first;  // per root: first step that writes or reads the buffer or an alias
  std::vector<int32_t> last;   // per root: last such step; steps.size() for plan outputs
  // Values never touched: first > last.
  bool is_used(int32_t root_value) const {
    return first[static_cast<size_t>(root_value)] <= last[static_cast<size_t>(root_value)];
  }
};
Lifetimes lifetimes(const Plan& plan);

// Sets arena_offset, scratch_offset and arena_bytes from upper_bytes and scratch_upper. If a buffer
// needed from the start has no bound the plan is left open (all -1); late buffers without a bound
// are left to the runtime either way.
void plan_memory(Plan& plan);

}  // namespace tenrec::plan
