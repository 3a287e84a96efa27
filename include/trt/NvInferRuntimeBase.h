// SPDX-License-Identifier: Apache-2.0
// What every other header needs: sizes, element types, errors.
#pragma once
#include <cuda_runtime_api.h>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "NvInferVersion.h"

#if defined(_WIN32) || defined(__CYGWIN__)
#error "Tenrec's TensorRT interface is for Linux and the Itanium C++ ABI"
#endif
#ifdef TENSORRT_BUILD_LIB
#define TENSORRTAPI __attribute__((visibility("default")))
#else
#define TENSORRTAPI
#endif
#define TRTNOEXCEPT
#define TRT_DEPRECATED
#define TRT_DEPRECATED_ENUM
#define TRT_DEPRECATED_API

// Which logger the innermost library call belongs to, for plugins.
#define NV_INFER_INTERNAL_VERSION NV_TENSORRT_VERSION

extern "C" {
struct cublasContext;
struct cudnnContext;
}

// Structures are passed between separately compiled programs: see docs/tensorrt.md.
namespace nvinfer1 {

using char_t = char;
using AsciiChar = char_t;
using InterfaceKind = const char*;
class ILogger;
namespace v_1_0 {
class IErrorRecorder;
}
using IErrorRecorder = v_1_0::IErrorRecorder;

namespace impl {
template <typename T>
struct EnumMaxImpl;
}
// One more than the largest value of an enum.
template <typename T>
constexpr int32_t EnumMax() noexcept {
  return impl::EnumMaxImpl<T>::kVALUE;
}

// Types of elements.
enum class DataType : int32_t {
  kFLOAT = 0,
  kHALF = 1,
  kINT8 = 2,
  kINT32 = 3,
  kBOOL = 4,
  kUINT8 = 5,
  kFP8 = 6,
  kBF16 = 7,
  kINT64 = 8,
  kINT4 = 9,
  kFP4 = 10,
  kE8M0 = 11,
};
namespace impl {
template <>
struct EnumMaxImpl<DataType> {
  static constexpr int32_t kVALUE = 12;
};
}  // namespace impl

// Language an interface is implemented in.
enum class APILanguage : int32_t {
  kCPP = 0,
  kPYTHON = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<APILanguage> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// Kinds of errors.
enum class ErrorCode : int32_t {
  kSUCCESS = 0,
  kUNSPECIFIED_ERROR = 1,
  kINTERNAL_ERROR = 2,
  kINVALID_ARGUMENT = 3,
  kINVALID_CONFIG = 4,
  kFAILED_ALLOCATION = 5,
  kFAILED_INITIALIZATION = 6,
  kFAILED_EXECUTION = 7,
  kFAILED_COMPUTATION = 8,
  kINVALID_STATE = 9,
  kUNSUPPORTED_STATE = 10,
};
namespace impl {
template <>
struct EnumMaxImpl<ErrorCode> {
  static constexpr int32_t kVALUE = 11;
};
}  // namespace impl

// What a tensor is to an engine.
enum class TensorIOMode : int32_t {
  kNONE = 0,
  kINPUT = 1,
  kOUTPUT = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<TensorIOMode> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// Properties of allocations.
enum class AllocatorFlag : int32_t {
  kRESIZABLE = 0,
};
namespace impl {
template <>
struct EnumMaxImpl<AllocatorFlag> {
  static constexpr int32_t kVALUE = 1;
};
}  // namespace impl

// Where a tensor's memory lies.
enum class TensorLocation : int32_t {
  kDEVICE = 0,
  kHOST = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<TensorLocation> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// Sizes of a tensor. `nbDims` entries of `d` count, -1 in `nbDims` means "unknown or error",
// -1 in an entry means "known only when running".
class Dims64 {
 public:
  static constexpr int32_t MAX_DIMS = 8;
  int32_t nbDims;
  int64_t d[MAX_DIMS];
};

using Dims = Dims64;

// Which interface an object implements, and which version of it.
class InterfaceInfo {
 public:
  InterfaceKind kind;
  int32_t major;
  int32_t minor;
};

// Base of the interfaces an application implements: the library asks which version it got.
class IVersionedInterface {
 public:
  virtual APILanguage getAPILanguage() const noexcept { return APILanguage::kCPP; }
  virtual InterfaceInfo getInterfaceInfo() const noexcept = 0;
  virtual ~IVersionedInterface() noexcept = default;

 protected:
  IVersionedInterface() = default;
  IVersionedInterface(const IVersionedInterface&) = default;
  IVersionedInterface(IVersionedInterface&&) = default;
  IVersionedInterface& operator=(const IVersionedInterface&) & = default;
  IVersionedInterface& operator=(IVersionedInterface&&) & = default;
};

namespace v_1_0 {
// Collects errors for an application that wants them as data. Reference counted; called from any
// thread. The library reports each error here and to the logger.
class IErrorRecorder : public IVersionedInterface {
 public:
  ~IErrorRecorder() noexcept override = default;

 public:
  using ErrorDesc = const char*;
  using RefCount = int32_t;
  static constexpr size_t kMAX_DESC_LENGTH = 127U;
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IErrorRecorder", 1, 0}; }
  virtual int32_t getNbErrors() const noexcept = 0;
  virtual ErrorCode getErrorCode(int32_t errorIdx) const noexcept = 0;
  // Text of error `errorIdx`; owned by the recorder, at most kMAX_DESC_LENGTH characters.
  virtual ErrorDesc getErrorDesc(int32_t errorIdx) const noexcept = 0;
  // True once an error had to be dropped.
  virtual bool hasOverflowed() const noexcept = 0;
  virtual void clear() noexcept = 0;
  // Called by the library. True means: the application wants the operation to be given up.
  virtual bool reportError(ErrorCode val, ErrorDesc desc) noexcept = 0;
  virtual RefCount incRefCount() noexcept = 0;
  virtual RefCount decRefCount() noexcept = 0;

 protected:
  IErrorRecorder() = default;
  IErrorRecorder(const IErrorRecorder&) = default;
  IErrorRecorder(IErrorRecorder&&) = default;
  IErrorRecorder& operator=(const IErrorRecorder&) & = default;
  IErrorRecorder& operator=(IErrorRecorder&&) & = default;
};
}  // namespace v_1_0
using IErrorRecorder = v_1_0::IErrorRecorder;

using AllocatorFlags = uint32_t;
namespace v_1_0 {
class IGpuAllocator;
class IProgressMonitor;
}  // namespace v_1_0
using IGpuAllocator = v_1_0::IGpuAllocator;

}  // namespace nvinfer1

extern "C" TENSORRTAPI int32_t getInferLibVersion() noexcept;
