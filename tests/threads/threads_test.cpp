// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/threads.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace tenrec::cpu {
namespace {

TEST(Threads, every_task_runs_once_and_workers_are_in_range) {
  for (int count : {1, 2, 3, 7}) {
    const Threads threads(count);
    EXPECT_EQ(threads.count(), count);
    for (int tasks : {0, 1, 2, 5, 100}) {
      std::vector<int> hits(static_cast<size_t>(tasks), 0), workers(hits);
      threads.parallel(tasks, [&](int task, int worker) {
        hits[static_cast<size_t>(task)]++;
        workers[static_cast<size_t>(task)] = worker;
      });
      for (int hit : hits) EXPECT_EQ(hit, 1);
      for (int worker : workers) EXPECT_TRUE(worker >= 0 && worker < count);
    }
  }
}

// The first task waits for all others, which only its neighbour can do.
TEST(Threads, tasks_of_a_worker_that_is_held_up_go_to_others) {
  const Threads threads(2);
  std::atomic<int> others = 0;
  threads.parallel(8, [&](int task, int) {
    if (task != 0) ++others;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (task == 0 && others < 7 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    EXPECT_TRUE(task != 0 || others == 7);
  });
}

TEST(Threads, nested_calls_run_inline) {
  const Threads threads(2);
  std::vector<int> hits(6, 0);
  threads.parallel(2, [&](int outer, int) {
    threads.parallel(3, [&](int inner, int worker) {
      EXPECT_EQ(worker, 0);
      hits[static_cast<size_t>(outer * 3 + inner)]++;
    });
  });
  for (int hit : hits) EXPECT_EQ(hit, 1);
}

TEST(Threads, callers_on_several_threads_do_not_disturb_each_other) {
  const Threads threads(2);
  std::vector<long> sums(4, 0);
  std::vector<std::thread> callers;
  for (size_t c = 0; c < sums.size(); c++) {
    callers.emplace_back([&, c] {
      for (int round = 0; round < 200; round++) {
        long part[2] = {0, 0};
        threads.parallel(2, [&](int task, int) { part[task] = task + 1; });
        sums[c] += part[0] + part[1];
      }
    });
  }
  for (auto& caller : callers) caller.join();
  for (long sum : sums) EXPECT_EQ(sum, 600);
}

TEST(Threads, sixteen_callers_share_the_helpers_of_all) {
  std::vector<long> sums(16, 0);
  std::vector<std::thread> callers;
  for (size_t c = 0; c < sums.size(); c++) {
    callers.emplace_back([&, c] {
      const Threads threads(16);
      for (int round = 0; round < 50; round++) {
        std::vector<long> parts(33, 0);
        threads.parallel(33, [&](int task, int worker) {
          parts[static_cast<size_t>(task)] = worker < 16 ? task : -1000;
        });
        for (long part : parts) sums[c] += part;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  for (long sum : sums) EXPECT_EQ(sum, 50 * 33 * 16);
}

// Task 0 waits for a neighbour's, which only a helper that woke up can run.
TEST(Threads, helpers_that_have_parked_wake_up) {
  const Threads threads(2);
  for (int round = 0; round < 20; round++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 3));
    std::atomic<bool> other = false;
    threads.parallel(2, [&](int task, int) {
      if (task == 1) other = true;
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (!other && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    });
    EXPECT_TRUE(other);
  }
}

int threads_of_this_process() {
  const std::filesystem::directory_iterator all("/proc/self/task");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

TEST(Threads, end_with_their_last_owner) {
  std::thread([] {}).join();  // ThreadSanitizer adds one of its own with the first
  const int before = threads_of_this_process();
  {
    const Threads threads(4), same = threads, also(3);
    threads.parallel(8, [](int, int) {});
    also.parallel(8, [](int, int) {});
    EXPECT_EQ(threads_of_this_process(), before + 3);
  }
  // The kernel may show a thread a little longer than join waits for it.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (threads_of_this_process() != before && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  EXPECT_EQ(threads_of_this_process(), before);
}

TEST(Threads, work_in_a_forked_child) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer starts no threads in a fork's child";
#endif
  const Threads threads(2);
  threads.parallel(8, [](int, int) {});
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::atomic<int> sum = 0;
    for (int round = 0; round < 100; round++)
      threads.parallel(8, [&](int task, int) { sum += task; });
    const bool both = threads_of_this_process() == 2;
    _exit(both && sum == 2800 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Threads, honours_the_affinity_mask) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  int first = 0;
  while (!CPU_ISSET(first, &before)) first++;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_threads(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

class Quota : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / ("tenrec_quota_" + std::to_string(getpid()));
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  int quota(const std::string& text) { return cgroup_quota(text, root_.string()); }
  std::filesystem::path root_;
};

TEST_F(Quota, version_2_takes_the_tightest_parent) {
  put("a/cpu.max", "400000 100000\n");
  put("a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 4);
  put("cpu.max", "250000 100000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 2);  // 2.5 rounds down
  EXPECT_EQ(quota("0::/\n"), 2);
  EXPECT_EQ(quota("0::/elsewhere\n"), 2);
}

TEST_F(Quota, version_1_reads_the_cpu_controller) {
  put("cpu/x/cpu.cfs_quota_us", "50000\n");
  put("cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("3:cpu,cpuacct:/x\n"), 1);  // half a CPU still runs one thread
  EXPECT_EQ(quota("3:cpuset:/x\n"), 0);
  put("cpu/x/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(quota("3:cpu:/x\n"), 0);
}

TEST_F(Quota, damaged_files_mean_no_quota) {
  put("cpu.max", "garbage\n");
  EXPECT_EQ(quota("0::/\n"), 0);
  EXPECT_EQ(quota("no colons\n:\n0:\n"), 0);
}

}  // namespace
}  // namespace tenrec::cpu
