// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory_pool.h"

#include <algorithm>
#include <bit>

namespace tenrec {
namespace {

// Up to an eighth more, so that slightly varying sizes settle on the same blocks.
uint64_t rounded(uint64_t bytes) {
  const uint64_t step = std::max<uint64_t>(4096, std::bit_floor(std::max<uint64_t>(bytes, 1)) / 8);
  return bytes > UINT64_MAX - step ? bytes : (bytes + step - 1) / step * step;
}

}  // namespace

int32_t MemoryPool::acquire(uint64_t bytes) {
  Block* fitting = nullptr;
  Block* largest = nullptr;
  for (Block& block : blocks_) {
    if (block.is_used) continue;
    if (!block.memory) {
      if (!largest) largest = &block;
      continue;
    }
    if (!largest || !largest->memory || block.memory->bytes > largest->memory->bytes)
      largest = &block;
    if (block.memory->bytes < bytes) continue;
    if (!fitting || block.memory->bytes < fitting->memory->bytes) fitting = &block;
  }
  if (!fitting) {
    if (!largest) largest = &blocks_.emplace_back();
    fitting = largest;
    fitting->memory.reset();
    fitting->memory = device_.allocate(rounded(bytes), "a value whose size the model computes");
  }
  fitting->is_used = true;
  return static_cast<int32_t>(fitting - blocks_.data());
}

void MemoryPool::release_all() {
  for (Block& block : blocks_) block.is_used = false;
}

uint64_t MemoryPool::bytes() const {
  uint64_t sum = 0;
  for (const Block& block : blocks_) sum += block.memory ? block.memory->bytes : 0;
  return sum;
}

bool MemoryPool::overlaps(const std::byte* begin, const std::byte* end) const {
  return std::any_of(blocks_.begin(), blocks_.end(), [&](const Block& block) {
    return tenrec::overlaps(block.memory.get(), begin, end);
  });
}

}  // namespace tenrec
