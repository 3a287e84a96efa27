// SPDX-License-Identifier: Apache-2.0
#include "plan/memory.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace tenrec::plan {
namespace {

uint64_t aligned(uint64_t bytes) {
  return (bytes + arena_alignment - 1) / arena_alignment * arena_alignment;
}

struct Placed {
  uint64_t offset, end;
  int32_t first, last;
};

// The tightest gap of at least `bytes` between buffers alive in first..last; else behind them all.
// `placed` is sorted by offset.
uint64_t find_gap(const std::vector<Placed>& placed, const Buffer& buffer, uint64_t bytes) {
  uint64_t best = UINT64_MAX;
  uint64_t best_gap = UINT64_MAX;
  uint64_t free_from = 0;
  for (const Placed& other : placed) {
    if (other.first > buffer.last || other.last < buffer.first) continue;
    if (other.offset >= free_from) {
      const uint64_t gap = other.offset - free_from;
      if (gap >= bytes && gap < best_gap) {
        best = free_from;
        best_gap = gap;
      }
    }
    free_from = std::max(free_from, other.end);
  }
  return best == UINT64_MAX ? free_from : best;
}

}  // namespace

Placement place(std::span<const Buffer> buffers) {
  uint64_t sum = 0;
  for (const Buffer& buffer : buffers) {
    TENREC_CHECK(buffer.bytes < uint64_t{1} << 62 && sum < uint64_t{1} << 62, out_of_memory,
                 "placing intermediate values: {} bytes for one step's buffer are too many; use "
                 "smaller input sizes",
                 buffer.bytes);
    sum += aligned(buffer.bytes);
  }
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (buffers[a].bytes != buffers[b].bytes) return buffers[a].bytes > buffers[b].bytes;
    return buffers[a].first < buffers[b].first;
  });
  Placement placement;
  placement.offsets.assign(buffers.size(), 0);
  std::vector<Placed> placed;
  placed.reserve(buffers.size());
  for (const size_t i : order) {
    const Buffer& buffer = buffers[i];
    const uint64_t bytes = aligned(buffer.bytes);
    if (bytes == 0) continue;
    const uint64_t offset = find_gap(placed, buffer, bytes);
    const Placed entry{offset, offset + bytes, buffer.first, buffer.last};
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), entry,
                         [](const Placed& a, const Placed& b) { return a.offset < b.offset; }),
        entry);
    placement.offsets[i] = offset;
    placement.total = std::max(placement.total, entry.end);
  }
  return placement;
}

Lifetimes lifetimes(const Plan& plan) {
  const size_t count = plan.values.size();
  Lifetimes live;
  live.root.resize(count);
  live.first.assign(count, INT32_MAX);
  live.last.assign(count, -1);
  for (size_t v = 0; v < count; ++v) {
    size_t root = v;
    while (plan.values[root].storage == Storage::alias)
      root = static_cast<size_t>(plan.values[root].index);
    live.root[v] = static_cast<int32_t>(root);
  }
  auto touch = [&](int32_t value, int32_t step) {
    if (value == none) return;
    const size_t root = static_cast<size_t>(live.root[static_cast<size_t>(value)]);
    live.first[root] = std::min(live.first[root], step);
    live.last[root] = std::max(live.last[root], step);
  };
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    for (const int32_t value : plan.steps[s].inputs) touch(value, static_cast<int32_t>(s));
    for (const int32_t value : plan.steps[s].outputs) touch(value, static_cast<int32_t>(s));
  }
  for (const int32_t value : plan.outputs) touch(value, static_cast<int32_t>(plan.steps.size()));
  return live;
}

void plan_memory(Plan& plan) {
  const DimSchedule schedule(plan);
  const Lifetimes live = lifetimes(plan);
  std::vector<Buffer> buffers;
  std::vector<int64_t*> targets;
  bool open = false;
  for (size_t v = 0; v < plan.values.size(); ++v) {
    ValueDef& value = plan.values[v];
    value.arena_offset = -1;
    if (value.storage != Storage::arena || !live.is_used(static_cast<int32_t>(v))) continue;
    if (value.upper_bytes == unbounded) {
      open |= schedule.value_stage(static_cast<int32_t>(v)) == at_start;
      continue;
    }
    buffers.push_back({static_cast<uint64_t>(value.upper_bytes), live.first[v], live.last[v]});
    targets.push_back(&value.arena_offset);
  }
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    Step& step = plan.steps[s];
    step.scratch_offset = -1;
    if (step.scratch == none) continue;
    if (step.scratch_upper == unbounded) {
      open |= schedule.slot_stage(step.scratch) == at_start;
      continue;
    }
    buffers.push_back({static_cast<uint64_t>(step.scratch_upper), static_cast<int32_t>(s),
                       static_cast<int32_t>(s)});
    targets.push_back(&step.scratch_offset);
  }
  plan.arena_bytes = -1;
  if (open) return;
  const Placement placement = place(buffers);
  for (size_t i = 0; i < targets.size(); ++i)
    *targets[i] = static_cast<int64_t>(placement.offsets[i]);
  plan.arena_bytes = static_cast<int64_t>(placement.total);
}

}  // namespace tenrec::plan
