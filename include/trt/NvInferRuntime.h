// SPDX-License-Identifier: Apache-2.0
// Loading and running engines.
#pragma once
#include "NvInferImpl.h"
#include "NvInferPluginBase.h"
#include "NvInferRuntimeCommon.h"

namespace nvinfer1 {

// What an engine is for; only kSTANDARD can be built.
enum class EngineCapability : int32_t {
  kSTANDARD = 0,
  kSAFETY = 1,
  kDLA_STANDALONE = 2,
  // 8.x names
  kDEFAULT = kSTANDARD,
  kSAFE_GPU = kSAFETY,
  kSAFE_DLA = kDLA_STANDALONE,
};
namespace impl {
template <>
struct EnumMaxImpl<EngineCapability> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// Operations of size expressions.
enum class DimensionOperation : int32_t {
  kSUM = 0,
  kPROD = 1,
  kMAX = 2,
  kMIN = 3,
  kSUB = 4,
  kEQUAL = 5,
  kLESS = 6,
  kFLOOR_DIV = 7,
  kCEIL_DIV = 8,
};
namespace impl {
template <>
struct EnumMaxImpl<DimensionOperation> {
  static constexpr int32_t kVALUE = 9;
};
}  // namespace impl

// What an offset counts from.
enum class SeekPosition : int32_t {
  kSET = 0,
  kCUR = 1,
  kEND = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<SeekPosition> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// What weights are to their layer.
enum class WeightsRole : int32_t {
  kKERNEL = 0,
  kBIAS = 1,
  kSHIFT = 2,
  kSCALE = 3,
  kCONSTANT = 4,
  kANY = 5,
};
namespace impl {
template <>
struct EnumMaxImpl<WeightsRole> {
  static constexpr int32_t kVALUE = 6;
};
}  // namespace impl

// Where a layer runs; there is no DLA.
enum class DeviceType : int32_t {
  kGPU = 0,
  kDLA = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<DeviceType> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// Which temporary files a runtime may make.
enum class TempfileControlFlag : int32_t {
  kALLOW_IN_MEMORY_FILES = 0,
  kALLOW_TEMPORARY_FILES = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<TempfileControlFlag> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// Which end of a range.
enum class OptProfileSelector : int32_t {
  kMIN = 0,
  kOPT = 1,
  kMAX = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<OptProfileSelector> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// Libraries that offer tactics.
enum class TacticSource : int32_t {
  kCUBLAS = 0,
  kCUBLAS_LT = 1,
  kCUDNN = 2,
  kEDGE_MASK_CONVOLUTIONS = 3,
  kJIT_CONVOLUTIONS = 4,
};
namespace impl {
template <>
struct EnumMaxImpl<TacticSource> {
  static constexpr int32_t kVALUE = 5;
};
}  // namespace impl

// How much an engine tells of its layers.
enum class ProfilingVerbosity : int32_t {
  kLAYER_NAMES_ONLY = 0,
  kNONE = 1,
  kDETAILED = 2,
  // 8.x names
  kDEFAULT = kLAYER_NAMES_ONLY,
  kVERBOSE = kDETAILED,
};
namespace impl {
template <>
struct EnumMaxImpl<ProfilingVerbosity> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// What to leave out or put in when serializing.
enum class SerializationFlag : int32_t {
  kEXCLUDE_WEIGHTS = 0,
  kEXCLUDE_LEAN_RUNTIME = 1,
  kINCLUDE_REFIT = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<SerializationFlag> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// When a context gets its memory.
enum class ExecutionContextAllocationStrategy : int32_t {
  kSTATIC = 0,
  kON_PROFILE_CHANGE = 1,
  kUSER_MANAGED = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<ExecutionContextAllocationStrategy> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// Numbers known of an engine.
enum class EngineStat : int32_t {
  kTOTAL_WEIGHTS_SIZE = 0,
  kSTRIPPED_WEIGHTS_SIZE = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<EngineStat> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// Forms of the inspector's text.
enum class LayerInformationFormat : int32_t {
  kONELINE = 0,
  kJSON = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<LayerInformationFormat> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// Base of all objects that the library hands out: no copies, deleted by `delete`.
class INoCopy {
 protected:
  virtual ~INoCopy() noexcept = default;
  INoCopy() = default;
  INoCopy(const INoCopy&) = delete;
  INoCopy(INoCopy&&) = delete;
  INoCopy& operator=(const INoCopy&) = delete;
  INoCopy& operator=(INoCopy&&) = delete;
};

// Host memory with `count` values of `type`. The memory belongs to the application and must live
// until the engine is built.
class Weights {
 public:
  DataType type;
  const void* values;
  int64_t count;
};

// Memory of the library, read by the application, freed by deleting the object.
class IHostMemory : public INoCopy {
 public:
  ~IHostMemory() noexcept override = default;

 public:
  // First byte.
  void* data() const noexcept { return mImpl->data(); }
  // In bytes.
  std::size_t size() const noexcept { return mImpl->size(); }
  DataType type() const noexcept { return mImpl->type(); }

  // 8.x
  void destroy() noexcept { delete this; }

 protected:
  apiv::VHostMemory* mImpl = nullptr;
};

// A size as an expression of input sizes, for plugins.
class IDimensionExpr : public INoCopy {
 public:
  ~IDimensionExpr() noexcept override = default;

 public:
  bool isConstant() const noexcept { return mImpl->isConstant(); }
  int64_t getConstantValue() const noexcept { return mImpl->getConstantValue(); }
  bool isSizeTensor() const noexcept { return mImpl->isSizeTensor(); }

 protected:
  apiv::VDimensionExpr* mImpl = nullptr;
};

// Makes expressions.
class IExprBuilder : public INoCopy {
 public:
  ~IExprBuilder() noexcept override = default;

 public:
  const IDimensionExpr* constant(int64_t value) noexcept { return mImpl->constant(value); }
  const IDimensionExpr* operation(DimensionOperation op, const IDimensionExpr& first,
                                  const IDimensionExpr& second) noexcept {
    return mImpl->operation(op, first, second);
  }
  const IDimensionExpr* declareSizeTensor(int32_t outputIndex, const IDimensionExpr& opt,
                                          const IDimensionExpr& upper) {
    return mImpl->declareSizeTensor(outputIndex, opt, upper);
  }

 protected:
  apiv::VExprBuilder* mImpl = nullptr;
};

// Sizes as expressions.
class DimsExprs {
 public:
  int32_t nbDims;
  const IDimensionExpr* d[Dims::MAX_DIMS];
};

// What a plugin is told of one tensor whose sizes vary.
struct DynamicPluginTensorDesc {
  PluginTensorDesc desc;
  Dims min;
  Dims max;
  Dims opt;
};

// Plugins with varying sizes.
class IPluginV2DynamicExt : public IPluginV2Ext {
 public:
  ~IPluginV2DynamicExt() noexcept override = default;

 protected:
  int32_t getTensorRTVersion() const noexcept override {
    return int32_t(uint32_t(PluginVersion::kV2_DYNAMICEXT) << 24 |
                   uint32_t(NV_TENSORRT_VERSION & 0xFFFFFF));
  }

 private:
  Dims getOutputDimensions(int32_t, const Dims*, int32_t) noexcept override { return Dims{-1, {}}; }
  bool supportsFormat(DataType, PluginFormat) const noexcept override { return false; }
  size_t getWorkspaceSize(int32_t) const noexcept override { return 0; }
  int32_t enqueue(int32_t, const void* const*, void* const*, void*,
                  cudaStream_t) noexcept override {
    return 1;
  }

 public:
  IPluginV2DynamicExt* clone() const noexcept override = 0;

 private:
  bool isOutputBroadcastAcrossBatch(int32_t, const bool*, int32_t) const noexcept override {
    return false;
  }
  bool canBroadcastInputAcrossBatch(int32_t) const noexcept override { return true; }
  void configurePlugin(const Dims*, int32_t, const Dims*, int32_t, const DataType*, const DataType*,
                       const bool*, const bool*, PluginFormat, int32_t) noexcept override {}

 public:
  virtual DimsExprs getOutputDimensions(int32_t outputIndex, const DimsExprs* inputs,
                                        int32_t nbInputs, IExprBuilder& exprBuilder) noexcept = 0;
  virtual bool supportsFormatCombination(int32_t pos, const PluginTensorDesc* inOut,
                                         int32_t nbInputs, int32_t nbOutputs) noexcept = 0;
  virtual void configurePlugin(const DynamicPluginTensorDesc* in, int32_t nbInputs,
                               const DynamicPluginTensorDesc* out, int32_t nbOutputs) noexcept = 0;
  virtual size_t getWorkspaceSize(const PluginTensorDesc* inputs, int32_t nbInputs,
                                  const PluginTensorDesc* outputs,
                                  int32_t nbOutputs) const noexcept = 0;
  virtual int32_t enqueue(const PluginTensorDesc* inputDesc, const PluginTensorDesc* outputDesc,
                          const void* const* inputs, void* const* outputs, void* workspace,
                          cudaStream_t stream) noexcept = 0;

 protected:
  IPluginV2DynamicExt() = default;
  IPluginV2DynamicExt(const IPluginV2DynamicExt&) = default;
  IPluginV2DynamicExt(IPluginV2DynamicExt&&) = default;
  IPluginV2DynamicExt& operator=(const IPluginV2DynamicExt&) & = default;
  IPluginV2DynamicExt& operator=(IPluginV2DynamicExt&&) & = default;
};

namespace v_1_0 {
// Reads a serialized engine for the library, front to back.
class IStreamReader : public IVersionedInterface {
 public:
  ~IStreamReader() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IStreamReader", 1, 0}; }
  // Bytes read, at most `nbBytes`; less than asked at the end; -1 on failure.
  virtual int64_t read(void* destination, int64_t nbBytes) = 0;

 protected:
  IStreamReader() = default;
  IStreamReader(const IStreamReader&) = default;
  IStreamReader(IStreamReader&&) = default;
  IStreamReader& operator=(const IStreamReader&) & = default;
  IStreamReader& operator=(IStreamReader&&) & = default;
};
}  // namespace v_1_0
using IStreamReader = v_1_0::IStreamReader;

namespace v_1_0 {
// Takes a serialized engine from the library.
class IStreamWriter : public IVersionedInterface {
 public:
  ~IStreamWriter() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IStreamWriter", 1, 0}; }
  // Bytes written; anything but `nbBytes` is a failure.
  virtual int64_t write(const void* data, int64_t nbBytes) = 0;

 protected:
  IStreamWriter() = default;
  IStreamWriter(const IStreamWriter&) = default;
  IStreamWriter(IStreamWriter&&) = default;
  IStreamWriter& operator=(const IStreamWriter&) & = default;
  IStreamWriter& operator=(IStreamWriter&&) & = default;
};
}  // namespace v_1_0
using IStreamWriter = v_1_0::IStreamWriter;

namespace v_1_0 {
// Reads a serialized engine for the library, with seeking.
class IStreamReaderV2 : public IVersionedInterface {
 public:
  ~IStreamReaderV2() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IStreamReaderV2", 1, 0}; }
  // `destination` may be host or device memory. Bytes read, -1 on failure.
  virtual int64_t read(void* destination, int64_t nbBytes, cudaStream_t stream) noexcept = 0;
  virtual bool seek(int64_t offset, SeekPosition where) noexcept = 0;

 protected:
  IStreamReaderV2() = default;
  IStreamReaderV2(const IStreamReaderV2&) = default;
  IStreamReaderV2(IStreamReaderV2&&) = default;
  IStreamReaderV2& operator=(const IStreamReaderV2&) & = default;
  IStreamReaderV2& operator=(IStreamReaderV2&&) & = default;
};
}  // namespace v_1_0
using IStreamReaderV2 = v_1_0::IStreamReaderV2;

// What a plugin may use of a context.
class IPluginResourceContext {
 public:
  virtual IGpuAllocator* getGpuAllocator() const noexcept = 0;
  virtual IErrorRecorder* getErrorRecorder() const noexcept = 0;
  virtual ~IPluginResourceContext() noexcept = default;

 protected:
  IPluginResourceContext() = default;
  IPluginResourceContext(const IPluginResourceContext&) = default;
  IPluginResourceContext(IPluginResourceContext&&) = default;
  IPluginResourceContext& operator=(const IPluginResourceContext&) & = default;
  IPluginResourceContext& operator=(IPluginResourceContext&&) & = default;
};

namespace v_1_0 {
// Name and version of a plugin.
class IPluginV3OneCore : public IPluginCapability {
 public:
  ~IPluginV3OneCore() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN_V3ONE_CORE", 1, 0}; }
  virtual const AsciiChar* getPluginName() const noexcept = 0;
  virtual const AsciiChar* getPluginVersion() const noexcept = 0;
  virtual const AsciiChar* getPluginNamespace() const noexcept = 0;

 protected:
  IPluginV3OneCore() = default;
  IPluginV3OneCore(const IPluginV3OneCore&) = default;
  IPluginV3OneCore(IPluginV3OneCore&&) = default;
  IPluginV3OneCore& operator=(const IPluginV3OneCore&) & = default;
  IPluginV3OneCore& operator=(IPluginV3OneCore&&) & = default;
};
}  // namespace v_1_0
using IPluginV3OneCore = v_1_0::IPluginV3OneCore;

namespace v_1_0 {
// What a plugin does while building.
class IPluginV3OneBuild : public IPluginCapability {
 public:
  ~IPluginV3OneBuild() noexcept override = default;

 public:
  static constexpr int32_t kDEFAULT_FORMAT_COMBINATION_LIMIT = 100;
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN_V3ONE_BUILD", 1, 0}; }
  virtual int32_t configurePlugin(const DynamicPluginTensorDesc* in, int32_t nbInputs,
                                  const DynamicPluginTensorDesc* out,
                                  int32_t nbOutputs) noexcept = 0;
  virtual int32_t getOutputDataTypes(DataType* outputTypes, int32_t nbOutputs,
                                     const DataType* inputTypes,
                                     int32_t nbInputs) const noexcept = 0;
  virtual int32_t getOutputShapes(const DimsExprs* inputs, int32_t nbInputs,
                                  const DimsExprs* shapeInputs, int32_t nbShapeInputs,
                                  DimsExprs* outputs, int32_t nbOutputs,
                                  IExprBuilder& exprBuilder) noexcept = 0;
  virtual bool supportsFormatCombination(int32_t pos, const DynamicPluginTensorDesc* inOut,
                                         int32_t nbInputs, int32_t nbOutputs) noexcept = 0;
  virtual int32_t getNbOutputs() const noexcept = 0;
  virtual size_t getWorkspaceSize(const DynamicPluginTensorDesc*, int32_t,
                                  const DynamicPluginTensorDesc*, int32_t) const noexcept {
    return 0;
  }
  virtual int32_t getValidTactics(int32_t*, int32_t) noexcept { return 0; }
  virtual int32_t getNbTactics() noexcept { return 0; }
  virtual const char* getTimingCacheID() noexcept { return nullptr; }
  virtual int32_t getFormatCombinationLimit() noexcept { return kDEFAULT_FORMAT_COMBINATION_LIMIT; }
  virtual const char* getMetadataString() noexcept { return nullptr; }

 protected:
  IPluginV3OneBuild() = default;
  IPluginV3OneBuild(const IPluginV3OneBuild&) = default;
  IPluginV3OneBuild(IPluginV3OneBuild&&) = default;
  IPluginV3OneBuild& operator=(const IPluginV3OneBuild&) & = default;
  IPluginV3OneBuild& operator=(IPluginV3OneBuild&&) & = default;
};
}  // namespace v_1_0
using IPluginV3OneBuild = v_1_0::IPluginV3OneBuild;

namespace v_1_0 {
// What a plugin does while running.
class IPluginV3OneRuntime : public IPluginCapability {
 public:
  ~IPluginV3OneRuntime() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override {
    return {"PLUGIN_V3ONE_RUNTIME", 1, 0};
  }
  virtual int32_t setTactic(int32_t) noexcept { return 0; }
  virtual int32_t onShapeChange(const PluginTensorDesc* in, int32_t nbInputs,
                                const PluginTensorDesc* out, int32_t nbOutputs) noexcept = 0;
  virtual int32_t enqueue(const PluginTensorDesc* inputDesc, const PluginTensorDesc* outputDesc,
                          const void* const* inputs, void* const* outputs, void* workspace,
                          cudaStream_t stream) noexcept = 0;
  virtual IPluginV3* attachToContext(IPluginResourceContext* context) noexcept = 0;
  virtual const PluginFieldCollection* getFieldsToSerialize() noexcept = 0;

 protected:
  IPluginV3OneRuntime() = default;
  IPluginV3OneRuntime(const IPluginV3OneRuntime&) = default;
  IPluginV3OneRuntime(IPluginV3OneRuntime&&) = default;
  IPluginV3OneRuntime& operator=(const IPluginV3OneRuntime&) & = default;
  IPluginV3OneRuntime& operator=(IPluginV3OneRuntime&&) & = default;
};
}  // namespace v_1_0
using IPluginV3OneRuntime = v_1_0::IPluginV3OneRuntime;

namespace v_2_0 {
// Adds outputs that share an input's memory.
class IPluginV3OneBuild : public v_1_0::IPluginV3OneBuild {
 public:
  ~IPluginV3OneBuild() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN_V3ONE_BUILD", 2, 0}; }
  virtual int32_t getAliasedInput(int32_t) noexcept { return -1; }

 protected:
  IPluginV3OneBuild() = default;
  IPluginV3OneBuild(const IPluginV3OneBuild&) = default;
  IPluginV3OneBuild(IPluginV3OneBuild&&) = default;
  IPluginV3OneBuild& operator=(const IPluginV3OneBuild&) & = default;
  IPluginV3OneBuild& operator=(IPluginV3OneBuild&&) & = default;
};
}  // namespace v_2_0
using IPluginV3OneBuildV2 = v_2_0::IPluginV3OneBuild;

namespace v_1_0 {
// Gets the time of every layer of a run.
class IProfiler {
 public:
  // Called once a layer and run, in the order they ran; `layerName` lives during the call.
  virtual void reportLayerTime(const char* layerName, float ms) noexcept = 0;
  virtual ~IProfiler() noexcept = default;

 protected:
  IProfiler() = default;
  IProfiler(const IProfiler&) = default;
  IProfiler(IProfiler&&) = default;
  IProfiler& operator=(const IProfiler&) & = default;
  IProfiler& operator=(IProfiler&&) & = default;
};
}  // namespace v_1_0
using IProfiler = v_1_0::IProfiler;

// Where messages go. The application implements it and keeps it alive longer than every object
// made with it; called from any thread.
class ILogger {
 public:
  // Least severe last.
  enum class Severity : int32_t {
    kINTERNAL_ERROR = 0,
    kERROR = 1,
    kWARNING = 2,
    kINFO = 3,
    kVERBOSE = 4,
  };
  virtual void log(Severity severity, const AsciiChar* msg) noexcept = 0;
  virtual ~ILogger() noexcept = default;

 protected:
  ILogger() = default;
  ILogger(const ILogger&) = default;
  ILogger(ILogger&&) = default;
  ILogger& operator=(const ILogger&) & = default;
  ILogger& operator=(ILogger&&) & = default;
};

namespace v_1_0 {
// Device memory from the application.
class IGpuAllocator : public IVersionedInterface {
 public:
  ~IGpuAllocator() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IGpuAllocator", 1, 0}; }
  // nullptr when there is no memory. `alignment` is a power of two.
  virtual void* allocate(const uint64_t size, const uint64_t alignment,
                         const AllocatorFlags flags) noexcept = 0;
  virtual void* reallocate(void* const, uint64_t, uint64_t) noexcept { return nullptr; }
  virtual bool deallocate(void* const memory) noexcept = 0;
  virtual void* allocateAsync(const uint64_t size, const uint64_t alignment,
                              const AllocatorFlags flags, cudaStream_t) noexcept {
    return allocate(size, alignment, flags);
  }
  virtual bool deallocateAsync(void* const memory, cudaStream_t) noexcept {
    return deallocate(memory);
  }

 protected:
  IGpuAllocator() = default;
  IGpuAllocator(const IGpuAllocator&) = default;
  IGpuAllocator(IGpuAllocator&&) = default;
  IGpuAllocator& operator=(const IGpuAllocator&) & = default;
  IGpuAllocator& operator=(IGpuAllocator&&) & = default;
};
}  // namespace v_1_0
using IGpuAllocator = v_1_0::IGpuAllocator;

// Loads engines. An engine keeps what it needs: the runtime may be deleted before it.
class IRuntime : public INoCopy {
 public:
  ~IRuntime() noexcept override = default;

 public:
  // There is no DLA: any core but 0 is refused with a message.
  void setDLACore(int32_t dlaCore) noexcept { mImpl->setDLACore(dlaCore); }
  int32_t getDLACore() const noexcept { return mImpl->getDLACore(); }
  int32_t getNbDLACores() const noexcept { return mImpl->getNbDLACores(); }
  // Kept and returned to nobody: memory on a CPU comes from the runtime itself.
  void setGpuAllocator(IGpuAllocator* allocator) noexcept { mImpl->setGpuAllocator(allocator); }
  // Also tells `recorder` of errors, nullptr stops that. Counted as one reference.
  void setErrorRecorder(IErrorRecorder* recorder) noexcept { mImpl->setErrorRecorder(recorder); }
  IErrorRecorder* getErrorRecorder() const noexcept { return mImpl->getErrorRecorder(); }
  // An engine from the bytes of IHostMemory or of a file; nullptr and a message when they are
  // damaged, from a newer version or for a different machine. The bytes are copied.
  ICudaEngine* deserializeCudaEngine(const void* blob, std::size_t size) noexcept {
    return mImpl->deserializeCudaEngine(blob, size);
  }
  ICudaEngine* deserializeCudaEngine(IStreamReader& streamReader) {
    return mImpl->deserializeCudaEngine(streamReader);
  }
  ICudaEngine* deserializeCudaEngine(IStreamReaderV2& streamReader) {
    return mImpl->deserializeCudaEngineV2(streamReader);
  }
  ILogger* getLogger() const noexcept { return mImpl->getLogger(); }
  // At most so many threads for loading and, on a CPU, for running engines loaded from now on.
  bool setMaxThreads(int32_t maxThreads) noexcept { return mImpl->setMaxThreads(maxThreads); }
  int32_t getMaxThreads() const noexcept { return mImpl->getMaxThreads(); }
  void setTemporaryDirectory(const char* path) noexcept { mImpl->setTemporaryDirectory(path); }
  const char* getTemporaryDirectory() const noexcept { return mImpl->getTemporaryDirectory(); }
  void setTempfileControlFlags(TempfileControlFlags flags) noexcept {
    mImpl->setTempfileControlFlags(flags);
  }
  TempfileControlFlags getTempfileControlFlags() const noexcept {
    return mImpl->getTempfileControlFlags();
  }
  IPluginRegistry& getPluginRegistry() noexcept { return mImpl->getPluginRegistry(); }
  IRuntime* loadRuntime(const char* path) noexcept { return mImpl->loadRuntime(path); }
  void setEngineHostCodeAllowed(bool allowed) noexcept { mImpl->setEngineHostCodeAllowed(allowed); }
  bool getEngineHostCodeAllowed() const noexcept { return mImpl->getEngineHostCodeAllowed(); }

  // 8.x
  void destroy() noexcept { delete this; }
  ICudaEngine* deserializeCudaEngine(const void* blob, std::size_t size, IPluginFactory*) noexcept {
    return deserializeCudaEngine(blob, size);
  }

 protected:
  apiv::VRuntime* mImpl = nullptr;
};

// Replaces weights of an engine.
class IRefitter : public INoCopy {
 public:
  ~IRefitter() noexcept override = default;

 public:
  bool setWeights(const char* layerName, WeightsRole role, Weights weights) noexcept {
    return mImpl->setWeights(layerName, role, weights);
  }
  bool refitCudaEngine() noexcept { return mImpl->refitCudaEngine(); }
  int32_t getMissing(int32_t size, const char** layerNames, WeightsRole* roles) noexcept {
    return mImpl->getMissing(size, layerNames, roles);
  }
  int32_t getAll(int32_t size, const char** layerNames, WeightsRole* roles) noexcept {
    return mImpl->getAll(size, layerNames, roles);
  }
  bool setDynamicRange(const char* tensorName, float min, float max) noexcept {
    return mImpl->setDynamicRange(tensorName, min, max);
  }
  float getDynamicRangeMin(const char* tensorName) const noexcept {
    return mImpl->getDynamicRangeMin(tensorName);
  }
  float getDynamicRangeMax(const char* tensorName) const noexcept {
    return mImpl->getDynamicRangeMax(tensorName);
  }
  int32_t getTensorsWithDynamicRange(int32_t size, const char** tensorNames) const noexcept {
    return mImpl->getTensorsWithDynamicRange(size, tensorNames);
  }
  void setErrorRecorder(IErrorRecorder* recorder) noexcept { mImpl->setErrorRecorder(recorder); }
  IErrorRecorder* getErrorRecorder() const noexcept { return mImpl->getErrorRecorder(); }
  bool setNamedWeights(const char* name, Weights weights) noexcept {
    return mImpl->setNamedWeights(name, weights);
  }
  int32_t getMissingWeights(int32_t size, const char** weightsNames) noexcept {
    return mImpl->getMissingWeights(size, weightsNames);
  }
  int32_t getAllWeights(int32_t size, const char** weightsNames) noexcept {
    return mImpl->getAllWeights(size, weightsNames);
  }
  ILogger* getLogger() const noexcept { return mImpl->getLogger(); }
  bool setMaxThreads(int32_t maxThreads) noexcept { return mImpl->setMaxThreads(maxThreads); }
  int32_t getMaxThreads() const noexcept { return mImpl->getMaxThreads(); }
  bool setNamedWeights(const char* name, Weights weights, TensorLocation location) noexcept {
    return mImpl->setNamedWeightsWithLocation(name, weights, location);
  }
  Weights getNamedWeights(const char* weightsName) const noexcept {
    return mImpl->getNamedWeights(weightsName);
  }
  TensorLocation getWeightsLocation(const char* weightsName) const noexcept {
    return mImpl->getWeightsLocation(weightsName);
  }
  bool unsetNamedWeights(const char* weightsName) noexcept {
    return mImpl->unsetNamedWeights(weightsName);
  }
  void setWeightsValidation(bool weightsValidation) noexcept {
    mImpl->setWeightsValidation(weightsValidation);
  }
  bool getWeightsValidation() const noexcept { return mImpl->getWeightsValidation(); }
  bool refitCudaEngineAsync(cudaStream_t stream) noexcept {
    return mImpl->refitCudaEngineAsync(stream);
  }
  Weights getWeightsPrototype(const char* weightsName) const noexcept {
    return mImpl->getWeightsPrototype(weightsName);
  }

  // 8.x
  void destroy() noexcept { delete this; }

 protected:
  apiv::VRefitter* mImpl = nullptr;
};

// Ranges of sizes (and of the values of shape inputs) that a plan is made for. Belongs to the
// builder that made it.
class IOptimizationProfile : public INoCopy {
 public:
  ~IOptimizationProfile() noexcept override = default;

 public:
  // False when the sizes contradict each other (min <= opt <= max) or don't fit the number of dims.
  bool setDimensions(const char* inputName, OptProfileSelector select, const Dims& dims) noexcept {
    return mImpl->setDimensions(inputName, select, dims);
  }
  // nbDims is -1 when nothing was set.
  Dims getDimensions(const char* inputName, OptProfileSelector select) const noexcept {
    return mImpl->getDimensions(inputName, select);
  }
  // Values of a shape input, as 32-bit integers. The values are copied.
  bool setShapeValues(const char* inputName, OptProfileSelector select, const int32_t* values,
                      int32_t nbValues) noexcept {
    return mImpl->setShapeValues(inputName, select, values, nbValues);
  }
  int32_t getNbShapeValues(const char* inputName) const noexcept {
    return mImpl->getNbShapeValues(inputName);
  }
  const int32_t* getShapeValues(const char* inputName, OptProfileSelector select) const noexcept {
    return mImpl->getShapeValues(inputName, select);
  }
  bool setExtraMemoryTarget(float target) noexcept { return mImpl->setExtraMemoryTarget(target); }
  float getExtraMemoryTarget() const noexcept { return mImpl->getExtraMemoryTarget(); }
  // Every input that has a min also has opt and max, in order.
  bool isValid() const noexcept { return mImpl->isValid(); }
  // Values of a shape input, as 64-bit integers. The values are copied.
  bool setShapeValuesV2(const char* inputName, OptProfileSelector select, const int64_t* values,
                        int32_t nbValues) noexcept {
    return mImpl->setShapeValuesV2(inputName, select, values, nbValues);
  }
  const int64_t* getShapeValuesV2(const char* inputName, OptProfileSelector select) const noexcept {
    return mImpl->getShapeValuesV2(inputName, select);
  }

 protected:
  apiv::VOptimizationProfile* mImpl = nullptr;
};

// What to leave out of a serialized engine.
class ISerializationConfig : public INoCopy {
 public:
  ~ISerializationConfig() noexcept override = default;

 public:
  bool setFlags(SerializationFlags serializationFlags) noexcept {
    return mImpl->setFlags(serializationFlags);
  }
  SerializationFlags getFlags() const noexcept { return mImpl->getFlags(); }
  bool clearFlag(SerializationFlag serializationFlag) noexcept {
    return mImpl->clearFlag(serializationFlag);
  }
  bool setFlag(SerializationFlag serializationFlag) noexcept {
    return mImpl->setFlag(serializationFlag);
  }
  bool getFlag(SerializationFlag serializationFlag) const noexcept {
    return mImpl->getFlag(serializationFlag);
  }

 protected:
  apiv::VSerializationConfig* mImpl = nullptr;
};

// How execution contexts get their memory.
class IRuntimeConfig : public INoCopy {
 public:
  ~IRuntimeConfig() noexcept override = default;

 public:
  void setExecutionContextAllocationStrategy(ExecutionContextAllocationStrategy strategy) noexcept {
    mImpl->setExecutionContextAllocationStrategy(strategy);
  }
  ExecutionContextAllocationStrategy getExecutionContextAllocationStrategy() const noexcept {
    return mImpl->getExecutionContextAllocationStrategy();
  }

 protected:
  apiv::VRuntimeConfig* mImpl = nullptr;
};

// A compiled model. Many threads and contexts may use one engine at once.
//
// Inputs and outputs are named. Their order, for getIOTensorName and for binding indices: inputs as
// in the network, then outputs in the order in which the network produces them.
class ICudaEngine : public INoCopy {
 public:
  ~ICudaEngine() noexcept override = default;

 public:
  // Sizes as built, -1 where they are known only when running; nbDims -1 for an unknown name.
  Dims getTensorShape(const char* tensorName) const noexcept {
    return mImpl->getTensorShape(tensorName);
  }
  DataType getTensorDataType(const char* tensorName) const noexcept {
    return mImpl->getTensorDataType(tensorName);
  }
  // Steps of the plan; the inspector describes each.
  int32_t getNbLayers() const noexcept { return mImpl->getNbLayers(); }
  // The engine's bytes, deleted by the caller.
  IHostMemory* serialize() const noexcept { return mImpl->serialize(); }
  // Deleted by the caller, at any time before or after the engine.
  IExecutionContext* createExecutionContext(
      ExecutionContextAllocationStrategy strategy =
          ExecutionContextAllocationStrategy::kSTATIC) noexcept {
    return mImpl->createExecutionContext(strategy);
  }
  // kHOST for shape inputs and for outputs that hold sizes: their address is host memory.
  TensorLocation getTensorLocation(const char* tensorName) const noexcept {
    return mImpl->getTensorLocation(tensorName);
  }
  // Does the value of this input decide sizes? Then it must be set before getTensorShape is exact.
  bool isShapeInferenceIO(const char* tensorName) const noexcept {
    return mImpl->isShapeInferenceIO(tensorName);
  }
  TensorIOMode getTensorIOMode(const char* tensorName) const noexcept {
    return mImpl->getTensorIOMode(tensorName);
  }
  const char* getAliasedInputTensor(const char* tensorName) const noexcept {
    return mImpl->getAliasedInputTensor(tensorName);
  }
  IExecutionContext* createExecutionContextWithoutDeviceMemory() noexcept {
    return mImpl->createExecutionContextWithoutDeviceMemory();
  }
  IExecutionContext* createExecutionContext(IRuntimeConfig* runtimeConfig) noexcept {
    return mImpl->createExecutionContextWithRuntimeConfig(runtimeConfig);
  }
  IRuntimeConfig* createRuntimeConfig() noexcept { return mImpl->createRuntimeConfig(); }
  // Bytes that a context needs beside inputs and outputs, the largest over all profiles.
  size_t getDeviceMemorySize() const noexcept { return mImpl->getDeviceMemorySize(); }
  size_t getDeviceMemorySizeForProfile(int32_t profileIndex) const noexcept {
    return mImpl->getDeviceMemorySizeForProfile(profileIndex);
  }
  int64_t getDeviceMemorySizeV2() const noexcept { return mImpl->getDeviceMemorySizeV2(); }
  int64_t getDeviceMemorySizeForProfileV2(int32_t profileIndex) const noexcept {
    return mImpl->getDeviceMemorySizeForProfileV2(profileIndex);
  }
  bool isRefittable() const noexcept { return mImpl->isRefittable(); }
  // -1 for an unknown name.
  int32_t getTensorBytesPerComponent(const char* tensorName) const noexcept {
    return mImpl->getTensorBytesPerComponent(tensorName);
  }
  int32_t getTensorBytesPerComponent(const char* tensorName, int32_t profileIndex) const noexcept {
    return mImpl->getTensorBytesPerComponentV2(tensorName, profileIndex);
  }
  int32_t getTensorComponentsPerElement(const char* tensorName) const noexcept {
    return mImpl->getTensorComponentsPerElement(tensorName);
  }
  int32_t getTensorComponentsPerElement(const char* tensorName,
                                        int32_t profileIndex) const noexcept {
    return mImpl->getTensorComponentsPerElementV2(tensorName, profileIndex);
  }
  TensorFormat getTensorFormat(const char* tensorName) const noexcept {
    return mImpl->getTensorFormat(tensorName);
  }
  TensorFormat getTensorFormat(const char* tensorName, int32_t profileIndex) const noexcept {
    return mImpl->getTensorFormatV2(tensorName, profileIndex);
  }
  const char* getTensorFormatDesc(const char* tensorName) const noexcept {
    return mImpl->getTensorFormatDesc(tensorName);
  }
  const char* getTensorFormatDesc(const char* tensorName, int32_t profileIndex) const noexcept {
    return mImpl->getTensorFormatDescV2(tensorName, profileIndex);
  }
  int32_t getTensorVectorizedDim(const char* tensorName) const noexcept {
    return mImpl->getTensorVectorizedDim(tensorName);
  }
  int32_t getTensorVectorizedDim(const char* tensorName, int32_t profileIndex) const noexcept {
    return mImpl->getTensorVectorizedDimV2(tensorName, profileIndex);
  }
  const char* getName() const noexcept { return mImpl->getName(); }
  int32_t getNbOptimizationProfiles() const noexcept { return mImpl->getNbOptimizationProfiles(); }
  // Sizes of input `tensorName` that profile `profileIndex` allows.
  Dims getProfileShape(const char* tensorName, int32_t profileIndex,
                       OptProfileSelector select) const noexcept {
    return mImpl->getProfileShape(tensorName, profileIndex, select);
  }
  // Values of a shape input, nullptr for any other tensor; owned by the engine.
  const int32_t* getProfileTensorValues(const char* tensorName, int32_t profileIndex,
                                        OptProfileSelector select) const noexcept {
    return mImpl->getProfileTensorValues(tensorName, profileIndex, select);
  }
  EngineCapability getEngineCapability() const noexcept { return mImpl->getEngineCapability(); }
  void setErrorRecorder(IErrorRecorder* recorder) noexcept { mImpl->setErrorRecorder(recorder); }
  IErrorRecorder* getErrorRecorder() const noexcept { return mImpl->getErrorRecorder(); }
  bool hasImplicitBatchDimension() const noexcept { return mImpl->hasImplicitBatchDimension(); }
  TacticSources getTacticSources() const noexcept { return mImpl->getTacticSources(); }
  ProfilingVerbosity getProfilingVerbosity() const noexcept {
    return mImpl->getProfilingVerbosity();
  }
  IEngineInspector* createEngineInspector() const noexcept {
    return mImpl->createEngineInspector();
  }
  int32_t getNbIOTensors() const noexcept { return mImpl->getNbIOTensors(); }
  // nullptr when `index` is out of range; owned by the engine.
  const char* getIOTensorName(int32_t index) const noexcept {
    return mImpl->getIOTensorName(index);
  }
  HardwareCompatibilityLevel getHardwareCompatibilityLevel() const noexcept {
    return mImpl->getHardwareCompatibilityLevel();
  }
  int32_t getNbAuxStreams() const noexcept { return mImpl->getNbAuxStreams(); }
  ISerializationConfig* createSerializationConfig() noexcept {
    return mImpl->createSerializationConfig();
  }
  IHostMemory* serializeWithConfig(ISerializationConfig& config) const noexcept {
    return mImpl->serializeWithConfig(config);
  }
  bool setWeightStreamingBudget(int64_t gpuMemoryBudget) noexcept {
    return mImpl->setWeightStreamingBudget(gpuMemoryBudget);
  }
  int64_t getWeightStreamingBudget() const noexcept { return mImpl->getWeightStreamingBudget(); }
  int64_t getMinimumWeightStreamingBudget() const noexcept {
    return mImpl->getMinimumWeightStreamingBudget();
  }
  int64_t getStreamableWeightsSize() const noexcept { return mImpl->getStreamableWeightsSize(); }
  bool setWeightStreamingBudgetV2(int64_t gpuMemoryBudget) noexcept {
    return mImpl->setWeightStreamingBudgetV2(gpuMemoryBudget);
  }
  int64_t getWeightStreamingBudgetV2() const noexcept {
    return mImpl->getWeightStreamingBudgetV2();
  }
  int64_t getWeightStreamingAutomaticBudget() const noexcept {
    return mImpl->getWeightStreamingAutomaticBudget();
  }
  int64_t getWeightStreamingScratchMemorySize() const noexcept {
    return mImpl->getWeightStreamingScratchMemorySize();
  }
  bool isDebugTensor(const char* name) const noexcept { return mImpl->isDebugTensor(name); }
  const int64_t* getProfileTensorValuesV2(const char* tensorName, int32_t profileIndex,
                                          OptProfileSelector select) const noexcept {
    return mImpl->getProfileTensorValuesV2(tensorName, profileIndex, select);
  }
  int64_t getEngineStat(EngineStat stat) const noexcept { return mImpl->getEngineStat(stat); }

  // 8.x: I/O tensors by number. Each profile has its own numbers, one after the other.
  void destroy() noexcept { delete this; }
  int32_t getNbBindings() const noexcept { return getNbIOTensors() * getNbOptimizationProfiles(); }
  const char* getBindingName(int32_t index) const noexcept {
    const int32_t tensors = getNbIOTensors();
    if (index < 0 || index >= getNbBindings()) return nullptr;
    return getIOTensorName(index % tensors);
  }
  // -1 for an unknown name.
  int32_t getBindingIndex(const char* name) const noexcept {
    const int32_t tensors = name == nullptr ? 0 : getNbIOTensors();
    for (int32_t i = 0; i < tensors; ++i) {
      const char* other = getIOTensorName(i);
      if (other != nullptr && std::strcmp(other, name) == 0) return i;
    }
    return -1;
  }
  bool bindingIsInput(int32_t index) const noexcept {
    const char* name = getBindingName(index);
    return name != nullptr && getTensorIOMode(name) == TensorIOMode::kINPUT;
  }
  Dims getBindingDimensions(int32_t index) const noexcept {
    return getTensorShape(getBindingName(index));
  }
  DataType getBindingDataType(int32_t index) const noexcept {
    return getTensorDataType(getBindingName(index));
  }
  TensorFormat getBindingFormat(int32_t index) const noexcept {
    return getTensorFormat(getBindingName(index));
  }
  const char* getBindingFormatDesc(int32_t index) const noexcept {
    return getTensorFormatDesc(getBindingName(index));
  }
  int32_t getBindingVectorizedDim(int32_t index) const noexcept {
    return getTensorVectorizedDim(getBindingName(index));
  }
  int32_t getBindingBytesPerComponent(int32_t index) const noexcept {
    return getTensorBytesPerComponent(getBindingName(index));
  }
  int32_t getBindingComponentsPerElement(int32_t index) const noexcept {
    return getTensorComponentsPerElement(getBindingName(index));
  }
  TensorLocation getLocation(int32_t index) const noexcept {
    return getTensorLocation(getBindingName(index));
  }
  bool isShapeBinding(int32_t index) const noexcept {
    return isShapeInferenceIO(getBindingName(index));
  }
  bool isExecutionBinding(int32_t index) const noexcept {
    return getBindingName(index) != nullptr && !isShapeBinding(index);
  }
  Dims getProfileDimensions(int32_t index, int32_t profileIndex,
                            OptProfileSelector select) const noexcept {
    return getProfileShape(getBindingName(index), profileIndex, select);
  }
  const int32_t* getProfileShapeValues(int32_t index, int32_t profileIndex,
                                       OptProfileSelector select) const noexcept {
    return getProfileTensorValues(getBindingName(index), profileIndex, select);
  }
  int32_t getMaxBatchSize() const noexcept { return 1; }  // batches are part of the sizes
 protected:
  apiv::VCudaEngine* mImpl = nullptr;
};

namespace v_1_0 {
// Gives memory for an output whose size is known only while running.
class IOutputAllocator : public IVersionedInterface {
 public:
  ~IOutputAllocator() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IOutputAllocator", 1, 0}; }
  // `size` bytes for output `tensorName`; may return `currentMemory` when that is large enough.
  // nullptr fails the run. Size 0 still needs a pointer that is not null.
  virtual void* reallocateOutput(const char*, void*, uint64_t, uint64_t) noexcept {
    return nullptr;
  }
  // As reallocateOutput, in the order of `stream`; this one is called first.
  virtual void* reallocateOutputAsync(const char* tensorName, void* currentMemory, uint64_t size,
                                      uint64_t alignment, cudaStream_t) {
    return reallocateOutput(tensorName, currentMemory, size, alignment);
  }
  // The output's sizes; called once they are known, at the latest before the run's work is done.
  virtual void notifyShape(const char* tensorName, const Dims& dims) noexcept = 0;

 protected:
  IOutputAllocator() = default;
  IOutputAllocator(const IOutputAllocator&) = default;
  IOutputAllocator(IOutputAllocator&&) = default;
  IOutputAllocator& operator=(const IOutputAllocator&) & = default;
  IOutputAllocator& operator=(IOutputAllocator&&) & = default;
};
}  // namespace v_1_0
using IOutputAllocator = v_1_0::IOutputAllocator;

namespace v_1_0 {
// Gets tensors marked for debugging.
class IDebugListener : public IVersionedInterface {
 public:
  ~IDebugListener() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IDebugListener", 1, 0}; }
  virtual bool processDebugTensor(const void* addr, TensorLocation location, DataType type,
                                  const Dims& shape, const char* name, cudaStream_t stream) = 0;

 protected:
  IDebugListener() = default;
  IDebugListener(const IDebugListener&) = default;
  IDebugListener(IDebugListener&&) = default;
  IDebugListener& operator=(const IDebugListener&) & = default;
  IDebugListener& operator=(IDebugListener&&) & = default;
};
}  // namespace v_1_0
using IDebugListener = v_1_0::IDebugListener;

// One state of execution of an engine. Used by one thread at a time.
class IExecutionContext : public INoCopy {
 public:
  ~IExecutionContext() noexcept override = default;

 public:
  void setDebugSync(bool sync) noexcept { mImpl->setDebugSync(sync); }
  bool getDebugSync() const noexcept { return mImpl->getDebugSync(); }
  // nullptr stops profiling. The profiler must outlive the context.
  void setProfiler(IProfiler* profiler) noexcept { mImpl->setProfiler(profiler); }
  IProfiler* getProfiler() const noexcept { return mImpl->getProfiler(); }
  const ICudaEngine& getEngine() const noexcept { return mImpl->getEngine(); }
  void setName(const char* name) noexcept { mImpl->setName(name); }
  const char* getName() const noexcept { return mImpl->getName(); }
  void setDeviceMemory(void* memory) noexcept { mImpl->setDeviceMemory(memory); }
  void setDeviceMemoryV2(void* memory, int64_t size) noexcept {
    mImpl->setDeviceMemoryV2(memory, size);
  }
  // Distance in elements between neighbours of each dimension.
  Dims getTensorStrides(const char* tensorName) const noexcept {
    return mImpl->getTensorStrides(tensorName);
  }
  int32_t getOptimizationProfile() const noexcept { return mImpl->getOptimizationProfile(); }
  // False (and a message) when the name is no input or the sizes lie outside the profile.
  bool setInputShape(const char* tensorName, const Dims& dims) noexcept {
    return mImpl->setInputShape(tensorName, dims);
  }
  // Sizes now: -1 entries where inputs are missing or only running can tell.
  Dims getTensorShape(const char* tensorName) const noexcept {
    return mImpl->getTensorShape(tensorName);
  }
  bool allInputDimensionsSpecified() const noexcept { return mImpl->allInputDimensionsSpecified(); }
  bool allInputShapesSpecified() const noexcept { return mImpl->allInputShapesSpecified(); }
  void setErrorRecorder(IErrorRecorder* recorder) noexcept { mImpl->setErrorRecorder(recorder); }
  IErrorRecorder* getErrorRecorder() const noexcept { return mImpl->getErrorRecorder(); }
  // Runs with one address an I/O tensor, in the order of getIOTensorName, and waits for the result.
  bool executeV2(void* const* bindings) noexcept { return mImpl->executeV2(bindings); }
  // Selects profile `profileIndex`; false when the engine has no such profile.
  bool setOptimizationProfileAsync(int32_t profileIndex, cudaStream_t stream) noexcept {
    return mImpl->setOptimizationProfileAsync(profileIndex, stream);
  }
  // True (the start value): enqueue reports to the profiler. False: reportToProfiler does.
  void setEnqueueEmitsProfile(bool enqueueEmitsProfile) noexcept {
    mImpl->setEnqueueEmitsProfile(enqueueEmitsProfile);
  }
  bool getEnqueueEmitsProfile() const noexcept { return mImpl->getEnqueueEmitsProfile(); }
  bool reportToProfiler() const noexcept { return mImpl->reportToProfiler(); }
  // Device memory of the application, host memory for a shape input. Must stay valid while running.
  // nullptr forgets the address.
  bool setTensorAddress(const char* tensorName, void* data) noexcept {
    return mImpl->setTensorAddress(tensorName, data);
  }
  const void* getTensorAddress(const char* tensorName) const noexcept {
    return mImpl->getTensorAddress(tensorName);
  }
  bool setOutputTensorAddress(const char* tensorName, void* data) noexcept {
    return mImpl->setOutputTensorAddress(tensorName, data);
  }
  bool setInputTensorAddress(const char* tensorName, const void* data) noexcept {
    return mImpl->setInputTensorAddress(tensorName, data);
  }
  void* getOutputTensorAddress(const char* tensorName) const noexcept {
    return mImpl->getOutputTensorAddress(tensorName);
  }
  // Evaluates all sizes. 0: all known; n > 0: so many input tensors lack sizes or values, the first
  // `nbMaxNames` of them are named; -1: failed.
  int32_t inferShapes(int32_t nbMaxNames, const char** tensorNames) noexcept {
    return mImpl->inferShapes(nbMaxNames, tensorNames);
  }
  size_t updateDeviceMemorySizeForShapes() noexcept {
    return mImpl->updateDeviceMemorySizeForShapes();
  }
  // Recorded once the inputs may be overwritten.
  bool setInputConsumedEvent(cudaEvent_t event) noexcept {
    return mImpl->setInputConsumedEvent(event);
  }
  cudaEvent_t getInputConsumedEvent() const noexcept { return mImpl->getInputConsumedEvent(); }
  // Asked for memory instead of using an address.
  bool setOutputAllocator(const char* tensorName, IOutputAllocator* outputAllocator) noexcept {
    return mImpl->setOutputAllocator(tensorName, outputAllocator);
  }
  IOutputAllocator* getOutputAllocator(const char* tensorName) const noexcept {
    return mImpl->getOutputAllocator(tensorName);
  }
  // Bytes the output has at most with the current input sizes, -1 when there is no bound.
  int64_t getMaxOutputSize(const char* tensorName) const noexcept {
    return mImpl->getMaxOutputSize(tensorName);
  }
  bool setTemporaryStorageAllocator(IGpuAllocator* allocator) noexcept {
    return mImpl->setTemporaryStorageAllocator(allocator);
  }
  IGpuAllocator* getTemporaryStorageAllocator() const noexcept {
    return mImpl->getTemporaryStorageAllocator();
  }
  // Runs with the current sizes and addresses in the order of `stream`. False (and a message) when
  // an address is missing, sizes are not complete or a step fails. On a CPU the work is done on
  // return.
  bool enqueueV3(cudaStream_t stream) noexcept { return mImpl->enqueueV3(stream); }
  void setPersistentCacheLimit(size_t size) noexcept { mImpl->setPersistentCacheLimit(size); }
  size_t getPersistentCacheLimit() const noexcept { return mImpl->getPersistentCacheLimit(); }
  bool setNvtxVerbosity(ProfilingVerbosity verbosity) noexcept {
    return mImpl->setNvtxVerbosity(verbosity);
  }
  ProfilingVerbosity getNvtxVerbosity() const noexcept { return mImpl->getNvtxVerbosity(); }
  void setAuxStreams(cudaStream_t* auxStreams, int32_t nbStreams) noexcept {
    mImpl->setAuxStreams(auxStreams, nbStreams);
  }
  bool setDebugListener(IDebugListener* listener) noexcept {
    return mImpl->setDebugListener(listener);
  }
  IDebugListener* getDebugListener() noexcept { return mImpl->getDebugListener(); }
  bool setTensorDebugState(const char* name, bool flag) noexcept {
    return mImpl->setTensorDebugState(name, flag);
  }
  bool getDebugState(const char* name) const noexcept { return mImpl->getDebugState(name); }
  IRuntimeConfig* getRuntimeConfig() const noexcept { return mImpl->getRuntimeConfig(); }
  bool setAllTensorsDebugState(bool flag) noexcept { return mImpl->setAllTensorsDebugState(flag); }
  bool setUnfusedTensorsDebugState(bool flag) noexcept {
    return mImpl->setUnfusedTensorsDebugState(flag);
  }
  bool getUnfusedTensorsDebugState() const noexcept { return mImpl->getUnfusedTensorsDebugState(); }
  bool setCommunicator(void* communicator) noexcept { return mImpl->setCommunicator(communicator); }

  // 8.x: I/O tensors by number.
  void destroy() noexcept { delete this; }
  // `bindings` holds an address for every number of the engine; those of the current profile count.
  bool enqueueV2(void* const* bindings, cudaStream_t stream, cudaEvent_t* inputConsumed) noexcept {
    const ICudaEngine& engine = getEngine();
    const int32_t tensors = engine.getNbIOTensors();
    const int32_t profile = getOptimizationProfile();
    if (bindings == nullptr) return false;
    for (int32_t i = 0; i < tensors; ++i) {
      const int32_t slot = (profile > 0 ? profile * tensors : 0) + i;
      if (!setTensorAddress(engine.getIOTensorName(i), bindings[slot])) return false;
    }
    if (inputConsumed != nullptr && !setInputConsumedEvent(*inputConsumed)) return false;
    return enqueueV3(stream);
  }
  bool execute(int32_t, void* const* bindings) noexcept { return executeV2(bindings); }
  bool enqueue(int32_t, void* const* bindings, cudaStream_t stream,
               cudaEvent_t* inputConsumed) noexcept {
    return enqueueV2(bindings, stream, inputConsumed);
  }
  bool setBindingDimensions(int32_t index, const Dims& dimensions) noexcept {
    return setInputShape(getEngine().getBindingName(index), dimensions);
  }
  Dims getBindingDimensions(int32_t index) const noexcept {
    return getTensorShape(getEngine().getBindingName(index));
  }
  Dims getStrides(int32_t index) const noexcept {
    return getTensorStrides(getEngine().getBindingName(index));
  }
  // `data` must stay valid and unchanged until the run is done.
  bool setInputShapeBinding(int32_t index, const int32_t* data) noexcept {
    return setInputTensorAddress(getEngine().getBindingName(index), data);
  }
  bool setOptimizationProfile(int32_t profileIndex) noexcept {
    return setOptimizationProfileAsync(profileIndex, nullptr);
  }

 protected:
  apiv::VExecutionContext* mImpl = nullptr;
};

// Describes the layers of an engine as text or JSON. Belongs to the caller; needs the engine.
class IEngineInspector : public INoCopy {
 public:
  ~IEngineInspector() noexcept override = default;

 public:
  bool setExecutionContext(const IExecutionContext* context) noexcept {
    return mImpl->setExecutionContext(context);
  }
  const IExecutionContext* getExecutionContext() const noexcept {
    return mImpl->getExecutionContext();
  }
  // Text of one layer; owned by the inspector, valid until the next call.
  const char* getLayerInformation(int32_t layerIndex,
                                  LayerInformationFormat format) const noexcept {
    return mImpl->getLayerInformation(layerIndex, format);
  }
  // Text of the whole engine; owned by the inspector, valid until the next call.
  const char* getEngineInformation(LayerInformationFormat format) const noexcept {
    return mImpl->getEngineInformation(format);
  }
  void setErrorRecorder(IErrorRecorder* recorder) noexcept { mImpl->setErrorRecorder(recorder); }
  IErrorRecorder* getErrorRecorder() const noexcept { return mImpl->getErrorRecorder(); }

  // 8.x
  void destroy() noexcept { delete this; }

 protected:
  apiv::VEngineInspector* mImpl = nullptr;
};

// Finds the logger of the current object, for plugins.
class ILoggerFinder {
 public:
  virtual ILogger* findLogger() = 0;

 protected:
  virtual ~ILoggerFinder() noexcept = default;
  ILoggerFinder() = default;
  ILoggerFinder(const ILoggerFinder&) = default;
  ILoggerFinder(ILoggerFinder&&) = default;
  ILoggerFinder& operator=(const ILoggerFinder&) & = default;
  ILoggerFinder& operator=(ILoggerFinder&&) & = default;
};

namespace v_1_0 {
// An IGpuAllocator whose calls are ordered by a stream.
class IGpuAsyncAllocator : public IGpuAllocator {
 public:
  ~IGpuAsyncAllocator() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IGpuAllocator", 1, 0}; }
  void* allocate(const uint64_t size, const uint64_t alignment,
                 const AllocatorFlags flags) noexcept override {
    return allocateAsync(size, alignment, flags, nullptr);
  }
  bool deallocate(void* const memory) noexcept override { return deallocateAsync(memory, nullptr); }
  void* allocateAsync(const uint64_t size, const uint64_t alignment, const AllocatorFlags flags,
                      cudaStream_t) noexcept override = 0;
  bool deallocateAsync(void* const memory, cudaStream_t) noexcept override = 0;

 protected:
  IGpuAsyncAllocator() = default;
  IGpuAsyncAllocator(const IGpuAsyncAllocator&) = default;
  IGpuAsyncAllocator(IGpuAsyncAllocator&&) = default;
  IGpuAsyncAllocator& operator=(const IGpuAsyncAllocator&) & = default;
  IGpuAsyncAllocator& operator=(IGpuAsyncAllocator&&) & = default;
};
}  // namespace v_1_0
using IGpuAsyncAllocator = v_1_0::IGpuAsyncAllocator;

namespace v_1_0 {
// Makes plugins of the IPluginV3 kind.
class IPluginCreatorV3One : public IPluginCreatorInterface {
 public:
  ~IPluginCreatorV3One() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override {
    return {"PLUGIN CREATOR_V3ONE", 1, 0};
  }
  virtual IPluginV3* createPlugin(const AsciiChar* name, const PluginFieldCollection* fc,
                                  TensorRTPhase phase) noexcept = 0;
  virtual const PluginFieldCollection* getFieldNames() noexcept = 0;
  virtual const AsciiChar* getPluginName() const noexcept = 0;
  virtual const AsciiChar* getPluginVersion() const noexcept = 0;
  virtual const AsciiChar* getPluginNamespace() const noexcept = 0;

 protected:
  IPluginCreatorV3One() = default;
  IPluginCreatorV3One(const IPluginCreatorV3One&) = default;
  IPluginCreatorV3One(IPluginCreatorV3One&&) = default;
  IPluginCreatorV3One& operator=(const IPluginCreatorV3One&) & = default;
  IPluginCreatorV3One& operator=(IPluginCreatorV3One&&) & = default;
};
}  // namespace v_1_0
using IPluginCreatorV3One = v_1_0::IPluginCreatorV3One;

}  // namespace nvinfer1

extern "C" {
TENSORRTAPI void* createInferRuntime_INTERNAL(void* logger, int32_t version) noexcept;
TENSORRTAPI void* createInferRefitter_INTERNAL(void* engine, void* logger,
                                               int32_t version) noexcept;
// The plugin creators of the process.
TENSORRTAPI nvinfer1::IPluginRegistry* getPluginRegistry() noexcept;
// The logger given last, nullptr before.
TENSORRTAPI nvinfer1::ILogger* getLogger() noexcept;
TENSORRTAPI int32_t getInferLibMajorVersion() noexcept;
TENSORRTAPI int32_t getInferLibMinorVersion() noexcept;
TENSORRTAPI int32_t getInferLibPatchVersion() noexcept;
TENSORRTAPI int32_t getInferLibBuildVersion() noexcept;
}

namespace nvinfer1 {
namespace {
// A runtime that logs to `logger`, deleted by the caller; nullptr on failure.
inline IRuntime* createInferRuntime(ILogger& logger) noexcept {
  return static_cast<IRuntime*>(createInferRuntime_INTERNAL(&logger, NV_TENSORRT_VERSION));
}
// A refitter of `engine`, deleted by the caller.
inline IRefitter* createInferRefitter(ICudaEngine& engine, ILogger& logger) noexcept {
  return static_cast<IRefitter*>(
      createInferRefitter_INTERNAL(&engine, &logger, NV_TENSORRT_VERSION));
}
}  // namespace

// Registers a plugin creator when the program starts.
template <typename T>
class PluginRegistrar {
 public:
  PluginRegistrar() { getPluginRegistry()->registerCreator(instance, ""); }

 private:
  T instance{};
};

}  // namespace nvinfer1

#define REGISTER_TENSORRT_PLUGIN(name) \
  static nvinfer1::PluginRegistrar<name> pluginRegistrar##name {}
