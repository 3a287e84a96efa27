// SPDX-License-Identifier: Apache-2.0
// The threads that help callers of Threads::parallel, shared by all Threads opened under one
// affinity mask.
//
// A caller opens a region, works in it, closes it when no task is left and waits for those who are
// inside; a helper that comes late, or not at all, holds nobody up. Helpers look for open regions
// for a while, then park. Any helper may enter any region, so many callers share few helpers.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

using Tasks = FunctionRef<void(int task, int worker)>;

// A call of Threads::parallel: a share of the tasks for each worker, who goes on with those of
// others when done, since a core may be slower than its neighbour or taken away for a while.
class alignas(64) Region {
 public:
  static constexpr int most_workers = 48;

  bool claim(int workers);  // false: in use
  void open(int tasks, const Tasks& run);
  int enter(int helper);     // the helper's worker number; -1: closed, or has all its workers
  bool full() const;         // nobody else may enter
  void work(int worker);     // until no task is left
  void leave(int worker);    // of helpers
  void close_and_release();  // of the caller, after its work: when all helpers have left

 private:
  // Who is inside (bit w: worker w), how many workers there may be, whether it is open, whether the
  // caller sleeps until helpers have left. One word, so that a helper enters what it has seen.
  static constexpr int workers_shift = most_workers;
  static constexpr uint64_t inside_mask = (uint64_t{1} << most_workers) - 2;
  static constexpr uint64_t open_bit = uint64_t{1} << 62;
  static constexpr uint64_t sleeper_bit = uint64_t{1} << 63;
  static int workers_of(uint64_t state) {
    return static_cast<int>((state & ~(open_bit | sleeper_bit)) >> workers_shift);
  }
  int take(int worker);

  struct alignas(64) Next {
    std::atomic<int> task;
  };
  std::atomic<uint64_t> state_ = 0;  // 0: free
  std::atomic<uint32_t> left_ = 0;   // counts up to wake the sleeper
  int tasks_ = 0, workers_ = 0;
  const Tasks* run_ = nullptr;
  std::array<Next, most_workers> next_;
};

class ThreadPool {
 public:
  // That of the calling thread's affinity mask. It ends with its last owner.
  static std::shared_ptr<ThreadPool> shared();
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Whether the calling thread is in a task.
  static bool in_task();
  void run(int tasks, int workers, const Tasks& run) noexcept;

 private:
  friend class ThreadPools;
  ThreadPool(const cpu_set_t& mask, bool has_mask);
  void grow(int helpers);
  void abandon();  // after a fork, whose child has none of the threads
  void wake(int helpers);
  void help_until_stopped(int helper);
  bool help(int helper);
  bool spin() const;  // true: a region has opened, or the pool ends
  void park();

  static constexpr int most_regions = 32;  // callers beyond that work alone
  cpu_set_t mask_;
  bool has_mask_;
  int cpus_;
  std::atomic<int> asked_ = 0;  // helpers that were wanted; threads may have been refused
  std::vector<pthread_t> helpers_;
  alignas(64) std::atomic<uint64_t> open_ = 0;  // regions that may be entered
  std::atomic<uint32_t> signal_ = 0;            // counts up to wake who is parked
  std::atomic<int> parked_ = 0;
  std::atomic<bool> stopped_ = false;
  std::array<Region, most_regions> regions_;
};

}  // namespace tenrec::cpu
