// SPDX-License-Identifier: Apache-2.0
// Launches kept as data arrive as they were made.
#include "targets/cuda/run/launches.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tenrec::test {
namespace {

using cuda::LaunchList;

struct Seen {
  CUfunction function = nullptr;
  unsigned grid = 0, attributes = 0;
  uint64_t first = 0, second = 0;
};
std::vector<Seen> seen;

CUfunction function_of(uintptr_t number) { return reinterpret_cast<CUfunction>(number); }
CUgraphNode node_of(uintptr_t number) { return reinterpret_cast<CUgraphNode>(number); }
uint64_t value_of(const void* argument) { return *static_cast<const uint64_t*>(argument); }

cuda::DriverApi noting_driver() {
  cuda::DriverApi api;
  api.cuLaunchKernelEx = [](const CUlaunchConfig* config, CUfunction function, void** arguments,
                            void**) {
    seen.push_back({function, config->gridDimX, config->numAttrs, value_of(arguments[0]),
                    value_of(arguments[1])});
    return CUDA_SUCCESS;
  };
  api.cuGraphKernelNodeSetParams = [](CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS* params) {
    if (node == node_of(99)) return CUDA_ERROR_INVALID_VALUE;
    seen.push_back({params->func, params->gridDimX, 0, value_of(params->kernelParams[0]),
                    value_of(params->kernelParams[1])});
    return CUDA_SUCCESS;
  };
  return api;
}

// `count` launches of functions 1, 2, ..., whose arguments are gone afterwards.
void fill(LaunchList& list, uintptr_t count) {
  for (uintptr_t i = 1; i <= count; ++i) {
    uint64_t values[2] = {i * 10, i * 100};
    void* pointers[2] = {&values[0], &values[1]};
    CUlaunchAttribute attribute = {};
    CUlaunchConfig config = {};
    config.gridDimX = static_cast<unsigned>(i);
    config.attrs = &attribute;
    config.numAttrs = i % 2;
    list.add(config, function_of(i), {pointers, 2, sizeof(uint64_t)});
    values[0] = values[1] = 0;
  }
}

void expect_seen(size_t count) {
  ASSERT_EQ(seen.size(), count);
  for (size_t i = 0; i < count; ++i) {
    EXPECT_EQ(seen[i].function, function_of(i + 1));
    EXPECT_EQ(seen[i].grid, i + 1);
    EXPECT_EQ(seen[i].first, (i + 1) * 10);
    EXPECT_EQ(seen[i].second, (i + 1) * 100);
  }
}

TEST(LaunchList, LaunchesAsTheyWereMade) {
  const cuda::DriverApi api = noting_driver();
  LaunchList list;
  for (int round = 0; round < 2; ++round) {
    list.clear();
    seen.clear();
    fill(list, 5);
    list.launch_all(api, nullptr);
    expect_seen(5);
    EXPECT_EQ(seen[0].attributes, 1U);
    EXPECT_EQ(seen[1].attributes, 0U);
  }
}

TEST(LaunchList, BecomesTheNodesOfAGraph) {
  const cuda::DriverApi api = noting_driver();
  LaunchList list;
  fill(list, 3);
  seen.clear();
  EXPECT_TRUE(list.write(api, std::vector{node_of(1), node_of(2), node_of(3)}));
  expect_seen(3);
  EXPECT_FALSE(list.write(api, std::vector{node_of(1), node_of(2)}));
  EXPECT_FALSE(list.write(api, std::vector{node_of(1), node_of(2), node_of(99)}));
}

}  // namespace
}  // namespace tenrec::test
