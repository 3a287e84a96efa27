// SPDX-License-Identifier: Apache-2.0
// A CUDA runtime over host memory, for clients of engines that run on the CPU.
#include <cuda_runtime_api.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>

struct CUevent_st {
  std::chrono::steady_clock::time_point at;
  bool is_recorded = false;
};
struct CUstream_st {};

namespace {
constexpr size_t alignment = 256;

thread_local cudaError_t last_error = cudaSuccess;

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

// Memory handed out, so that a wrong pointer is an error instead of a crash.
class Allocations {
 public:
  cudaError_t allocate(void** pointer, size_t bytes, cudaMemoryType type) {
    if (pointer == nullptr) return result(cudaErrorInvalidValue);
    *pointer = nullptr;
    if (bytes == 0) return cudaSuccess;
    if (bytes > SIZE_MAX - alignment) return result(cudaErrorMemoryAllocation);
    const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, rounded);
    if (memory == nullptr) return result(cudaErrorMemoryAllocation);
    const std::lock_guard lock(mutex_);
    blocks_[static_cast<char*>(memory)] = {bytes, type};
    *pointer = memory;
    return cudaSuccess;
  }

  cudaError_t release(void* pointer) {
    if (pointer == nullptr) return cudaSuccess;
    const std::lock_guard lock(mutex_);
    if (blocks_.erase(static_cast<char*>(pointer)) == 0) return result(cudaErrorInvalidValue);
    std::free(pointer);
    return cudaSuccess;
  }

  cudaMemoryType type_of(const void* pointer) {
    const std::lock_guard lock(mutex_);
    auto after = blocks_.upper_bound(static_cast<char*>(const_cast<void*>(pointer)));
    if (after == blocks_.begin()) return cudaMemoryTypeUnregistered;
    const auto& [begin, block] = *--after;
    const auto offset = static_cast<size_t>(static_cast<const char*>(pointer) - begin);
    return offset < block.bytes ? block.type : cudaMemoryTypeUnregistered;
  }

 private:
  struct Block {
    size_t bytes = 0;
    cudaMemoryType type = cudaMemoryTypeDevice;
  };
  std::mutex mutex_;
  std::map<char*, Block> blocks_;
};

Allocations& allocations() {
  static auto* all = new Allocations;  // outlives every static object that frees memory
  return *all;
}

size_t memory_bytes(int pages) {
  return static_cast<size_t>(sysconf(pages)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t begin = line.find(": ");
    if (line.rfind("model name", 0) == 0 && begin != line.npos) return line.substr(begin + 2);
  }
  return "CPU";
}

struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};
constexpr ErrorText error_texts[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInitializationError, "cudaErrorInitializationError", "initialization error"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver", "the driver is too old"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "there is no device"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device number"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "not ready"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "not supported"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "streams cannot be captured here"},
};

const ErrorText* find_error(cudaError_t error) {
  for (const ErrorText& text : error_texts)
    if (text.error == error) return &text;
  return nullptr;
}

// Where CUDA 12 has fields that CUDA 13 dropped.
struct DeviceProp12 {
  char name[256];
  cudaUUID_t uuid;
  char luid[8];
  unsigned int luidDeviceNodeMask;
  size_t totalGlobalMem, sharedMemPerBlock;
  int regsPerBlock, warpSize;
  size_t memPitch;
  int maxThreadsPerBlock, maxThreadsDim[3], maxGridSize[3], clockRate;
  size_t totalConstMem;
  int major, minor;
  size_t textureAlignment, texturePitchAlignment;
  int deviceOverlap, multiProcessorCount, kernelExecTimeoutEnabled, integrated, canMapHostMemory;
};

template <class Prop>
void describe_device(Prop& properties) {
  std::snprintf(properties.name, sizeof(properties.name), "%s (host memory, no GPU)",
                processor_name().c_str());
  properties.totalGlobalMem = memory_bytes(_SC_PHYS_PAGES);
  properties.warpSize = 32;
  properties.memPitch = SIZE_MAX / 2;
  properties.maxThreadsPerBlock = 1024;
  properties.multiProcessorCount = static_cast<int>(std::thread::hardware_concurrency());
  properties.integrated = 1;
  properties.canMapHostMemory = 1;
  properties.textureAlignment = properties.texturePitchAlignment = alignment;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return last_error; }
const char* cudaGetErrorName(cudaError_t error) {
  const ErrorText* text = find_error(error);
  return text == nullptr ? "unrecognized error code" : text->name;
}
const char* cudaGetErrorString(cudaError_t error) {
  const ErrorText* text = find_error(error);
  return text == nullptr ? "unrecognized error code" : text->text;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  if (version == nullptr) return result(cudaErrorInvalidValue);
  *version = TENREC_CUDART_MAJOR * 1000;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  if (version == nullptr) return result(cudaErrorInvalidValue);
  *version = 0;  // there is no driver
  return cudaSuccess;
}

// ------------------------------------------------------------------------------------ device

cudaError_t cudaGetDeviceCount(int* count) {
  if (count == nullptr) return result(cudaErrorInvalidValue);
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  if (device == nullptr) return result(cudaErrorInvalidValue);
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  return result(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}
cudaError_t cudaSetDeviceFlags(unsigned int) { return cudaSuccess; }
#if TENREC_CUDART_MAJOR >= 13
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (properties == nullptr) return result(cudaErrorInvalidValue);
  if (device != 0) return result(cudaErrorInvalidDevice);
  std::memset(static_cast<void*>(properties), 0, offsetof(cudaDeviceProp, rest));
  describe_device(*properties);
  return cudaSuccess;
}
#else
cudaError_t cudaGetDeviceProperties_v2(cudaDeviceProp* properties, int device) {
  if (properties == nullptr) return result(cudaErrorInvalidValue);
  if (device != 0) return result(cudaErrorInvalidDevice);
  DeviceProp12 described{};
  describe_device(described);
  std::memcpy(static_cast<void*>(properties), &described, sizeof(described));
  return cudaSuccess;
}
#endif
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (value == nullptr) return result(cudaErrorInvalidValue);
  if (device != 0) return result(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
    case cudaDevAttrWarpSize: *value = 32; break;
    case cudaDevAttrMultiProcessorCount:
      *value = static_cast<int>(std::thread::hardware_concurrency());
      break;
    case cudaDevAttrIntegrated:
    case cudaDevAttrMemoryPoolsSupported: *value = 1; break;
    default: *value = 0;
  }
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  if (text == nullptr || length < 13) return result(cudaErrorInvalidValue);
  if (device != 0) return result(cudaErrorInvalidDevice);
  std::strncpy(text, "0000:00:00.0", static_cast<size_t>(length));
  return cudaSuccess;
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
cudaError_t cudaDeviceReset() { return cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  if (free == nullptr || total == nullptr) return result(cudaErrorInvalidValue);
  *free = memory_bytes(_SC_AVPHYS_PAGES);
  *total = memory_bytes(_SC_PHYS_PAGES);
  return cudaSuccess;
}

// ------------------------------------------------------------------------------------ memory

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  return allocations().allocate(pointer, bytes, cudaMemoryTypeDevice);
}
cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t) {
  return allocations().allocate(pointer, bytes, cudaMemoryTypeDevice);
}
cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  return allocations().allocate(pointer, bytes, cudaMemoryTypeHost);
}
cudaError_t cudaMallocManaged(void** pointer, size_t bytes, unsigned int) {
  return allocations().allocate(pointer, bytes, cudaMemoryTypeManaged);
}
cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned int) {
  return allocations().allocate(pointer, bytes, cudaMemoryTypeHost);
}
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned int) {
  if (device == nullptr) return result(cudaErrorInvalidValue);
  *device = host;
  return cudaSuccess;
}
cudaError_t cudaHostRegister(void* pointer, size_t, unsigned int) {
  return result(pointer == nullptr ? cudaErrorInvalidValue : cudaSuccess);
}
cudaError_t cudaHostUnregister(void* pointer) {
  return result(pointer == nullptr ? cudaErrorInvalidValue : cudaSuccess);
}
cudaError_t cudaFree(void* pointer) { return allocations().release(pointer); }
cudaError_t cudaFreeAsync(void* pointer, cudaStream_t) { return allocations().release(pointer); }
cudaError_t cudaFreeHost(void* pointer) { return allocations().release(pointer); }
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  if (attributes == nullptr || pointer == nullptr) return result(cudaErrorInvalidValue);
  void* address = const_cast<void*>(pointer);
  *attributes = {allocations().type_of(pointer), 0, address, address, {}};
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr || from == nullptr) return result(cudaErrorInvalidValue);
  std::memmove(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t) {
  return cudaMemcpy(to, from, bytes, kind);
}
cudaError_t cudaMemcpy2D(void* to, size_t toPitch, const void* from, size_t fromPitch, size_t width,
                         size_t height, cudaMemcpyKind kind) {
  if (width > toPitch || width > fromPitch) return result(cudaErrorInvalidValue);
  for (size_t row = 0; row < height; ++row) {
    const cudaError_t error =
        cudaMemcpy(static_cast<char*>(to) + row * toPitch,
                   static_cast<const char*>(from) + row * fromPitch, width, kind);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}
cudaError_t cudaMemcpy2DAsync(void* to, size_t toPitch, const void* from, size_t fromPitch,
                              size_t width, size_t height, cudaMemcpyKind kind, cudaStream_t) {
  return cudaMemcpy2D(to, toPitch, from, fromPitch, width, height, kind);
}
cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr) return result(cudaErrorInvalidValue);
  std::memset(to, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t) {
  return cudaMemset(to, value, bytes);
}

// ----------------------------------------------------------------------------------- streams

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int) {
  if (stream == nullptr) return result(cudaErrorInvalidValue);
  *stream = new (std::nothrow) CUstream_st;
  return result(*stream == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned int flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream == nullptr || stream == cudaStreamLegacy || stream == cudaStreamPerThread)
    return result(cudaErrorInvalidResourceHandle);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamQuery(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t event, unsigned int) {
  return result(event == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess);
}
cudaError_t cudaLaunchHostFunc(cudaStream_t, cudaHostFn_t function, void* userData) {
  if (function == nullptr) return result(cudaErrorInvalidValue);
  function(userData);
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  return result(cudaErrorStreamCaptureUnsupported);
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  if (graph != nullptr) *graph = nullptr;
  return result(cudaErrorStreamCaptureUnsupported);
}
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  if (status == nullptr) return result(cudaErrorInvalidValue);
  *status = cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t, unsigned long long) {
  if (exec != nullptr) *exec = nullptr;
  return result(cudaErrorNotSupported);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t) { return result(cudaErrorNotSupported); }
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return result(graph == nullptr ? cudaErrorInvalidValue : cudaErrorNotSupported);
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  return result(exec == nullptr ? cudaErrorInvalidValue : cudaErrorNotSupported);
}

// ------------------------------------------------------------------------------------ events

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int) {
  if (event == nullptr) return result(cudaErrorInvalidValue);
  *event = new (std::nothrow) CUevent_st;
  return result(*event == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event == nullptr) return result(cudaErrorInvalidResourceHandle);
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  if (event == nullptr) return result(cudaErrorInvalidResourceHandle);
  event->at = std::chrono::steady_clock::now();
  event->is_recorded = true;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return result(event == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess);
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return result(event == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess);
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  if (milliseconds == nullptr) return result(cudaErrorInvalidValue);
  if (from == nullptr || to == nullptr || !from->is_recorded || !to->is_recorded)
    return result(cudaErrorInvalidResourceHandle);
  *milliseconds = std::chrono::duration<float, std::milli>(to->at - from->at).count();
  return cudaSuccess;
}
#if TENREC_CUDART_MAJOR >= 13
cudaError_t cudaEventElapsedTime_v2(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  return cudaEventElapsedTime(milliseconds, from, to);
}
#endif

cudaError_t cudaProfilerStart() { return cudaSuccess; }
cudaError_t cudaProfilerStop() { return cudaSuccess; }

}  // extern "C"
#pragma GCC visibility pop
