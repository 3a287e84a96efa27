// SPDX-License-Identifier: Apache-2.0
// NVIDIA's libraries, opened when first asked for: every binary links and starts without them. A
// library that is not there is one sentence, which errors and `tenrec doctor` repeat.
#pragma once
#include <cuda.h>
#include <nvrtc.h>

#include <string>
#include <vector>

namespace tenrec::cuda {

// One shared library. Symbols missing from an old version are null.
class DynamicLibrary {
 public:
  // The first of `names` that opens, looked for in $TENREC_CUDA_LIBRARIES, where the system looks,
  // and in the usual places. `what` and `advice` make the sentence.
  DynamicLibrary(std::string what, std::vector<std::string> names, std::string advice);
  bool is_open() const { return handle_ != nullptr; }
  const std::string& path() const { return path_; }        // as it was opened
  const std::string& problem() const { return problem_; }  // "" when open
  void* symbol(const char* name) const;

 private:
  void* handle_ = nullptr;
  std::string path_, problem_;
};

// struct Api: the functions that the list FUNCTIONS(X) names, of a library whose header declares
// them; Api::of(library) finds them. is_complete: the library is there and has them all.
#define TENREC_LIBRARY_API(Api, FUNCTIONS)         \
  struct Api {                                     \
    FUNCTIONS(TENREC_API_MEMBER)                   \
    bool is_complete = false;                      \
    static Api of(const DynamicLibrary& library) { \
      Api made;                                    \
      if (!library.is_open()) return made;         \
      made.is_complete = true;                     \
      FUNCTIONS(TENREC_API_LOAD)                   \
      return made;                                 \
    }                                              \
  };
#define TENREC_API_MEMBER(function) decltype(&::function) function = nullptr;
#define TENREC_API_LOAD(function)                                                     \
  made.function = reinterpret_cast<decltype(&::function)>(library.symbol(#function)); \
  made.is_complete &= made.function != nullptr;

// The driver's functions that Tenrec calls. A new one needs a line here and nothing else.
#define TENREC_DRIVER_FUNCTIONS(X)  \
  X(cuInit)                         \
  X(cuDriverGetVersion)             \
  X(cuGetErrorName)                 \
  X(cuGetErrorString)               \
  X(cuDeviceGetCount)               \
  X(cuDeviceGet)                    \
  X(cuDeviceGetName)                \
  X(cuDeviceGetAttribute)           \
  X(cuDeviceTotalMem)               \
  X(cuDevicePrimaryCtxRetain)       \
  X(cuDevicePrimaryCtxRelease)      \
  X(cuCtxSetCurrent)                \
  X(cuCtxGetCurrent)                \
  X(cuMemGetInfo)                   \
  X(cuMemAlloc)                     \
  X(cuMemFree)                      \
  X(cuMemHostAlloc)                 \
  X(cuMemFreeHost)                  \
  X(cuMemcpyHtoDAsync)              \
  X(cuMemcpyDtoHAsync)              \
  X(cuMemcpyDtoDAsync)              \
  X(cuMemsetD8Async)                \
  X(cuStreamCreate)                 \
  X(cuStreamDestroy)                \
  X(cuStreamSynchronize)            \
  X(cuStreamWaitEvent)              \
  X(cuStreamBeginCapture)           \
  X(cuStreamEndCapture)             \
  X(cuGraphInstantiate)             \
  X(cuGraphGetNodes)                \
  X(cuGraphExecKernelNodeSetParams) \
  X(cuGraphExecUpdate)              \
  X(cuGraphLaunch)                  \
  X(cuGraphDestroy)                 \
  X(cuGraphExecDestroy)             \
  X(cuEventCreate)                  \
  X(cuEventDestroy)                 \
  X(cuEventRecord)                  \
  X(cuModuleLoadData)               \
  X(cuModuleUnload)                 \
  X(cuModuleGetFunction)            \
  X(cuFuncGetAttribute)             \
  X(cuFuncSetAttribute)             \
  X(cuLaunchKernelEx)               \
  X(cuTensorMapEncodeTiled)         \
  X(cuTensorMapEncodeIm2col)

// Null where the driver is older (CUDA 12.8, 12.3); there is another way.
#define TENREC_NEWER_DRIVER_FUNCTIONS(X) \
  X(cuEventElapsedTime)                  \
  X(cuGraphNodeGetDependencies_v2)

struct DriverApi {
#define TENREC_MEMBER(function) decltype(&::function) function = nullptr;
  TENREC_DRIVER_FUNCTIONS(TENREC_MEMBER)
  TENREC_NEWER_DRIVER_FUNCTIONS(TENREC_MEMBER)
#undef TENREC_MEMBER
};

#define TENREC_NVRTC_FUNCTIONS(X) \
  X(nvrtcVersion)                 \
  X(nvrtcGetErrorString)          \
  X(nvrtcCreateProgram)           \
  X(nvrtcCompileProgram)          \
  X(nvrtcGetCUBINSize)            \
  X(nvrtcGetCUBIN)                \
  X(nvrtcGetProgramLogSize)       \
  X(nvrtcGetProgramLog)           \
  X(nvrtcDestroyProgram)

struct NvrtcApi {
#define TENREC_MEMBER(function) decltype(&::function) function = nullptr;
  TENREC_NVRTC_FUNCTIONS(TENREC_MEMBER)
#undef TENREC_MEMBER
};

// Null where the library is not there or too old; `problem` then says so and what to do.
const DriverApi* find_driver(std::string& problem);
const NvrtcApi* find_nvrtc(std::string& problem);
// A device Error with that sentence.
const DriverApi& driver();
const NvrtcApi& nvrtc();

// The vendors' libraries of algorithms: families that use them make a table of these.
const DynamicLibrary& cublaslt_library();
const DynamicLibrary& cudnn_library();

// For `tenrec doctor`: every library with its path, or the sentence that says what is missing.
struct LibraryReport {
  std::string name, path, problem;
};
std::vector<LibraryReport> report_libraries();

}  // namespace tenrec::cuda
