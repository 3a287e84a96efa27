// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/threads.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <sstream>

#if defined(__SANITIZE_THREAD__)
#define TENREC_TSAN 1
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#define TENREC_NO_TSAN __attribute__((no_sanitize("thread")))
#else
#define TENREC_TSAN 0
#define TENREC_NO_TSAN
#endif

namespace tenrec::cpu {
namespace {

// The CPU_COUNT of the mask is wrong above 1,024 CPUs, where the call fails: then trust OpenMP.
int affinity_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return std::max(1, omp_get_num_procs());
  return std::max(1, CPU_COUNT(&set));
}

// quota / period in whole CPUs; 0 when there is none ("max", "-1", or no such file).
int quota_cpus(const std::string& quota_file, const std::string& period_file) {
  std::ifstream quota_in(quota_file);
  std::string quota_text;
  if (!(quota_in >> quota_text) || quota_text == "max") return 0;
  long long period = 0;
  if (period_file.empty()) {
    quota_in >> period;
  } else {
    std::ifstream(period_file) >> period;
  }
  const long long quota = std::strtoll(quota_text.c_str(), nullptr, 10);
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::clamp(quota / period, 1LL, 1LL << 20));
}

void tighten(int& best, int cpus) {
  if (cpus > 0) best = best == 0 ? cpus : std::min(best, cpus);
}

std::string read_file(const char* path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// libgomp is not built with ThreadSanitizer, which so misses the hand-over of work to the team and
// back. Stating it by hand keeps reports about our own code meaningful.
struct Fence {
  void* at;
  TENREC_NO_TSAN void acquire() const {
#if TENREC_TSAN
    __tsan_acquire(at);
#endif
  }
  TENREC_NO_TSAN void release() const {
#if TENREC_TSAN
    __tsan_release(at);
#endif
  }
};

// The tasks of a region: a share for each worker, who goes on with those of others when done, since
// a core may be slower than its neighbour or taken away for a while.
class Queues {
 public:
  Queues(int tasks, int workers) : tasks_(tasks), count_(std::min(workers, most)) {
    for (int i = 0; i < count_; i++)
      next_[i].at.store(share(tasks, i, count_).begin, std::memory_order_relaxed);
  }
  // The worker's next task, -1 when all are taken.
  int take(int worker) {
    for (int i = 0; i < count_; i++) {
      const int queue = (worker + i) % count_;
      const int end = share(tasks_, queue, count_).end;
      std::atomic<int>& next = next_[queue].at;
      if (next.load(std::memory_order_relaxed) >= end) continue;
      const int task = next.fetch_add(1, std::memory_order_relaxed);
      if (task < end) return task;
    }
    return -1;
  }

 private:
  static constexpr int most = 64;  // more workers share queues
  struct alignas(64) Next {
    std::atomic<int> at;
  };
  int tasks_, count_;
  std::array<Next, most> next_;
};

}  // namespace

int cgroup_quota(const std::string& proc_cgroup, const std::string& root) {
  int best = 0;
  std::istringstream lines(proc_cgroup);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool v2 = names == ",,";
    if (!v2 && names.find(",cpu,") == std::string::npos) continue;
    // Inside a container the mount often shows only the own group, at its root: walk up to there.
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      if (path == "/") path.clear();
      if (v2) {
        tighten(best, quota_cpus(root + path + "/cpu.max", ""));
        tighten(best, quota_cpus(root + "/unified" + path + "/cpu.max", ""));
      } else {
        const std::string folder = root + "/cpu" + path + "/cpu.cfs_";
        tighten(best, quota_cpus(folder + "quota_us", folder + "period_us"));
      }
      if (path.rfind('/') == std::string::npos) break;
    }
  }
  return best;
}

int available_threads() {
  const int affinity = affinity_threads();
  const int quota = cgroup_quota(read_file("/proc/self/cgroup"), "/sys/fs/cgroup");
  return quota > 0 ? std::min(affinity, quota) : affinity;
}

Threads::Threads(int count) : count_(std::max(1, count)) {}

void Threads::adopt() const { omp_set_num_threads(count_); }

TENREC_NO_TSAN void Threads::parallel(int tasks, FunctionRef<void(int, int)> fn) const {
  if (count_ == 1 || tasks <= 1 || omp_in_parallel() != 0) {
    for (int task = 0; task < tasks; task++) fn(task, 0);
    return;
  }
  const Fence fence{&fn};
  Queues queues(tasks, count_);
  fence.release();
  // Always the whole team: libgomp ends the surplus threads when a region asks for fewer.
#pragma omp parallel num_threads(count_) default(none) shared(fn, queues, fence)
  {
    fence.acquire();
    const int worker = omp_get_thread_num();
    for (int task = queues.take(worker); task >= 0; task = queues.take(worker)) fn(task, worker);
    fence.release();
  }
  fence.acquire();
}

}  // namespace tenrec::cpu
