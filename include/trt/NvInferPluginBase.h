// SPDX-License-Identifier: Apache-2.0
// Parts shared by all plugins.
#pragma once
#include "NvInferRuntimeBase.h"

namespace nvinfer1 {

// Types of plugin parameters.
enum class PluginFieldType : int32_t {
  kFLOAT16 = 0,
  kFLOAT32 = 1,
  kFLOAT64 = 2,
  kINT8 = 3,
  kINT16 = 4,
  kINT32 = 5,
  kCHAR = 6,
  kDIMS = 7,
  kUNKNOWN = 8,
  kBF16 = 9,
  kINT64 = 10,
  kFP8 = 11,
  kINT4 = 12,
  kFP4 = 13,
};
namespace impl {
template <>
struct EnumMaxImpl<PluginFieldType> {
  static constexpr int32_t kVALUE = 14;
};
}  // namespace impl

// When a plugin is made.
enum class TensorRTPhase : int32_t {
  kBUILD = 0,
  kRUNTIME = 1,
};
namespace impl {
template <>
struct EnumMaxImpl<TensorRTPhase> {
  static constexpr int32_t kVALUE = 2;
};
}  // namespace impl

// What a capability is for.
enum class PluginCapabilityType : int32_t {
  kCORE = 0,
  kBUILD = 1,
  kRUNTIME = 2,
};
namespace impl {
template <>
struct EnumMaxImpl<PluginCapabilityType> {
  static constexpr int32_t kVALUE = 3;
};
}  // namespace impl

// One named parameter of a plugin; `length` counts elements of `data`.
class PluginField {
 public:
  PluginField(const AsciiChar* fieldName = nullptr, const void* fieldData = nullptr,
              PluginFieldType fieldType = PluginFieldType::kUNKNOWN, int32_t fieldLength = 0)
      : name(fieldName), data(fieldData), type(fieldType), length(fieldLength) {}
  const AsciiChar* name = nullptr;
  const void* data = nullptr;
  PluginFieldType type = PluginFieldType::kUNKNOWN;
  int32_t length = 0;
};

// The parameters of a plugin.
struct PluginFieldCollection {
  int32_t nbFields;
  const PluginField* fields;
};

namespace v_1_0 {
// Base of what a plugin can do in one phase.
class IPluginCapability : public IVersionedInterface {
 public:
  ~IPluginCapability() noexcept override = default;

 protected:
  IPluginCapability() = default;
  IPluginCapability(const IPluginCapability&) = default;
  IPluginCapability(IPluginCapability&&) = default;
  IPluginCapability& operator=(const IPluginCapability&) & = default;
  IPluginCapability& operator=(IPluginCapability&&) & = default;
};
}  // namespace v_1_0
using IPluginCapability = v_1_0::IPluginCapability;

namespace v_1_0 {
// A resource shared by plugins through the registry.
class IPluginResource : public IVersionedInterface {
 public:
  ~IPluginResource() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IPluginResource", 1, 0}; }
  virtual int32_t release() noexcept = 0;
  virtual IPluginResource* clone() noexcept = 0;

 protected:
  IPluginResource() = default;
  IPluginResource(const IPluginResource&) = default;
  IPluginResource(IPluginResource&&) = default;
  IPluginResource& operator=(const IPluginResource&) & = default;
  IPluginResource& operator=(IPluginResource&&) & = default;
};
}  // namespace v_1_0
using IPluginResource = v_1_0::IPluginResource;

namespace v_1_0 {
// Base of the plugin creators.
class IPluginCreatorInterface : public IVersionedInterface {
 public:
  ~IPluginCreatorInterface() noexcept override = default;

 protected:
  IPluginCreatorInterface() = default;
  IPluginCreatorInterface(const IPluginCreatorInterface&) = default;
  IPluginCreatorInterface(IPluginCreatorInterface&&) = default;
  IPluginCreatorInterface& operator=(const IPluginCreatorInterface&) & = default;
  IPluginCreatorInterface& operator=(IPluginCreatorInterface&&) & = default;
};
}  // namespace v_1_0
using IPluginCreatorInterface = v_1_0::IPluginCreatorInterface;

namespace v_1_0 {
// A plugin made of capabilities (core, build, runtime).
class IPluginV3 : public IVersionedInterface {
 public:
  ~IPluginV3() noexcept override = default;

 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"PLUGIN", 1, 0}; }
  virtual IPluginCapability* getCapabilityInterface(PluginCapabilityType type) noexcept = 0;
  virtual IPluginV3* clone() noexcept = 0;

 protected:
  IPluginV3() = default;
  IPluginV3(const IPluginV3&) = default;
  IPluginV3(IPluginV3&&) = default;
  IPluginV3& operator=(const IPluginV3&) & = default;
  IPluginV3& operator=(IPluginV3&&) & = default;
};
}  // namespace v_1_0
using IPluginV3 = v_1_0::IPluginV3;

}  // namespace nvinfer1
