// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/cuda_device.h"

#include "ir/op.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "runtime/respecialise.h"
#include "targets/cuda/run/limits.h"

namespace tenrec::cuda {
namespace {

class GpuMemory : public DeviceMemory {
 public:
  GpuMemory(std::shared_ptr<Gpu> gpu, uint64_t size, std::shared_ptr<std::atomic<uint64_t>> used)
      : gpu_(std::move(gpu)), used_(std::move(used)) {
    bytes = size;
  }
  ~GpuMemory() override {
    used_->fetch_sub(bytes);
    if (!data) return;
    gpu_->enter_unchecked();
    gpu_->api().cuMemFree(reinterpret_cast<CUdeviceptr>(data));
  }

 private:
  std::shared_ptr<Gpu> gpu_;
  std::shared_ptr<std::atomic<uint64_t>> used_;
};

[[maybe_unused]] const bool registered = [] {
  register_cuda_device();
  return true;
}();

CUdeviceptr address(const std::byte* data) { return reinterpret_cast<CUdeviceptr>(data); }

}  // namespace

std::string fingerprint_of(int capability) {
  return fmt::format("cuda sm_{}{}", capability, capability >= 90 ? "a" : "");
}

int capability_of(std::string_view fingerprint) {
  constexpr std::string_view prefix = "cuda sm_";
  if (!fingerprint.starts_with(prefix)) return 0;
  int capability = 0;
  const char* const end = fingerprint.data() + fingerprint.size();
  std::from_chars(fingerprint.data() + prefix.size(), end, capability);
  const std::string plain = fmt::format("{}{}", prefix, capability);
  return capability >= 75 && (fingerprint == plain || fingerprint == fingerprint_of(capability))
             ? capability
             : 0;
}

CudaDevice::CudaDevice(std::shared_ptr<Gpu> gpu, uint64_t limit,
                       std::shared_ptr<std::atomic<uint64_t>> used)
    : gpu_(std::move(gpu)),
      stream_(gpu_),
      passage_(gpu_),
      launcher_(gpu_, stream_),
      limit_(limit),
      used_(std::move(used)),
      environment_{*gpu_, stream_, *this, launcher_} {}

std::unique_ptr<DeviceMemory> CudaDevice::allocate(uint64_t bytes, std::string_view what) {
  gpu_->enter();
  const uint64_t before = used_->fetch_add(bytes);
  auto memory = std::make_unique<GpuMemory>(gpu_, bytes, used_);
  TENREC_CHECK(
      limit_ == 0 || (before <= limit_ && bytes <= limit_ - before), out_of_memory,
      "allocating {} bytes for {}: {} of the limit of {} bytes are in use; raise the memory limit "
      "or use smaller shapes",
      bytes, what, before, limit_);
  CUdeviceptr data = 0;
  const CUresult result = gpu_->api().cuMemAlloc(&data, std::max<uint64_t>(bytes, 1));
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    size_t free = 0, total = 0;
    gpu_->api().cuMemGetInfo(&free, &total);
    fail(ErrorCode::out_of_memory,
         "allocating {} bytes of GPU memory for {}: {} of {} bytes are free on {}; use smaller "
         "shapes or free memory there",
         bytes, what, free, total, gpu_->name());
  }
  check(result, fmt::format("allocating {} bytes of GPU memory for {}", bytes, what));
  memory->data = reinterpret_cast<std::byte*>(data);
  return memory;
}

std::unique_ptr<DeviceMemory> CudaDevice::upload(std::span<const std::byte> host,
                                                 std::shared_ptr<const void>) {
  std::unique_ptr<DeviceMemory> memory = allocate(host.size(), "weights");
  copy_from_host(memory->data, host.data(), host.size());
  synchronise();
  return memory;
}

void CudaDevice::copy_to_host(void* to, const std::byte* from, uint64_t bytes) {
  if (bytes == 0) return;
  gpu_->enter();
  check(gpu_->api().cuMemcpyDtoHAsync(to, address(from), bytes, stream_.get()),
        "copying from the GPU");
  synchronise();
}

void CudaDevice::copy_from_host(std::byte* to, const void* from, uint64_t bytes) {
  // Less is part of the driver's command, more is worth the driver's own overlapped pieces.
  constexpr uint64_t least = 64 << 10, most = 1 << 20;
  if (bytes == 0) return;
  gpu_->enter();
  // A recording would read the passage again when it is replayed.
  if (bytes > least && bytes <= most && !launcher_.is_recording())
    if (const void* inside = passage_.enter(from, bytes)) from = inside;
  check(gpu_->api().cuMemcpyHtoDAsync(address(to), from, bytes, stream_.get()),
        "copying to the GPU");
}

void CudaDevice::copy(std::byte* to, const std::byte* from, uint64_t bytes) {
  if (bytes == 0) return;
  gpu_->enter();
  check(gpu_->api().cuMemcpyDtoDAsync(address(to), address(from), bytes, stream_.get()),
        "copying on the GPU");
}

std::unique_ptr<StepRunner> CudaDevice::prepare_coded(const plan::Plan& plan,
                                                      const plan::Step& step,
                                                      std::span<const plan::KernelImage> code) {
  const Family* family = find_family(step.family);
  TENREC_CHECK(family, invalid_engine, "this Tenrec has no kernel family \"{}\" for CUDA",
               step.family);
  gpu_->enter();
  return family->prepare({plan, step, code, environment_});
}

std::shared_ptr<Device> CudaDevice::with_own_queue() {
  return std::make_shared<CudaDevice>(gpu_, limit_, used_);
}

void CudaDevice::follow(void* queue) {
  if (!mark_) mark_.emplace(gpu_);
  mark_->record(static_cast<CUstream>(queue));
  mark_->hold_back(stream_.get());
}

void CudaDevice::lead(void* queue) {
  if (!mark_) mark_.emplace(gpu_);
  mark_->record(stream_.get());
  mark_->hold_back(static_cast<CUstream>(queue));
}

void CudaDevice::synchronise() {
  stream_.synchronise();
  passage_.clear();
}

DeviceLimits CudaDevice::limits() { return limits_of(*gpu_); }

void register_cuda_device() {
  register_device("cuda", [](const DeviceOptions& options) {
    init_ops();  // steps on the host name operators
    auto gpu = Gpu::open(options.index);
    const int made_for =
        options.fingerprint.empty() ? gpu->capability() : capability_of(options.fingerprint);
    const bool fits =
        made_for == gpu->capability() ||
        (made_for < 90 && made_for / 10 == gpu->capability() / 10 && made_for <= gpu->capability());
    if (!fits)
      throw WrongDevice(fmt::format(
          "this is made for \"{}\", the GPU is {} (\"{}\"); build the engine again for it",
          options.fingerprint, gpu->name(), fingerprint_of(gpu->capability())));
    return std::make_shared<CudaDevice>(std::move(gpu), options.memory_limit,
                                        std::make_shared<std::atomic<uint64_t>>(0));
  });
}

}  // namespace tenrec::cuda
