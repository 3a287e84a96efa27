// SPDX-License-Identifier: Apache-2.0
// The device that computes nothing: host memory, every step recorded. It lets tests and fuzzers run
// plans of any target without its hardware.
#pragma once
#include <mutex>

#include "runtime/device.h"

namespace tenrec {

// Plain host memory, 64-byte aligned.
class HostMemory : public DeviceMemory {
 public:
  HostMemory(uint64_t size, std::string_view what);
  ~HostMemory() override;
};
// Memory of someone else, used in place.
class BorrowedMemory : public DeviceMemory {
 public:
  BorrowedMemory(std::span<const std::byte> memory, std::shared_ptr<const void> owner);

 private:
  std::shared_ptr<const void> owner_;
};

class NullDevice : public Device {
 public:
  struct Launch {
    std::string family, tactic;
    std::vector<std::vector<int64_t>> inputs, outputs;  // dims
  };

  std::string_view name() const override { return "null"; }
  std::string fingerprint() const override { return "null"; }
  std::unique_ptr<DeviceMemory> allocate(uint64_t bytes, std::string_view what) override;
  std::unique_ptr<DeviceMemory> upload(std::span<const std::byte> host,
                                       std::shared_ptr<const void> owner) override;
  void copy_to_host(void* to, const std::byte* from, uint64_t bytes) override;
  void copy_from_host(std::byte* to, const void* from, uint64_t bytes) override;
  // Any family is accepted; outputs are zero-filled, sizes that a step decides are 1 or their
  // smallest, host values stay empty. Bodies are not run.
  std::unique_ptr<StepRunner> prepare(const plan::Plan& plan, const plan::Step& step) override;

  std::vector<Launch> launches() const;  // of all contexts, in order; at most max_launches
  static constexpr size_t max_launches = 100000;

 private:
  friend class NullRunner;
  void record(Launch launch);
  mutable std::mutex mutex_;
  std::vector<Launch> launches_;
};

}  // namespace tenrec
