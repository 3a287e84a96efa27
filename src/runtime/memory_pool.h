// SPDX-License-Identifier: Apache-2.0
// Device blocks for values whose size is known only while running. Blocks are kept, so a run like
// the one before allocates nothing.
#pragma once
#include <memory>
#include <vector>

#include "runtime/device.h"

namespace tenrec {

class MemoryPool {
 public:
  explicit MemoryPool(Device& device) : device_(device) {}
  // The number of a block of at least `bytes`: the smallest free one that fits, else a new one in
  // place of the largest free one.
  int32_t acquire(uint64_t bytes);
  void release(int32_t block) { blocks_[static_cast<size_t>(block)].is_used = false; }
  void release_all();
  std::byte* data(int32_t block) const { return blocks_[static_cast<size_t>(block)].memory->data; }
  uint64_t bytes() const;
  bool overlaps(const std::byte* begin, const std::byte* end) const;

 private:
  struct Block {
    std::unique_ptr<DeviceMemory> memory;
    bool is_used = false;
  };
  Device& device_;
  std::vector<Block> blocks_;
};

// [begin, end) touches the memory.
inline bool overlaps(const DeviceMemory* memory, const std::byte* begin, const std::byte* end) {
  return memory != nullptr && begin < memory->data + memory->bytes && memory->data < end;
}

}  // namespace tenrec
