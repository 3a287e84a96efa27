// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/driver.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tenrec::cuda {
namespace {

constexpr int oldest_driver = 12000;  // as cuDriverGetVersion counts

}  // namespace

void check(CUresult result, std::string_view what) {
  if (result == CUDA_SUCCESS) return;
  const char *name = nullptr, *text = nullptr;
  driver().cuGetErrorName(result, &name);
  driver().cuGetErrorString(result, &text);
  fail(result == CUDA_ERROR_OUT_OF_MEMORY ? ErrorCode::out_of_memory : ErrorCode::device,
       "{}: the CUDA driver says {} ({})", what, name ? name : "?", text ? text : "?");
}

std::shared_ptr<Gpu> Gpu::open(int index) {
  static std::mutex& mutex = *new std::mutex;
  static auto& open = *new std::map<int, std::weak_ptr<Gpu>>;
  const std::lock_guard lock(mutex);
  if (std::shared_ptr<Gpu> known = open[index].lock()) return known;
  auto gpu = std::make_shared<Gpu>(index);
  open[index] = gpu;
  return gpu;
}

Gpu::Gpu(int index) : api_(driver()) {
  check(api_.cuInit(0), "starting CUDA");
  check(api_.cuDriverGetVersion(&driver_version_), "asking for the driver's version");
  TENREC_CHECK(driver_version_ >= oldest_driver, device,
               "the driver is of CUDA {}.{}, Tenrec needs {}.0 or newer; install a newer driver",
               driver_version_ / 1000, driver_version_ % 1000 / 10, oldest_driver / 1000);
  int count = 0;
  check(api_.cuDeviceGetCount(&count), "counting GPUs");
  TENREC_CHECK(index >= 0 && index < count, device, "there is no GPU {}; this machine has {}",
               index, count);
  check(api_.cuDeviceGet(&device_, index), "opening the GPU");
  char name[256] = {};
  check(api_.cuDeviceGetName(name, sizeof name, device_), "asking for the GPU's name");
  name_ = name;
  capability_ = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 +
                attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  multiprocessors_ = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  shared_bytes_ = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  l2_bytes_ = static_cast<uint64_t>(attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE));
  check(api_.cuDevicePrimaryCtxRetain(&context_, device_), "making the GPU's context");
}

Gpu::~Gpu() {
  if (!context_) return;
  api_.cuCtxSetCurrent(context_);
  for (const auto& [hash, module] : modules_) api_.cuModuleUnload(module);
  api_.cuDevicePrimaryCtxRelease(device_);
}

int Gpu::attribute(CUdevice_attribute attribute) const {
  int value = 0;
  check(api_.cuDeviceGetAttribute(&value, attribute, device_), "asking for the GPU's properties");
  return value;
}

void Gpu::enter() const { check(api_.cuCtxSetCurrent(context_), "entering the GPU's context"); }

CUfunction Gpu::function(std::string_view image, const std::string& entry, int dynamic_shared) {
  enter();
  const Hash128 hash = hash128(image);
  const std::lock_guard lock(mutex_);
  CUmodule& module = modules_[hash];
  if (!module) {
    const CUresult result = api_.cuModuleLoadData(&module, image.data());
    TENREC_CHECK(
        result != CUDA_ERROR_NO_BINARY_FOR_GPU && result != CUDA_ERROR_INVALID_IMAGE,
        invalid_engine,
        "the code of kernel \"{}\" is not for this GPU ({}, sm_{}); build the engine again "
        "for it",
        entry, name_, capability_);
    check(result, "loading device code");
  }
  CUfunction function = nullptr;
  const CUresult found = api_.cuModuleGetFunction(&function, module, entry.c_str());
  TENREC_CHECK(found != CUDA_ERROR_NOT_FOUND, invalid_engine,
               "the device code has no kernel \"{}\"; rebuild the engine", entry);
  check(found, "finding a kernel");
  if (dynamic_shared > 48 << 10)
    check(api_.cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                  dynamic_shared),
          fmt::format("giving kernel \"{}\" {} bytes of shared memory", entry, dynamic_shared));
  return function;
}

Stream::Stream(std::shared_ptr<Gpu> gpu) : gpu_(std::move(gpu)) {
  gpu_->enter();
  check(gpu_->api().cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING), "making a stream");
}
Stream::~Stream() {
  gpu_->enter_unchecked();
  gpu_->api().cuStreamDestroy(stream_);
}
void Stream::synchronise() const {
  gpu_->enter();
  check(gpu_->api().cuStreamSynchronize(stream_), "waiting for the GPU");
}

Passage::~Passage() {
  if (!data_) return;
  gpu_->enter_unchecked();
  gpu_->api().cuMemFreeHost(data_);
}
const void* Passage::enter(const void* from, uint64_t bytes) {
  constexpr uint64_t size = 4 << 20, alignment = 256;
  if (bytes > size - used_) return nullptr;
  if (!data_) {
    void* data = nullptr;
    if (gpu_->api().cuMemHostAlloc(&data, size, 0) != CUDA_SUCCESS) return nullptr;
    data_ = static_cast<std::byte*>(data);
  }
  std::byte* const to = data_ + used_;
  std::memcpy(to, from, bytes);
  used_ = std::min(size, used_ + (bytes + alignment - 1) / alignment * alignment);
  return to;
}

Event::Event(std::shared_ptr<Gpu> gpu, bool timed) : gpu_(std::move(gpu)) {
  gpu_->enter();
  check(gpu_->api().cuEventCreate(&event_, timed ? CU_EVENT_DEFAULT : CU_EVENT_DISABLE_TIMING),
        "making an event");
}
Event::~Event() {
  gpu_->enter_unchecked();
  gpu_->api().cuEventDestroy(event_);
}
void Event::record(CUstream stream) {
  gpu_->enter();
  check(gpu_->api().cuEventRecord(event_, stream), "recording an event");
}
void Event::hold_back(CUstream stream) const {
  gpu_->enter();
  check(gpu_->api().cuStreamWaitEvent(stream, event_, 0), "waiting for an event");
}

double Event::since(const Event& earlier) const {
  float milliseconds = 0;
  check(gpu_->api().cuEventElapsedTime(&milliseconds, earlier.event_, event_), "reading an event");
  return static_cast<double>(milliseconds) * 1000;
}

}  // namespace tenrec::cuda
