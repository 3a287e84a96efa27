// SPDX-License-Identifier: Apache-2.0
// Plugins of the old style.
#pragma once
#include "NvInferPluginBase.h"

namespace nvinfer1 {

// Memory layouts.
enum class TensorFormat : int32_t {
  kLINEAR = 0,
  kCHW2 = 1,
  kHWC8 = 2,
  kCHW4 = 3,
  kCHW16 = 4,
  kCHW32 = 5,
  kDHWC8 = 6,
  kCDHW32 = 7,
  kHWC = 8,
  kDLA_LINEAR = 9,
  kDLA_HWC4 = 10,
  kHWC16 = 11,
  kDHWC = 12,
};
namespace impl {
template <>
struct EnumMaxImpl<TensorFormat> {
  static constexpr int32_t kVALUE = 13;
};
}  // namespace impl

using PluginFormat = TensorFormat;

// Kinds of old plugins.
enum class PluginVersion : uint8_t {
  kV2 = 0,
  kV2_EXT = 1,
  kV2_IOEXT = 2,
  kV2_DYNAMICEXT = 3,
  kV2_DYNAMICEXT_PYTHON = 67,
};
namespace impl {
template <>
struct EnumMaxImpl<PluginVersion> {
  static constexpr int32_t kVALUE = 5;
};
}  // namespace impl

// Kinds of old creators.
enum class PluginCreatorVersion : int32_t {
  kV1 = 0,
  kV1_PYTHON = 64,
};
namespace impl {
template <>
struct EnumMaxImpl<PluginCreatorVersion> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// What a plugin is told of one tensor.
struct PluginTensorDesc {
  Dims dims;
  DataType type;
  TensorFormat format;
  float scale;
};

// Plugins of the old style, implicit batch.
class IPluginV2 {
 public:
  virtual int32_t getTensorRTVersion() const noexcept { return NV_TENSORRT_VERSION; }
  virtual const AsciiChar* getPluginType() const noexcept = 0;
  virtual const AsciiChar* getPluginVersion() const noexcept = 0;
  virtual int32_t getNbOutputs() const noexcept = 0;
  virtual Dims getOutputDimensions(int32_t index, const Dims* inputs,
                                   int32_t nbInputDims) noexcept = 0;
  virtual bool supportsFormat(DataType type, PluginFormat format) const noexcept = 0;
  virtual void configureWithFormat(const Dims* inputDims, int32_t nbInputs, const Dims* outputDims,
                                   int32_t nbOutputs, DataType type, PluginFormat format,
                                   int32_t maxBatchSize) noexcept = 0;
  virtual int32_t initialize() noexcept = 0;
  virtual void terminate() noexcept = 0;
  virtual size_t getWorkspaceSize(int32_t maxBatchSize) const noexcept = 0;
  virtual int32_t enqueue(int32_t batchSize, const void* const* inputs, void* const* outputs,
                          void* workspace, cudaStream_t stream) noexcept = 0;
  virtual size_t getSerializationSize() const noexcept = 0;
  virtual void serialize(void* buffer) const noexcept = 0;
  virtual void destroy() noexcept = 0;
  virtual IPluginV2* clone() const noexcept = 0;
  virtual void setPluginNamespace(const AsciiChar* pluginNamespace) noexcept = 0;
  virtual const AsciiChar* getPluginNamespace() const noexcept = 0;
  virtual ~IPluginV2() noexcept = default;

 protected:
  IPluginV2() = default;
  IPluginV2(const IPluginV2&) = default;
  IPluginV2(IPluginV2&&) = default;
  IPluginV2& operator=(const IPluginV2&) & = default;
  IPluginV2& operator=(IPluginV2&&) & = default;
};

// IPluginV2 with output types and broadcasting.
class IPluginV2Ext : public IPluginV2 {
 public:
  ~IPluginV2Ext() noexcept override = default;

 protected:
  int32_t getTensorRTVersion() const noexcept override {
    return int32_t(uint32_t(PluginVersion::kV2_EXT) << 24 |
                   uint32_t(NV_TENSORRT_VERSION & 0xFFFFFF));
  }
  void configureWithFormat(const Dims*, int32_t, const Dims*, int32_t, DataType, PluginFormat,
                           int32_t) noexcept override {}

 public:
  IPluginV2Ext* clone() const noexcept override = 0;
  virtual DataType getOutputDataType(int32_t index, const DataType* inputTypes,
                                     int32_t nbInputs) const noexcept = 0;
  virtual bool isOutputBroadcastAcrossBatch(int32_t outputIndex, const bool* inputIsBroadcasted,
                                            int32_t nbInputs) const noexcept = 0;
  virtual bool canBroadcastInputAcrossBatch(int32_t inputIndex) const noexcept = 0;
  virtual void configurePlugin(const Dims* inputDims, int32_t nbInputs, const Dims* outputDims,
                               int32_t nbOutputs, const DataType* inputTypes,
                               const DataType* outputTypes, const bool* inputIsBroadcast,
                               const bool* outputIsBroadcast, PluginFormat floatFormat,
                               int32_t maxBatchSize) noexcept = 0;
  virtual void attachToContext(cudnnContext*, cublasContext*, IGpuAllocator*) noexcept {}
  virtual void detachFromContext() noexcept {}

 protected:
  IPluginV2Ext() = default;
  IPluginV2Ext(const IPluginV2Ext&) = default;
  IPluginV2Ext(IPluginV2Ext&&) = default;
  IPluginV2Ext& operator=(const IPluginV2Ext&) & = default;
  IPluginV2Ext& operator=(IPluginV2Ext&&) & = default;
};

// IPluginV2Ext with a format a tensor.
class IPluginV2IOExt : public IPluginV2Ext {
 public:
  ~IPluginV2IOExt() noexcept override = default;

 protected:
  int32_t getTensorRTVersion() const noexcept override {
    return int32_t(uint32_t(PluginVersion::kV2_IOEXT) << 24 |
                   uint32_t(NV_TENSORRT_VERSION & 0xFFFFFF));
  }

 private:
  bool supportsFormat(DataType, PluginFormat) const noexcept override { return false; }
  void configurePlugin(const Dims*, int32_t, const Dims*, int32_t, const DataType*, const DataType*,
                       const bool*, const bool*, PluginFormat, int32_t) noexcept override {}

 public:
  virtual void configurePlugin(const PluginTensorDesc* in, int32_t nbInput,
                               const PluginTensorDesc* out, int32_t nbOutput) noexcept = 0;
  virtual bool supportsFormatCombination(int32_t pos, const PluginTensorDesc* inOut,
                                         int32_t nbInputs, int32_t nbOutputs) const noexcept = 0;

 protected:
  IPluginV2IOExt() = default;
  IPluginV2IOExt(const IPluginV2IOExt&) = default;
  IPluginV2IOExt(IPluginV2IOExt&&) = default;
  IPluginV2IOExt& operator=(const IPluginV2IOExt&) & = default;
  IPluginV2IOExt& operator=(IPluginV2IOExt&&) & = default;
};

namespace v_1_0 {
// Makes plugins of the old style.
class IPluginCreator : public IPluginCreatorInterface {
 public:
  ~IPluginCreator() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN CREATOR_V1", 1, 0}; }
  virtual const AsciiChar* getPluginName() const noexcept = 0;
  virtual const AsciiChar* getPluginVersion() const noexcept = 0;
  virtual const PluginFieldCollection* getFieldNames() noexcept = 0;
  virtual IPluginV2* createPlugin(const AsciiChar* name,
                                  const PluginFieldCollection* fc) noexcept = 0;
  virtual IPluginV2* deserializePlugin(const AsciiChar* name, const void* serialData,
                                       size_t serialLength) noexcept = 0;
  virtual void setPluginNamespace(const AsciiChar* pluginNamespace) noexcept = 0;
  virtual const AsciiChar* getPluginNamespace() const noexcept = 0;

 protected:
  IPluginCreator() = default;
  IPluginCreator(const IPluginCreator&) = default;
  IPluginCreator(IPluginCreator&&) = default;
  IPluginCreator& operator=(const IPluginCreator&) & = default;
  IPluginCreator& operator=(IPluginCreator&&) & = default;
};
}  // namespace v_1_0
using IPluginCreator = v_1_0::IPluginCreator;

}  // namespace nvinfer1
