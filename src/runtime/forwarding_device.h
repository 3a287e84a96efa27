// SPDX-License-Identifier: Apache-2.0
// A device that hands everything to another: what wraps one changes only what it is about.
#pragma once
#include "runtime/device.h"

namespace tenrec {

class ForwardingDevice : public Device {
 public:
  std::string_view name() const override { return inner_->name(); }
  std::string fingerprint() const override { return inner_->fingerprint(); }
  std::unique_ptr<DeviceMemory> allocate(uint64_t bytes, std::string_view what) override {
    return inner_->allocate(bytes, what);
  }
  std::unique_ptr<DeviceMemory> upload(std::span<const std::byte> host,
                                       std::shared_ptr<const void> owner) override {
    return inner_->upload(host, std::move(owner));
  }
  void copy_to_host(void* to, const std::byte* from, uint64_t bytes) override {
    inner_->copy_to_host(to, from, bytes);
  }
  void copy_from_host(std::byte* to, const void* from, uint64_t bytes) override {
    inner_->copy_from_host(to, from, bytes);
  }
  void copy(std::byte* to, const std::byte* from, uint64_t bytes) override {
    inner_->copy(to, from, bytes);
  }
  void synchronise() override { inner_->synchronise(); }
  bool host_memory() const override { return inner_->host_memory(); }
  std::unique_ptr<StepRunner> prepare(const plan::Plan& plan, const plan::Step& step) override {
    return inner_->prepare(plan, step);
  }
  std::unique_ptr<StepRunner> prepare_coded(const plan::Plan& plan, const plan::Step& step,
                                            std::span<const plan::KernelImage> code) override {
    return inner_->prepare_coded(plan, step, code);
  }
  // A queue of the inner device would lack the wrapping: who has one for contexts says how.
  std::shared_ptr<Device> with_own_queue() override { return nullptr; }
  void follow(void* queue) override { inner_->follow(queue); }
  void lead(void* queue) override { inner_->lead(queue); }
  uint64_t binding_alignment() const override { return inner_->binding_alignment(); }
  bool can_record() const override { return inner_->can_record(); }
  std::unique_ptr<Recording> record(const std::function<void()>& steps,
                                    std::unique_ptr<Recording> old) override {
    return inner_->record(steps, std::move(old));
  }
  DeviceLimits limits() override { return inner_->limits(); }

 protected:
  explicit ForwardingDevice(std::shared_ptr<Device> inner) : inner_(std::move(inner)) {}

  std::shared_ptr<Device> inner_;
};

}  // namespace tenrec
