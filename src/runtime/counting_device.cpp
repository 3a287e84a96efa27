// SPDX-License-Identifier: Apache-2.0
#include "runtime/counting_device.h"

#include "base/error.h"
#include "runtime/forwarding_device.h"

namespace tenrec {

void MemoryBudget::take(uint64_t bytes, std::string_view what) {
  ++allocations_;
  uint64_t used = used_.load();
  do {
    TENREC_CHECK(
        limit_ == 0 || (bytes <= limit_ && used <= limit_ - bytes), out_of_memory,
        "allocating {} bytes for {}: {} of the memory limit of {} bytes are in use; raise the "
        "limit or use smaller inputs",
        bytes, what, used, limit_);
  } while (!used_.compare_exchange_weak(used, used + bytes));
}

namespace {

class CountedMemory : public DeviceMemory {
 public:
  CountedMemory(std::unique_ptr<DeviceMemory> inner, std::shared_ptr<MemoryBudget> budget,
                uint64_t counted)
      : inner_(std::move(inner)), budget_(std::move(budget)), counted_(counted) {
    data = inner_->data;
    bytes = inner_->bytes;
  }
  ~CountedMemory() override {
    inner_.reset();
    budget_->give_back(counted_);
  }

 private:
  std::unique_ptr<DeviceMemory> inner_;
  std::shared_ptr<MemoryBudget> budget_;
  uint64_t counted_;
};

class CountingDevice : public ForwardingDevice {
 public:
  CountingDevice(std::shared_ptr<Device> inner, std::shared_ptr<MemoryBudget> budget)
      : ForwardingDevice(std::move(inner)), budget_(std::move(budget)) {}

  std::unique_ptr<DeviceMemory> allocate(uint64_t bytes, std::string_view what) override {
    budget_->take(bytes, what);
    try {
      return std::make_unique<CountedMemory>(inner_->allocate(bytes, what), budget_, bytes);
    } catch (...) {
      budget_->give_back(bytes);
      throw;
    }
  }

  std::unique_ptr<DeviceMemory> upload(std::span<const std::byte> host,
                                       std::shared_ptr<const void> owner) override {
    std::unique_ptr<DeviceMemory> memory = inner_->upload(host, std::move(owner));
    const uint64_t counted = memory->data == host.data() ? 0 : memory->bytes;
    budget_->take(counted, "weights");
    return std::make_unique<CountedMemory>(std::move(memory), budget_, counted);
  }

  std::shared_ptr<Device> with_own_queue() override {
    std::shared_ptr<Device> own = inner_->with_own_queue();
    return own ? std::make_shared<CountingDevice>(std::move(own), budget_) : nullptr;
  }

 private:
  std::shared_ptr<MemoryBudget> budget_;
};

}  // namespace

std::shared_ptr<Device> make_counting_device(std::shared_ptr<Device> inner,
                                             std::shared_ptr<MemoryBudget> budget) {
  return std::make_shared<CountingDevice>(std::move(inner), std::move(budget));
}

}  // namespace tenrec
