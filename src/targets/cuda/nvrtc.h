// SPDX-License-Identifier: Apache-2.0
// Generated text to device code by CUDA's run-time compiler.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "targets/timing_cache.h"

namespace tenrec::cuda {

// One image a text, in order; texts compile in parallel. An Error names the kernel and repeats the
// compiler's messages; with `failures` they stand there instead, one entry a text. What was
// compiled before in this process, or is in `cache`, is not compiled again; `cache` gets the rest.
std::vector<plan::KernelImage> compile(std::span<const plan::KernelSource> sources, int capability,
                                       int threads, std::vector<std::string>* failures = nullptr,
                                       TimingCache* cache = nullptr);

// "13.0", or "" and why there is no compiler.
std::string compiler_version(std::string& problem);

}  // namespace tenrec::cuda
