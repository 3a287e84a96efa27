// SPDX-License-Identifier: Apache-2.0
// The threads of a Device: how many, and the pool (thread_pool.h) that its caller shares with
// others.
//
//   Threads threads;                                        // as many as this process may use
//   threads.parallel(tasks, [&](int task, int worker) { ... });
//
// Rule for every kernel: a reduction is never split by threads, so results do not depend on
// count().
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace tenrec::cpu {

template <class Signature>
class FunctionRef;

// A callable that is borrowed for the length of a call: two pointers, no allocation.
template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
  FunctionRef(F&& f)  // NOLINT(google-explicit-constructor): lambdas convert at the call
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, Args... args) -> Result {
          return (*static_cast<std::add_pointer_t<std::remove_reference_t<F>>>(object))(
              std::forward<Args>(args)...);
        }) {}
  Result operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  Result (*call_)(void*, Args...);
};

// What this process may really use: its affinity mask, cut by the cgroup CPU quota. At least 1.
int available_threads();

// CPUs granted by the quotas of the cgroups listed in `proc_cgroup` (text of /proc/self/cgroup),
// version 1 and 2, parents included; `root` is where cgroup file systems are mounted. Rounded down
// (a static split waits for its slowest thread, and a throttled thread is slow), 0 = no quota.
int cgroup_quota(const std::string& proc_cgroup, const std::string& root);

class ThreadPool;

class Threads {
 public:
  explicit Threads(int count = available_threads());
  int count() const { return count_; }

  // Calls fn(task, worker) once for each task in [0, tasks) and returns when all are done. Worker w
  // of n starts with tasks [tasks * w / n, tasks * (w + 1) / n) in order and then takes what others
  // have left; worker < count(), so per-worker scratch can be indexed by it. Allocates nothing, fn
  // must not throw; count() == 1, tasks <= 1 and calls from inside a task run on the calling
  // thread.
  void parallel(int tasks, FunctionRef<void(int task, int worker)> fn) const;

 private:
  int count_;
  std::shared_ptr<ThreadPool> pool_;
};

// Part `index` of `parts` of n items: the static split used everywhere, all parts equal +-1.
struct Share {
  int begin, end;
  constexpr int size() const { return end - begin; }
};
constexpr Share share(int n, int index, int parts) {
  const auto cut = [&](int i) { return static_cast<int>(static_cast<long long>(n) * i / parts); };
  return {cut(index), cut(index + 1)};
}

}  // namespace tenrec::cpu
