// SPDX-License-Identifier: Apache-2.0
#include "common/allocation_count.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> is_counting{false};
std::atomic<int> counted{0};

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (is_counting.load(std::memory_order_relaxed)) ++counted;
  void* memory = nullptr;
  const bool failed = ::posix_memalign(&memory, std::max(alignment, sizeof(void*)),
                                       std::max<std::size_t>(size, 1)) != 0;
  return failed ? nullptr : memory;
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* const memory = allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate_or_throw(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace tenrec {

void AllocationCount::start() {
  counted = 0;
  is_counting = true;
}

void AllocationCount::stop() {
  is_counting = false;
  total_ += counted;
}

}  // namespace tenrec
