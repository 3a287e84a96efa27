// SPDX-License-Identifier: Apache-2.0
// Launches as data: what a stream keeps of them while it records.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "targets/cuda/run/dynlib.h"

namespace tenrec::cuda {

// Arguments of a kernel, each of `bytes` bytes (or fewer: then what follows it can be read too).
struct KernelArguments {
  void* const* pointers = nullptr;
  size_t count = 0, bytes = 0;
};

class LaunchList {
 public:
  void clear();  // keeps its memory
  bool empty() const { return launches_.empty(); }
  size_t size() const { return launches_.size(); }
  CUfunction function(size_t i) const { return launches_[i].function; }
  void add(const CUlaunchConfig& config, CUfunction function, const KernelArguments& arguments);
  void launch_all(const DriverApi& api, CUstream stream);
  // Makes them the kernels of `nodes`; false where the driver refuses.
  bool write(const DriverApi& api, std::span<const CUgraphNode> nodes);

 private:
  struct Launch {
    CUlaunchConfig config;
    CUlaunchAttribute attributes[2];
    CUfunction function;
    size_t begin, count, bytes;  // of the arguments, in words_
  };
  void** pointers_of(const Launch& launch);

  std::vector<Launch> launches_;
  std::vector<unsigned long long> words_;
  std::vector<void*> pointers_;
};

}  // namespace tenrec::cuda
