// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/cpu_device.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/host_memory.h"
#include "runtime/respecialise.h"
#include "targets/cpu/run/limits.h"
#include "targets/cpu/run/step_check.h"

namespace tenrec::cpu {
namespace {

class Owned : public DeviceMemory {
 public:
  Owned(uint64_t size, std::shared_ptr<std::atomic<uint64_t>> used) : used_(std::move(used)) {
    bytes = size;
  }
  ~Owned() override { used_->fetch_sub(bytes); }
  void allocate() {
    memory_ = allocate_host(bytes);
    data = memory_.get();
  }

 private:
  HostMemory memory_;
  std::shared_ptr<std::atomic<uint64_t>> used_;
};

class Borrowed : public DeviceMemory {
 public:
  Borrowed(std::span<const std::byte> host, std::shared_ptr<const void> owner)
      : owner_(std::move(owner)) {
    // Weights are only ever read; the type is shared with memory that is written.
    data = const_cast<std::byte*>(host.data());
    bytes = host.size();
  }

 private:
  std::shared_ptr<const void> owner_;
};

[[maybe_unused]] const bool registered = [] {
  register_cpu_device();
  return true;
}();

}  // namespace

std::string fingerprint_of(Isa isa) { return fmt::format("cpu {}", to_string(isa)); }

std::optional<Isa> isa_of(std::string_view fingerprint) {
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (fingerprint_of(isa) == fingerprint) return isa;
  }
  return std::nullopt;
}

namespace {

// Packed weights and layouts belong to one instruction set: steps run with the set they were made
// for.
Isa isa_for(const std::string& fingerprint) {
  if (fingerprint.empty()) return best_isa();
  const std::optional<Isa> isa = isa_of(fingerprint);
  if (!isa || !supported(*isa))
    throw WrongDevice(fmt::format(
        "this is made for \"{}\", this machine is \"{}\"; build the engine again for it",
        fingerprint, fingerprint_of(best_isa())));
  return *isa;
}

}  // namespace

CpuDevice::CpuDevice(const DeviceOptions& options)
    : limit_(options.memory_limit),
      threads_(options.threads > 0 ? options.threads : available_threads()),
      environment_{threads_, isa_for(options.fingerprint)} {
  init_ops();
}

std::unique_ptr<DeviceMemory> CpuDevice::allocate(uint64_t bytes, std::string_view what) {
  const uint64_t before = used_->fetch_add(bytes);
  auto memory = std::make_unique<Owned>(bytes, used_);
  TENREC_CHECK(
      limit_ == 0 || (before <= limit_ && bytes <= limit_ - before), out_of_memory,
      "allocating {} bytes for {}: {} of the limit of {} bytes are in use; raise the memory limit "
      "or use smaller shapes",
      bytes, what, before, limit_);
  memory->allocate();
  TENREC_CHECK(memory->data, out_of_memory,
               "allocating {} bytes for {}: the system refused; {} bytes are in use", bytes, what,
               before);
  return memory;
}

std::unique_ptr<DeviceMemory> CpuDevice::upload(std::span<const std::byte> host,
                                                std::shared_ptr<const void> owner) {
  return std::make_unique<Borrowed>(host, std::move(owner));
}

void CpuDevice::copy_to_host(void* to, const std::byte* from, uint64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

void CpuDevice::copy_from_host(std::byte* to, const void* from, uint64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

std::unique_ptr<StepRunner> CpuDevice::prepare(const plan::Plan& plan, const plan::Step& step) {
  const auto describe = [&] {
    return fmt::format("step \"{}\" ({})", step.origins.empty() ? step.op : step.origins.front(),
                       step.op);
  };
  return with_context(describe, [&] {
    const Family* family = find_family(step.family);
    TENREC_CHECK(family, invalid_engine, "this Tenrec has no kernel family \"{}\" for the CPU",
                 step.family);
    return checked(*family, plan, step, family->prepare(plan, step, environment_));
  });
}

DeviceLimits CpuDevice::limits() { return measure_limits(environment_.isa, threads_); }

void register_cpu_device() {
  register_device("cpu", [](const DeviceOptions& options) {
    TENREC_CHECK(options.index == 0, device, "there is no CPU {}: all cores are device 0",
                 options.index);
    return std::make_shared<CpuDevice>(options);
  });
}

}  // namespace tenrec::cpu
