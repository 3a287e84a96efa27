// SPDX-License-Identifier: Apache-2.0
// The CPU as a Device: host memory, weights used where they are mapped, steps run by the families.
#pragma once
#include <atomic>
#include <memory>
#include <optional>

#include "runtime/device.h"
#include "targets/cpu/run/family.h"

namespace tenrec::cpu {

// What an engine needs to find again: "cpu avx2".
std::string fingerprint_of(Isa isa);
std::optional<Isa> isa_of(std::string_view fingerprint);  // none: no such CPU

class CpuDevice : public Device {
 public:
  explicit CpuDevice(const DeviceOptions& options);
  std::string_view name() const override { return "cpu"; }
  std::string fingerprint() const override { return fingerprint_of(environment_.isa); }
  std::unique_ptr<DeviceMemory> allocate(uint64_t bytes, std::string_view what) override;
  std::unique_ptr<DeviceMemory> upload(std::span<const std::byte> host,
                                       std::shared_ptr<const void> owner) override;
  void copy_to_host(void* to, const std::byte* from, uint64_t bytes) override;
  void copy_from_host(std::byte* to, const void* from, uint64_t bytes) override;
  std::unique_ptr<StepRunner> prepare(const plan::Plan& plan, const plan::Step& step) override;
  DeviceLimits limits() override;

  const Threads& threads() const { return threads_; }

 private:
  uint64_t limit_;
  std::shared_ptr<std::atomic<uint64_t>> used_ = std::make_shared<std::atomic<uint64_t>>(0);
  Threads threads_;
  RunEnvironment environment_;
};

// Makes open_device("cpu") work; also done when the program starts.
void register_cpu_device();

}  // namespace tenrec::cpu
