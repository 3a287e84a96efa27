// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/launches.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "targets/cuda/run/driver.h"

namespace tenrec::cuda {
namespace {

size_t words(size_t bytes) { return (bytes + 7) / 8; }

}  // namespace

void LaunchList::clear() {
  launches_.clear();
  words_.clear();
}

void LaunchList::add(const CUlaunchConfig& config, CUfunction function,
                     const KernelArguments& arguments) {
  Launch& launch = launches_.emplace_back();
  launch.config = config;
  TENREC_ASSERT(config.numAttrs <= std::size(launch.attributes), "a launch of many attributes");
  std::copy_n(config.attrs, config.numAttrs, launch.attributes);
  launch.function = function;
  launch.begin = words_.size();
  launch.count = arguments.count;
  launch.bytes = arguments.bytes;
  const size_t each = words(arguments.bytes);
  words_.resize(words_.size() + each * arguments.count);
  for (size_t i = 0; i < arguments.count; ++i)
    std::memcpy(&words_[launch.begin + i * each], arguments.pointers[i], arguments.bytes);
}

void** LaunchList::pointers_of(const Launch& launch) {
  pointers_.resize(std::max(pointers_.size(), launch.count));
  for (size_t i = 0; i < launch.count; ++i)
    pointers_[i] = &words_[launch.begin + i * words(launch.bytes)];
  return pointers_.data();
}

void LaunchList::launch_all(const DriverApi& api, CUstream stream) {
  for (Launch& launch : launches_) {
    launch.config.attrs = launch.attributes;
    launch.config.hStream = stream;
    check(api.cuLaunchKernelEx(&launch.config, launch.function, pointers_of(launch), nullptr),
          "launching a kernel");
  }
}

bool LaunchList::write(const DriverApi& api, std::span<const CUgraphNode> nodes) {
  if (nodes.size() != launches_.size()) return false;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Launch& launch = launches_[i];
    const CUlaunchConfig& config = launch.config;
    CUDA_KERNEL_NODE_PARAMS params = {};
    params.func = launch.function;
    params.gridDimX = config.gridDimX;
    params.gridDimY = config.gridDimY;
    params.gridDimZ = config.gridDimZ;
    params.blockDimX = config.blockDimX;
    params.blockDimY = config.blockDimY;
    params.blockDimZ = config.blockDimZ;
    params.sharedMemBytes = config.sharedMemBytes;
    params.kernelParams = pointers_of(launch);
    if (api.cuGraphKernelNodeSetParams(nodes[i], &params) != CUDA_SUCCESS) return false;
  }
  return true;
}

}  // namespace tenrec::cuda
