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
// Allocations until one fails; 0 or less: those behind it.
std::atomic<bool> is_failing{false}, fails_for_good{false};
std::atomic<int> until_failure{0};

bool has_to_fail() noexcept {
  if (!is_failing.load(std::memory_order_relaxed)) return false;
  const int left = --until_failure;
  return left == 0 || (left < 0 && fails_for_good.load(std::memory_order_relaxed));
}

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (is_counting.load(std::memory_order_relaxed)) ++counted;
  if (has_to_fail()) return nullptr;
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

AllocationFault::AllocationFault(int nth, bool for_good) {
  fails_for_good = for_good;
  until_failure = nth;
  is_failing = true;
}

AllocationFault::~AllocationFault() { is_failing = false; }

bool AllocationFault::happened() const { return until_failure <= 0; }

}  // namespace tenrec
