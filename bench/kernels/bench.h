// SPDX-License-Identifier: Apache-2.0
// Shared by the kernel benchmarks: clock, measured peak, aligned memory, interleaved rounds.
#pragma once

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu::bench {

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
inline double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// GFLOP/s of 12 independent multiply-add chains on every thread at once: what a core can do.
double peak_gflops(Isa isa, const Threads& threads, double seconds);

// Floats in 2 MiB pages where the kernel grants them, filled with random values: a blocked walk
// touches one page per channel block otherwise.
class Memory {
 public:
  explicit Memory(size_t floats, unsigned seed = 1)
      : data_(static_cast<float*>(std::aligned_alloc(kPage, bytes(floats))), &std::free) {
    madvise(data_.get(), bytes(floats), MADV_HUGEPAGE);
    std::minstd_rand g(seed);
    for (size_t i = 0; i < floats; i++) {
      data_.get()[i] = static_cast<float>(g() % 2048) / 1024.0f - 1.0f;
    }
  }
  float* get() const { return data_.get(); }

 private:
  static constexpr size_t kPage = size_t{2} << 20;
  static size_t bytes(size_t floats) { return (floats * sizeof(float) / kPage + 1) * kPage; }
  std::unique_ptr<float, decltype(&std::free)> data_;
};

// Seconds this thread has run: unlike the clock, blind to neighbours taking its core away.
inline double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Milliseconds of one call: the best mean of `windows` short windows, since on a shared machine
// only the undisturbed ones say something about the code. One thread is timed by its own CPU time.
inline double time_ms(const Threads& threads, double window, int windows,
                      const std::function<void(int)>& call) {
  double (*const clock)() = threads.count() == 1 ? &thread_seconds : &now;
  double best = 1e30;
  for (int w = 0, index = 0; w < windows; w++) {
    const double start = clock();
    double spent = 0;
    int n = 0;
    while (spent < window) {
      call(index++);
      n++;
      spent = clock() - start;
    }
    best = std::min(best, spent / n * 1e3);
  }
  return best;
}

}  // namespace tenrec::cpu::bench
