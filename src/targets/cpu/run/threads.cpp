// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/threads.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "targets/cpu/run/thread_pool.h"

namespace tenrec::cpu {
namespace {

// Above 1,024 CPUs the call fails: then all that are online.
int affinity_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
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

Threads::Threads(int count) : count_(std::max(1, count)), pool_(ThreadPool::shared()) {}

void Threads::parallel(int tasks, FunctionRef<void(int, int)> fn) const {
  if (count_ == 1 || tasks <= 1 || ThreadPool::in_task()) {
    for (int task = 0; task < tasks; task++) fn(task, 0);
    return;
  }
  pool_->run(tasks, count_, fn);
}

}  // namespace tenrec::cpu
