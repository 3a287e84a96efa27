// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/thread_pool.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <climits>
#include <csignal>
#include <mutex>
#include <utility>

namespace tenrec::cpu {
namespace {

// Helpers look for work a little longer than what a model does on one thread between two regions;
// it costs tens of microseconds to wake one. A caller waits for tasks that are nearly done.
constexpr std::chrono::microseconds helper_spin{1000}, caller_spin{200};

constinit thread_local bool this_thread_in_task = false;

void pause_core() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Until done() or the time is over; whether it is done.
template <class Done>
bool spin_until(const Done& done, std::chrono::nanoseconds most) {
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 32; i++) {
      if (done()) return true;
      pause_core();
    }
  } while (std::chrono::steady_clock::now() - start < most);
  return done();
}

void futex_wait(std::atomic<uint32_t>& word, uint32_t seen) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
}
void futex_wake(std::atomic<uint32_t>& word, int most) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, most, nullptr, nullptr, 0);
}

class TaskScope {
 public:
  TaskScope() { this_thread_in_task = true; }
  ~TaskScope() { this_thread_in_task = false; }
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
};

}  // namespace

// Region ------------------------------------------------------------------------------------------

bool Region::claim(int workers) {
  uint64_t expected = 0;
  if (state_.load(std::memory_order_relaxed) != expected) return false;
  const uint64_t claimed = static_cast<uint64_t>(workers) << workers_shift;
  if (!state_.compare_exchange_strong(expected, claimed, std::memory_order_acquire)) return false;
  workers_ = workers;
  return true;
}

void Region::open(int tasks, const Tasks& run) {
  tasks_ = tasks;
  run_ = &run;
  for (int i = 0; i < workers_; i++)
    next_[static_cast<size_t>(i)].task.store(share(tasks, i, workers_).begin,
                                             std::memory_order_relaxed);
  state_.fetch_or(open_bit, std::memory_order_release);
}

// A helper has the same number in every region where that is free: its cache holds that share.
int Region::enter(int helper) {
  uint64_t state = state_.load(std::memory_order_relaxed);
  while ((state & open_bit) != 0) {
    const int most = workers_of(state);
    const uint64_t free = ~state & inside_mask & ((uint64_t{1} << most) - 1);
    if (free == 0) return -1;
    const int usual = 1 + helper % (most - 1);
    const int worker = (free >> usual & 1) != 0 ? usual : std::countr_zero(free);
    if (state_.compare_exchange_weak(state, state | uint64_t{1} << worker,
                                     std::memory_order_acquire, std::memory_order_relaxed))
      return worker;
  }
  return -1;
}

bool Region::full() const {
  const uint64_t state = state_.load(std::memory_order_relaxed);
  return std::popcount(state & inside_mask) + 1 >= workers_of(state);
}

void Region::work(int worker) {
  const TaskScope scope;
  for (int task = take(worker); task >= 0; task = take(worker)) (*run_)(task, worker);
}

int Region::take(int worker) {
  for (int i = 0; i < workers_; i++) {
    const int queue = (worker + i) % workers_;
    const int end = share(tasks_, queue, workers_).end;
    std::atomic<int>& next = next_[static_cast<size_t>(queue)].task;
    if (next.load(std::memory_order_relaxed) >= end) continue;
    const int task = next.fetch_add(1, std::memory_order_relaxed);
    if (task < end) return task;
  }
  return -1;
}

void Region::leave(int worker) {
  const uint64_t before = state_.fetch_and(~(uint64_t{1} << worker), std::memory_order_acq_rel);
  const bool last = (before & inside_mask) == uint64_t{1} << worker;
  if (!last || (before & sleeper_bit) == 0) return;
  left_.fetch_add(1);
  futex_wake(left_, 1);
}

void Region::close_and_release() {
  state_.fetch_and(~open_bit, std::memory_order_acq_rel);
  const auto empty = [&] { return (state_.load(std::memory_order_acquire) & inside_mask) == 0; };
  if (!empty() && !spin_until(empty, caller_spin)) {
    // A helper has lost its core, perhaps to us.
    state_.fetch_or(sleeper_bit, std::memory_order_acq_rel);
    for (uint32_t seen = left_; !empty(); seen = left_) futex_wait(left_, seen);
  }
  state_.store(0, std::memory_order_release);
}

// ThreadPools
// -------------------------------------------------------------------------------------------

// All pools there are. Never destroyed: pools may outlive every static object.
class ThreadPools {
 public:
  static ThreadPools& all() {
    static ThreadPools& pools = *new ThreadPools;
    return pools;
  }

  std::shared_ptr<ThreadPool> of_mask() {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    const bool has_mask = sched_getaffinity(0, sizeof mask, &mask) == 0;
    const std::lock_guard lock(mutex);
    std::erase_if(pools_, [](const auto& pool) { return pool.expired(); });
    for (const auto& known : pools_) {
      std::shared_ptr<ThreadPool> pool = known.lock();
      if (pool && pool->has_mask_ == has_mask && CPU_EQUAL(&pool->mask_, &mask)) return pool;
    }
    std::shared_ptr<ThreadPool> fresh(new ThreadPool(mask, has_mask));
    pools_.push_back(fresh);
    return fresh;
  }

  std::mutex mutex;  // also of growing

 private:
  ThreadPools() {
    pthread_atfork([] { all().mutex.lock(); }, [] { all().mutex.unlock(); },
                   [] {
                     for (const auto& known : all().pools_) {
                       if (const auto pool = known.lock()) pool->abandon();
                     }
                     all().mutex.unlock();
                   });
  }
  std::vector<std::weak_ptr<ThreadPool>> pools_;
};

// ThreadPool
// --------------------------------------------------------------------------------------------

std::shared_ptr<ThreadPool> ThreadPool::shared() { return ThreadPools::all().of_mask(); }

bool ThreadPool::in_task() { return this_thread_in_task; }

ThreadPool::ThreadPool(const cpu_set_t& mask, bool has_mask)
    : mask_(mask), has_mask_(has_mask), cpus_(available_threads()) {}

ThreadPool::~ThreadPool() {
  stopped_ = true;
  wake(INT_MAX);
  for (const pthread_t helper : helpers_) pthread_join(helper, nullptr);
}

void ThreadPool::abandon() {
  helpers_.clear();
  asked_ = 0;
  parked_ = 0;
  open_ = 0;
  // Regions that were in use stay so: their callers are gone, and one of them may be this one.
}

void ThreadPool::grow(int helpers) {
  const std::lock_guard lock(ThreadPools::all().mutex);
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return;
  if (has_mask_) pthread_attr_setaffinity_np(&attributes, sizeof mask_, &mask_);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the caller's affair
  using Start = std::pair<ThreadPool*, int>;
  while (static_cast<int>(helpers_.size()) < helpers) {
    auto start = std::make_unique<Start>(this, static_cast<int>(helpers_.size()));
    const auto body = [](void* given) -> void* {
      const Start own = *std::unique_ptr<Start>(static_cast<Start*>(given));
      own.first->help_until_stopped(own.second);
      return nullptr;
    };
    pthread_t helper;
    if (pthread_create(&helper, &attributes, body, start.get()) != 0) break;
    start.release();
    pthread_setname_np(helper, "tenrec");
    helpers_.push_back(helper);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  asked_ = std::max(asked_.load(), helpers);
}

void ThreadPool::run(int tasks, int workers, const Tasks& run) noexcept {
  workers = std::min({workers, tasks, Region::most_workers});
  if (asked_.load(std::memory_order_relaxed) < workers - 1) grow(workers - 1);
  const auto region = std::find_if(regions_.begin(), regions_.end(),
                                   [&](Region& free) { return free.claim(workers); });
  if (region == regions_.end()) {
    const TaskScope scope;
    for (int task = 0; task < tasks; task++) run(task, 0);
    return;
  }
  const uint64_t bit = uint64_t{1} << (region - regions_.begin());
  region->open(tasks, run);
  open_.fetch_or(bit);
  if (parked_.load() > 0) wake(workers - 1);
  region->work(0);
  if ((open_.load(std::memory_order_relaxed) & bit) != 0) open_.fetch_and(~bit);
  region->close_and_release();
}

void ThreadPool::wake(int helpers) {
  signal_.fetch_add(1);
  futex_wake(signal_, helpers);
}

void ThreadPool::help_until_stopped(int helper) {
  while (!stopped_.load(std::memory_order_relaxed)) {
    if (!help(helper) && !spin()) park();
  }
}

bool ThreadPool::help(int helper) {
  bool helped = false;
  for (uint64_t open = open_.load(std::memory_order_acquire); open != 0; open &= open - 1) {
    const uint64_t bit = open & -open;
    Region& region = regions_[static_cast<size_t>(std::countr_zero(open))];
    const int worker = region.enter(helper);
    if (worker < 0) continue;
    if (region.full()) open_.fetch_and(~bit);
    region.work(worker);
    if ((open_.load(std::memory_order_relaxed) & bit) != 0) open_.fetch_and(~bit);
    region.leave(worker);
    helped = true;
  }
  return helped;
}

// With more threads than cores whoever spins takes a core from who works.
bool ThreadPool::spin() const {
  if (asked_.load(std::memory_order_relaxed) >= cpus_) return false;
  const auto called = [&] {
    return open_.load(std::memory_order_relaxed) != 0 || stopped_.load(std::memory_order_relaxed);
  };
  return spin_until(called, helper_spin);
}

void ThreadPool::park() {
  const uint32_t seen = signal_.load();
  parked_.fetch_add(1);
  if (open_.load() == 0 && !stopped_.load()) futex_wait(signal_, seen);
  parked_.fetch_sub(1);
}

}  // namespace tenrec::cpu
