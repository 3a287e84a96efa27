// SPDX-License-Identifier: Apache-2.0
// A GPU as a Device: its memory, one stream, steps run by the families. Devices on one GPU share
// its context, so memory of one is memory of all.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "targets/cuda/run/family.h"

namespace tenrec::cuda {

// What an engine needs to find again: "cuda sm_90a". Architectures from 9.0 on have features of
// their own ("a") that newer ones lack; others run what older ones of their family run.
std::string fingerprint_of(int capability);
int capability_of(std::string_view fingerprint);  // 0: no such GPU

class CudaDevice : public Device {
 public:
  CudaDevice(std::shared_ptr<Gpu> gpu, uint64_t limit, std::shared_ptr<std::atomic<uint64_t>> used);
  std::string_view name() const override { return "cuda"; }
  std::string fingerprint() const override { return fingerprint_of(gpu_->capability()); }
  std::unique_ptr<DeviceMemory> allocate(uint64_t bytes, std::string_view what) override;
  std::unique_ptr<DeviceMemory> upload(std::span<const std::byte> host,
                                       std::shared_ptr<const void> owner) override;
  void copy_to_host(void* to, const std::byte* from, uint64_t bytes) override;
  void copy_from_host(std::byte* to, const void* from, uint64_t bytes) override;
  void copy(std::byte* to, const std::byte* from, uint64_t bytes) override;
  void synchronise() override;
  bool host_memory() const override { return false; }
  uint64_t binding_alignment() const override { return 16; }  // what a thread reads at once
  std::unique_ptr<StepRunner> prepare(const plan::Plan& plan, const plan::Step& step) override {
    return prepare_coded(plan, step, {});
  }
  std::unique_ptr<StepRunner> prepare_coded(const plan::Plan& plan, const plan::Step& step,
                                            std::span<const plan::KernelImage> code) override;
  std::shared_ptr<Device> with_own_queue() override;
  void follow(void* queue) override;
  void lead(void* queue) override;
  bool can_record() const override { return true; }
  std::unique_ptr<Recording> record(const std::function<void()>& steps,
                                    std::unique_ptr<Recording> old) override {
    return launcher_.record(steps, std::move(old));
  }
  DeviceLimits limits() override;

  Gpu& gpu() { return *gpu_; }

 private:
  std::shared_ptr<Gpu> gpu_;
  Stream stream_;
  Passage passage_;
  Launcher launcher_;
  std::optional<Event> mark_;  // between a caller's stream and this one
  uint64_t limit_;
  std::shared_ptr<std::atomic<uint64_t>> used_;  // bytes of all devices of one engine
  RunEnvironment environment_;
};

// Makes open_device("cuda") work; also done when the program starts.
void register_cuda_device();

}  // namespace tenrec::cuda
