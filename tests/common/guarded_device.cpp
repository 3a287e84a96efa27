// SPDX-License-Identifier: Apache-2.0
#include "common/guarded_device.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "runtime/forwarding_device.h"
#include "targets/cpu/run/cpu_device.h"

namespace tenrec::test {
namespace {

constexpr uint64_t page = 4096, alignment = 64, gap = 64;
constexpr std::byte guard{0xA5}, nan{0xFF};

int violations = 0;
std::span<std::byte> arena;

uint64_t rounded(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// [page of guards][guards up to the data][data][guards up to 64 bytes][unreadable page]
class Guarded final : public DeviceMemory {
 public:
  explicit Guarded(uint64_t size)
      : held_(rounded(size, alignment)), pages_(rounded(held_, page) + 2 * page) {
    void* memory =
        mmap(nullptr, pages_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TENREC_CHECK(memory != MAP_FAILED, out_of_memory, "mapping {} bytes", pages_);
    start_ = static_cast<std::byte*>(memory);
    TENREC_ASSERT(mprotect(start_ + pages_ - page, page, PROT_NONE) == 0);
    data = start_ + pages_ - page - held_;
    bytes = size;
    std::fill(start_, data, guard);
    std::fill(data, data + size, nan);
    std::fill(data + size, data + held_, guard);
  }
  ~Guarded() override {
    const auto whole = [](const std::byte* from, const std::byte* to) {
      return std::all_of(from, to, [](std::byte b) { return b == guard; });
    };
    if (!whole(start_, data) || !whole(data + bytes, data + held_)) ++violations;
    munmap(start_, pages_);
  }

 private:
  uint64_t held_, pages_;
  std::byte* start_;
};

class GuardedDevice final : public ForwardingDevice {
 public:
  explicit GuardedDevice(const DeviceOptions& options)
      : ForwardingDevice(std::make_shared<cpu::CpuDevice>(options)) {}
  std::unique_ptr<DeviceMemory> allocate(uint64_t bytes, std::string_view what) override {
    auto memory = std::make_unique<Guarded>(bytes);
    if (what == "intermediate values") arena = {memory->data, bytes};
    return memory;
  }
};

void spread_arena(plan::Plan& plan) {
  if (plan.arena_bytes < 0) return;
  int64_t at = gap;
  const auto place = [&](int64_t& offset, int64_t bytes) {
    if (offset < 0) return;
    offset = at;
    at += static_cast<int64_t>(rounded(static_cast<uint64_t>(bytes), alignment) + gap);
  };
  for (plan::ValueDef& value : plan.values) {
    if (value.storage == plan::Storage::arena) place(value.arena_offset, value.upper_bytes);
  }
  for (plan::Step& step : plan.steps) place(step.scratch_offset, step.scratch_upper);
  plan.arena_bytes = at;
  for (plan::Plan& body : plan.bodies) spread_arena(body);
}

}  // namespace

void register_guarded_device() {
  register_device("guarded", [](const DeviceOptions& options) {
    return std::make_shared<GuardedDevice>(options);
  });
}

int guard_violations() { return violations; }
std::span<std::byte> guarded_arena() { return arena; }

plan::EngineParts guarded(plan::EngineParts parts, bool spread) {
  parts.meta.target = "guarded";
  if (spread)
    for (plan::Plan& plan : parts.plans) spread_arena(plan);
  return parts;
}

bool gaps_are_whole(const plan::Plan& plan) {
  if (plan.arena_bytes < 0 || !plan.bodies.empty()) return true;  // bodies have arenas of their own
  std::vector<bool> used(arena.size(), false);
  const auto mark = [&](int64_t offset, int64_t bytes) {
    for (int64_t i = std::max<int64_t>(offset, 0); offset >= 0 && i < offset + bytes; ++i)
      used[static_cast<size_t>(i)] = true;
  };
  for (const plan::ValueDef& value : plan.values)
    if (value.storage == plan::Storage::arena) mark(value.arena_offset, value.upper_bytes);
  for (const plan::Step& step : plan.steps) mark(step.scratch_offset, step.scratch_upper);
  for (size_t i = 0; i < arena.size(); ++i)
    if (!used[i] && arena[i] != nan) return false;
  return true;
}

}  // namespace tenrec::test
