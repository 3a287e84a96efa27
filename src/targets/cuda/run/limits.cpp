// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/limits.h"

#include <array>

namespace tenrec::cuda {
namespace {

// Multiply-adds a clock and multiprocessor, dense, sums in float32. Source: "Arithmetic
// Instructions" of NVIDIA's CUDA C++ Programming Guide for f32, the architectures' white papers
// (A100: 312 TFLOP/s in fp16, H100 SXM: 989) for the tensor cores. 0: not known.
struct Units {
  int capability;
  double f32, tf32, f16;
};
constexpr std::array units{Units{80, 64, 512, 1024}, Units{86, 128, 0, 0}, Units{87, 128, 0, 0},
                           Units{89, 128, 0, 0}, Units{90, 128, 1024, 2048}};

}  // namespace

DeviceLimits limits_of(const Gpu& gpu) {
  const auto attribute = [&](CUdevice_attribute which) {
    int value = 0;
    check(gpu.api().cuDeviceGetAttribute(&value, which, gpu.device()),
          "asking for the GPU's properties");
    return static_cast<double>(value);
  };
  DeviceLimits limits;
  const double clocks = 1e3 * attribute(CU_DEVICE_ATTRIBUTE_CLOCK_RATE) * gpu.multiprocessors();
  for (const Units& each : units) {
    if (each.capability != gpu.capability()) continue;
    limits.f32 = 2 * clocks * each.f32;
    limits.tf32 = 2 * clocks * each.tf32;
    limits.f16 = 2 * clocks * each.f16;
  }
  // Both edges of the clock carry data.
  const double rate = 2e3 * attribute(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE) *
                      attribute(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH) / 8;
  if (rate > 0) limits.memory.push_back({UINT64_MAX, rate});
  limits.source = "from the GPU's clocks; what lies in its L2 is read faster";
  return limits;
}

}  // namespace tenrec::cuda
