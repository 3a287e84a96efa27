// SPDX-License-Identifier: Apache-2.0
// Recordings on a driver that pretends (fake_driver.cpp), in a process of their own.
#include "targets/cuda/run/launcher.h"

#ifdef FAKE_CUDA_LIBRARIES
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

namespace tenrec::cuda::test {
namespace {

struct Counts {
  int made = 0, updated = 0, written = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

Counts counts() {
  void* const library = dlopen(FAKE_CUDA_LIBRARIES "/libcuda.so.1", RTLD_NOW);
  std::array<int, 3> numbers{};
  reinterpret_cast<void (*)(int*)>(dlsym(library, "fake_cuda_graphs"))(numbers.data());
  return {numbers[0], numbers[1], numbers[2]};
}

#define WANT(condition) \
  if (!(condition)) std::fputs("not so: " #condition "\n", stderr), std::_Exit(1)

// Launches of kernels by name, and "" for a copy; the number is a grid.
class Recorder {
 public:
  Recorder() : gpu_(Gpu::open(0)), stream_(gpu_), launcher_(gpu_, stream_) {}

  std::unique_ptr<Recording> record(const std::vector<std::string>& kernels, unsigned grid,
                                    std::unique_ptr<Recording> old) {
    return launcher_.record(
        [&] {
          for (const std::string& kernel : kernels) run(kernel, grid);
        },
        std::move(old));
  }

 private:
  void run(const std::string& kernel, unsigned grid) {
    if (kernel.empty()) {
      gpu_->api().cuMemcpyDtoDAsync(0, 0, 0, stream_.get());
      return;
    }
    KernelLaunch launch;
    launch.function = gpu_->function("image", kernel, 0);
    launch.grid[0] = grid;
    void* arguments[] = {&grid};
    launcher_.launch(launch, arguments);
  }

  std::shared_ptr<Gpu> gpu_;
  Stream stream_;
  Launcher launcher_;
};

// Other sizes are written over the launches; other kernels are an update, other numbers of them a
// new graph.
void check_own_kernels() {
  setenv("TENREC_CUDA_LIBRARIES", FAKE_CUDA_LIBRARIES, 1);
  Recorder recorder;
  std::unique_ptr<Recording> first = recorder.record({"a", "b", "a"}, 1, nullptr);
  Recording* const graph = first.get();
  WANT((counts() == Counts{1, 0, 0}));
  std::unique_ptr<Recording> next = recorder.record({"a", "b", "a"}, 2, std::move(first));
  WANT(next.get() == graph && (counts() == Counts{1, 0, 3}));
  next = recorder.record({"a", "c", "a"}, 3, std::move(next));
  WANT(next.get() == graph && (counts() == Counts{1, 1, 4}));
  next = recorder.record({"a", "c", "a"}, 4, std::move(next));  // its nodes are no longer known
  WANT(next.get() == graph && (counts() == Counts{1, 2, 4}));
  next = recorder.record({"a", "b"}, 5, std::move(next));
  WANT((counts() == Counts{2, 2, 4}));
  next = recorder.record({"a"}, 6, std::move(next));  // a step had nothing to do
  WANT((counts() == Counts{3, 2, 5}));
  std::_Exit(0);
}

// A copy is a node that no launch of ours stands for.
void check_other_work() {
  setenv("TENREC_CUDA_LIBRARIES", FAKE_CUDA_LIBRARIES, 1);
  Recorder recorder;
  std::unique_ptr<Recording> first = recorder.record({"a", ""}, 1, nullptr);
  first = recorder.record({"a", ""}, 2, std::move(first));
  WANT((counts() == Counts{1, 1, 0}));
  std::_Exit(0);
}

TEST(Launcher, WritesLaunchesOverThoseOfAGraph) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(check_own_kernels(), ::testing::ExitedWithCode(0), "");
}

TEST(Launcher, UpdatesGraphsOfOtherWork) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(check_other_work(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tenrec::cuda::test
#endif
