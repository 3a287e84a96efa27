// SPDX-License-Identifier: Apache-2.0
#include "reuse.h"

#include <algorithm>
#include <limits>

namespace tenrec {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

uint64_t address(const StepMemory& memory) { return reinterpret_cast<uint64_t>(memory.data); }

}  // namespace

double MemoryReuse::step(std::span<const StepMemory> uses, const CostOfByte& cost) {
  double bytes = 0, total = 0;
  for (const StepMemory& memory : uses) bytes += static_cast<double>(memory.bytes);
  const double now = touched_ + bytes / 2;
  for (const StepMemory& memory : uses)
    total += cost_of(address(memory), address(memory) + memory.bytes, now, cost);
  for (const StepMemory& memory : uses) use(address(memory), address(memory) + memory.bytes, now);
  touched_ += bytes;
  return bytes > 0 ? total / bytes : 0;
}

double MemoryReuse::cost_of(uint64_t begin, uint64_t end, double now,
                            const CostOfByte& cost) const {
  double total = 0;
  auto piece = pieces_.upper_bound(begin);
  if (piece != pieces_.begin() && std::prev(piece)->second.end > begin) --piece;
  while (begin < end) {
    const bool none = piece == pieces_.end() || piece->first >= end;
    const uint64_t from = none ? end : std::max(begin, piece->first);
    total += static_cast<double>(from - begin) * cost(never);
    if (none) break;
    const uint64_t to = std::min(end, piece->second.end);
    total += static_cast<double>(to - from) * cost(now - piece->second.used);
    begin = to;
    ++piece;
  }
  return total;
}

void MemoryReuse::use(uint64_t begin, uint64_t end, double now) {
  if (begin == end) return;
  auto piece = pieces_.upper_bound(begin);
  if (piece != pieces_.begin()) --piece;
  while (piece != pieces_.end() && piece->first < end) {
    const auto [first, old] = *piece;
    if (old.end <= begin) {
      ++piece;
      continue;
    }
    piece = pieces_.erase(piece);
    if (first < begin) pieces_[first] = {begin, old.used};
    if (old.end > end) pieces_[end] = {old.end, old.used};
  }
  pieces_[begin] = {end, now};
}

}  // namespace tenrec
