// SPDX-License-Identifier: Apache-2.0
// The CUDA target's kernel families, run side. A family turns a validated Step into a StepRunner;
// families.cpp lists them all, one line each.
#pragma once
#include <memory>
#include <string_view>

#include "base/error.h"
#include "runtime/device.h"
#include "targets/cuda/run/launcher.h"

namespace tenrec::cuda {

// What a runner may use; lives as long as the device.
struct RunEnvironment {
  Gpu& gpu;
  Stream& stream;      // all work goes here
  Device& device;      // for memory and copies
  Launcher& launcher;  // for our own kernels
};

// A step that is being prepared, and the engine's device code.
struct StepSource {
  const plan::Plan& plan;
  const plan::Step& step;
  std::span<const plan::KernelImage> code;
  RunEnvironment& environment;
};

using Runner = std::unique_ptr<StepRunner>;
struct Family {
  std::string_view name;
  Runner (*prepare)(const StepSource& source);
};

// Null when this build has no such family.
const Family* find_family(std::string_view name);

// Whether the value lies in host memory though it is no host value: sizes as data.
bool lies_on_host(const plan::Plan& plan, int32_t value);

}  // namespace tenrec::cuda
