// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/limits.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "targets/cpu/run/limits.cpp"
#include "targets/cpu/run/highway_each.h"
#include "targets/cpu/run/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tenrec::cpu::HWY_NAMESPACE {

constexpr int chains = 10;  // two units with a latency of 4 or 5 want as many at once
constexpr int tile = chains / kParts;

float multiply_add(int64_t rounds) {
  V sums[tile];
  TENREC_UNROLL for (int i = 0; i < tile; ++i) sums[i] = all(static_cast<float>(i));
  const V factor = all(0.5f), term = all(0.25f);
  for (int64_t round = 0; round < rounds; ++round) {
    TENREC_UNROLL for (int i = 0; i < tile; ++i) sums[i] = fma(sums[i], factor, term);
  }
  V total = sums[0];
  TENREC_UNROLL for (int i = 1; i < tile; ++i) total = total + sums[i];
  return sum(total);
}

void write(float* data, int64_t count) {
  constexpr int streams = 4;
  const V value = all(1.0f);
  for (int64_t at = 0; at + streams * B <= count; at += streams * B) {
    TENREC_UNROLL for (int i = 0; i < streams; ++i) store(data + at + i * B, value);
  }
}

float read(const float* data, int64_t count) {
  constexpr int streams = 8;
  V sums[streams];
  TENREC_UNROLL for (int i = 0; i < streams; ++i) sums[i] = zero();
  for (int64_t at = 0; at + streams * B <= count; at += streams * B) {
    TENREC_UNROLL for (int i = 0; i < streams; ++i) sums[i] = sums[i] + load(data + at + i * B);
  }
  V total = sums[0];
  TENREC_UNROLL for (int i = 1; i < streams; ++i) total = total + sums[i];
  return sum(total);
}

LimitLoops loops_here() { return {multiply_add, write, read, int64_t{tile} * B}; }

}  // namespace tenrec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

#include "base/error.h"
#include "base/host_memory.h"
#include "targets/cpu/run/caches.h"

namespace tenrec::cpu {

LimitLoops limit_loops(Isa isa) { return TENREC_CPU_PICK(isa, loops_here)(); }

namespace {

constexpr int tries = 9;

// Seconds of the median of some tries in which every thread does its part. Not of the fastest:
// where neighbours share the cores, that is a moment without them, and what is compared has them
// too.
template <class Part>
double typical(const Threads& threads, const Part& part) {
  std::array<double, tries> seconds;
  std::atomic<float> kept = 0;  // what a loop gives is used
  for (double& each : seconds) {
    const auto start = std::chrono::steady_clock::now();
    threads.parallel(threads.count(), [&](int task, int) { kept = part(task); });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    each = took.count();
  }
  std::nth_element(seconds.begin(), seconds.begin() + tries / 2, seconds.end());
  return seconds[tries / 2];
}

// Bytes a second of a set that every thread has an equal part of, written and then read.
double move_rate(const Threads& threads, const LimitLoops& loops, uint64_t bytes) {
  const auto own = static_cast<int64_t>(bytes / sizeof(float)) / threads.count();
  const int64_t rounds = std::max<int64_t>(1, (int64_t{4} << 20) / std::max<int64_t>(own, 1));
  const HostMemory memory = allocate_host(bytes);
  TENREC_CHECK(memory, out_of_memory, "allocating {} bytes to measure the memory's rate failed",
               bytes);
  auto* const data = reinterpret_cast<float*>(memory.get());
  const double seconds = typical(threads, [&](int task) {
    float* part = &data[static_cast<size_t>(own * task)];
    float total = 0;
    for (int64_t round = 0; round < rounds; ++round) {
      loops.write(part, own);
      total += loops.read(part, own);
    }
    return total;
  });
  return static_cast<double>(2 * rounds * own * threads.count()) * sizeof(float) / seconds;
}

}  // namespace

DeviceLimits measure_limits(Isa isa, const Threads& threads) {
  const LimitLoops loops = limit_loops(isa);
  constexpr int64_t rounds = 1 << 20;
  const double seconds = typical(threads, [&](int) { return loops.multiply_add(rounds); });
  DeviceLimits limits;
  const auto done = static_cast<double>(rounds * loops.multiply_adds_a_round * threads.count());
  limits.f32 = limits.tf32 = limits.f16 = 2 * done / seconds;
  const auto count = static_cast<uint64_t>(threads.count());
  const uint64_t l2 = count * cache_bytes(2, 512 << 10);
  const uint64_t largest = std::max(l2, cache_bytes(3, 8 << 20));
  const auto level = [&](uint64_t size) {
    limits.memory.push_back({size, move_rate(threads, loops, size)});
  };
  // Three quarters of a cache are what a set of nothing else can count on.
  level(count * cache_bytes(1, 32 << 10) / 4 * 3);
  for (uint64_t size = l2 / 4 * 3; size <= 2 * largest; size *= 2) level(size);
  level(4 * largest);
  limits.source = fmt::format("measured with {} threads", threads.count());
  return limits;
}

}  // namespace tenrec::cpu
#endif
