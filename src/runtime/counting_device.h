// SPDX-License-Identifier: Apache-2.0
// A device with a memory limit: every allocation is counted while it lives.
#pragma once
#include <atomic>

#include "runtime/device.h"

namespace tenrec {

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit) : limit_(limit) {}
  void take(uint64_t bytes, std::string_view what);  // an out_of_memory Error past the limit
  void give_back(uint64_t bytes) { used_ -= bytes; }
  uint64_t used() const { return used_; }
  uint64_t allocations() const { return allocations_; }  // so far; tests count them

 private:
  uint64_t limit_;  // 0: none
  std::atomic<uint64_t> used_{0};
  std::atomic<uint64_t> allocations_{0};
};

// Forwards to `inner`; weights used in place cost nothing.
std::shared_ptr<Device> make_counting_device(std::shared_ptr<Device> inner,
                                             std::shared_ptr<MemoryBudget> budget);

}  // namespace tenrec
