// SPDX-License-Identifier: Apache-2.0
#include "api/engine.h"

#include "api/context.h"
#include "api/convert.h"
#include "api/inspector.h"
#include "api/objects.h"
#include "base/dtype.h"

namespace tenrec::trt {
namespace {

IoTensor describe(const TensorInfo& info, bool is_input, size_t index) {
  const std::optional<nv::DataType> type = to_trt(info.dtype);
  TENREC_CHECK(type.has_value() && !info.is_host, unsupported,
               "{} \"{}\" is {}, a type that TensorRT's interface does not have; run this engine "
               "with Tenrec's own interface",
               is_input ? "input" : "output", info.name, dtype_name(info.dtype));
  return {info.name, is_input,  index,       info.dtype,
          *type,     info.dims, info.ranked, info.is_shape_input};
}

}  // namespace

EngineState::EngineState(const Report& source, Engine loaded)
    : engine(std::move(loaded)), report(source) {
  for (const TensorInfo& info : engine.inputs())
    tensors.push_back(describe(info, true, tensors.size()));
  inputs = tensors.size();
  for (const TensorInfo& info : engine.outputs())
    tensors.push_back(describe(info, false, tensors.size() - inputs));
  for (size_t p = 0; p < engine.profiles().size(); ++p) {
    steps_.push_back(engine.steps(static_cast<int>(p)));
    std::vector<Values>& all = profile_values.emplace_back();
    for (const InputRange& range : engine.profiles()[p]) {
      Values& values = all.emplace_back();
      const std::vector<double>* sources[] = {&range.value_min, &range.value_opt, &range.value_max};
      for (size_t s = 0; s < 3; ++s) {
        for (const double value : *sources[s]) {
          values.wide[s].push_back(static_cast<int64_t>(value));
          values.narrow[s].push_back(static_cast<int32_t>(value));
        }
      }
    }
  }
}

int EngineState::find(const char* name) const noexcept {
  if (name == nullptr) return -1;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == name) return static_cast<int>(i);
  return -1;
}

const IoTensor& EngineState::at(const char* name) const {
  const std::string_view wanted = checked_name(name);
  const int index = find(name);
  if (index >= 0) return tensors[static_cast<size_t>(index)];
  std::string names;
  for (const IoTensor& tensor : tensors)
    names += (names.empty() ? "\"" : ", \"") + tensor.name + "\"";
  fail(ErrorCode::usage, "there is no input or output \"{}\"; the engine has {}", wanted, names);
}

size_t EngineState::profile(int32_t index) const {
  TENREC_CHECK(index >= 0 && static_cast<size_t>(index) < engine.profiles().size(), usage,
               "there is no optimization profile {}; the engine has {}", index,
               engine.profiles().size());
  return static_cast<size_t>(index);
}

std::string layer_name(const std::vector<std::string>& origins, std::string_view op,
                       size_t profile) {
  std::string name;
  for (const std::string& origin : origins) name += (name.empty() ? "" : " + ") + origin;
  if (name.empty()) name = std::string(op);
  else if (op == "reformat") name = "Reformat before or after " + name;
  if (profile > 0) name += fmt::format(" [profile {}]", profile);
  return name;
}

// ------------------------------------------------------------------------------------ tensors

#define TENREC_CALL(name) constexpr auto call = "ICudaEngine::" name

const char* EngineObject::getIOTensorName(int32_t index) const noexcept {
  TENREC_CALL("getIOTensorName");
  return report().guard<const char*>(call, nullptr, [&] {
    TENREC_CHECK(index >= 0 && index < getNbIOTensors(), usage, "index {} of {} inputs and outputs",
                 index, state_->tensors.size());
    return state_->tensors[static_cast<size_t>(index)].name.c_str();
  });
}

nv::Dims EngineObject::getTensorShape(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorShape");
  return report().guard(call, unknown_dims(), [&] {
    const IoTensor& tensor = state_->at(tensorName);
    return tensor.ranked ? to_trt(tensor.dims) : unknown_dims();
  });
}

nv::DataType EngineObject::getTensorDataType(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorDataType");
  return report().guard(call, nv::DataType::kFLOAT, [&] { return state_->at(tensorName).type; });
}

nv::TensorLocation EngineObject::getTensorLocation(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorLocation");
  return report().guard(call, nv::TensorLocation::kDEVICE, [&] {
    return state_->at(tensorName).is_shape_input ? nv::TensorLocation::kHOST
                                                 : nv::TensorLocation::kDEVICE;
  });
}

bool EngineObject::isShapeInferenceIO(const char* tensorName) const noexcept {
  TENREC_CALL("isShapeInferenceIO");
  return report().guard(call, false, [&] { return state_->at(tensorName).is_shape_input; });
}

// Asking for any name is allowed: that is how clients find out.
nv::TensorIOMode EngineObject::getTensorIOMode(const char* tensorName) const noexcept {
  const int index = state_->find(tensorName);
  if (index < 0) return nv::TensorIOMode::kNONE;
  return state_->tensors[static_cast<size_t>(index)].is_input ? nv::TensorIOMode::kINPUT
                                                              : nv::TensorIOMode::kOUTPUT;
}

int32_t EngineObject::getTensorBytesPerComponent(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorBytesPerComponent");
  return report().guard(
      call, -1, [&] { return static_cast<int32_t>(byte_size(state_->at(tensorName).dtype, 1)); });
}

int32_t EngineObject::getTensorComponentsPerElement(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorComponentsPerElement");
  return report().guard(call, -1, [&] {
    state_->at(tensorName);
    return 1;
  });
}

nv::TensorFormat EngineObject::getTensorFormat(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorFormat");
  return report().guard(call, nv::TensorFormat::kLINEAR, [&] {
    state_->at(tensorName);
    return nv::TensorFormat::kLINEAR;
  });
}

const char* EngineObject::getTensorFormatDesc(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorFormatDesc");
  return report().guard<const char*>(call, nullptr, [&] {
    switch (state_->at(tensorName).type) {
      case nv::DataType::kFLOAT: return "Row major linear FP32 format (kLINEAR)";
      case nv::DataType::kHALF: return "Row major linear FP16 format (kLINEAR)";
      case nv::DataType::kINT8: return "Row major linear INT8 format (kLINEAR)";
      case nv::DataType::kINT32: return "Row major linear INT32 format (kLINEAR)";
      case nv::DataType::kINT64: return "Row major linear INT64 format (kLINEAR)";
      case nv::DataType::kBOOL: return "Row major linear BOOL format (kLINEAR)";
      case nv::DataType::kUINT8: return "Row major linear UINT8 format (kLINEAR)";
      case nv::DataType::kBF16: return "Row major linear BF16 format (kLINEAR)";
      default: return "Row major linear format (kLINEAR)";
    }
  });
}

int32_t EngineObject::getTensorVectorizedDim(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorVectorizedDim");
  return report().guard(call, -1, [&] {
    state_->at(tensorName);
    return -1;
  });
}

// Formats are the same in every profile.
int32_t EngineObject::getTensorBytesPerComponentV2(const char* tensorName, int32_t) const noexcept {
  return getTensorBytesPerComponent(tensorName);
}
int32_t EngineObject::getTensorComponentsPerElementV2(const char* tensorName,
                                                      int32_t) const noexcept {
  return getTensorComponentsPerElement(tensorName);
}
nv::TensorFormat EngineObject::getTensorFormatV2(const char* tensorName, int32_t) const noexcept {
  return getTensorFormat(tensorName);
}
const char* EngineObject::getTensorFormatDescV2(const char* tensorName, int32_t) const noexcept {
  return getTensorFormatDesc(tensorName);
}
int32_t EngineObject::getTensorVectorizedDimV2(const char* tensorName, int32_t) const noexcept {
  return getTensorVectorizedDim(tensorName);
}

// ----------------------------------------------------------------------------------- profiles

nv::Dims EngineObject::getProfileShape(const char* tensorName, int32_t profileIndex,
                                       nv::OptProfileSelector select) const noexcept {
  TENREC_CALL("getProfileShape");
  return report().guard(call, unknown_dims(), [&] {
    const IoTensor& tensor = state_->at(tensorName);
    TENREC_CHECK(tensor.is_input, usage, "\"{}\" is an output; profiles hold inputs", tensor.name);
    const InputRange& range =
        state_->engine.profiles()[state_->profile(profileIndex)][tensor.index];
    switch (select) {
      case nv::OptProfileSelector::kMIN: return to_trt(range.min);
      case nv::OptProfileSelector::kOPT: return to_trt(range.opt);
      case nv::OptProfileSelector::kMAX: return to_trt(range.max);
    }
    fail(ErrorCode::usage, "there is no OptProfileSelector {}", static_cast<int>(select));
  });
}

namespace {
const EngineState::Values* values_of(const EngineState& state, const char* name, int32_t profile,
                                     nv::OptProfileSelector select) {
  const IoTensor& tensor = state.at(name);
  TENREC_CHECK(static_cast<uint32_t>(select) < 3, usage, "there is no OptProfileSelector {}",
               static_cast<int>(select));
  if (!tensor.is_input || !tensor.is_shape_input) return nullptr;
  return &state.profile_values[state.profile(profile)][tensor.index];
}
}  // namespace

const int32_t* EngineObject::getProfileTensorValues(const char* tensorName, int32_t profileIndex,
                                                    nv::OptProfileSelector select) const noexcept {
  TENREC_CALL("getProfileTensorValues");
  return report().guard<const int32_t*>(call, nullptr, [&] {
    const auto* values = values_of(*state_, tensorName, profileIndex, select);
    return values == nullptr ? nullptr : values->narrow[static_cast<size_t>(select)].data();
  });
}

const int64_t* EngineObject::getProfileTensorValuesV2(
    const char* tensorName, int32_t profileIndex, nv::OptProfileSelector select) const noexcept {
  TENREC_CALL("getProfileTensorValuesV2");
  return report().guard<const int64_t*>(call, nullptr, [&] {
    const auto* values = values_of(*state_, tensorName, profileIndex, select);
    return values == nullptr ? nullptr : values->wide[static_cast<size_t>(select)].data();
  });
}

// ------------------------------------------------------------------------------------- memory

int64_t EngineObject::getDeviceMemorySizeForProfileV2(int32_t profileIndex) const noexcept {
  TENREC_CALL("getDeviceMemorySizeForProfile");
  return report().guard<int64_t>(call, 0, [&] {
    const size_t profile = state_->profile(profileIndex);
    return static_cast<int64_t>(state_->engine.memory(static_cast<int>(profile)).activations);
  });
}

size_t EngineObject::getDeviceMemorySizeForProfile(int32_t profileIndex) const noexcept {
  return static_cast<size_t>(getDeviceMemorySizeForProfileV2(profileIndex));
}

int64_t EngineObject::getDeviceMemorySizeV2() const noexcept {
  int64_t largest = 0;
  for (int32_t i = 0; i < getNbOptimizationProfiles(); ++i)
    largest = std::max(largest, getDeviceMemorySizeForProfileV2(i));
  return largest;
}

size_t EngineObject::getDeviceMemorySize() const noexcept {
  return static_cast<size_t>(getDeviceMemorySizeV2());
}

int64_t EngineObject::getEngineStat(nv::EngineStat stat) const noexcept {
  if (stat != nv::EngineStat::kTOTAL_WEIGHTS_SIZE) return 0;
  return report().guard<int64_t>("ICudaEngine::getEngineStat", -1, [&] {
    return static_cast<int64_t>(state_->engine.memory().weights);
  });
}

bool EngineObject::setWeightStreamingBudget(int64_t gpuMemoryBudget) noexcept {
  return setWeightStreamingBudgetV2(gpuMemoryBudget);
}

bool EngineObject::setWeightStreamingBudgetV2(int64_t gpuMemoryBudget) noexcept {
  if (gpuMemoryBudget == 0) return true;
  report().error(nv::ErrorCode::kINVALID_STATE, "ICudaEngine::setWeightStreamingBudgetV2",
                 "the engine was not built for weight streaming");
  return false;
}

// ---------------------------------------------------------------------------- serialise, make

int32_t EngineObject::getNbLayers() const noexcept {
  return static_cast<int32_t>(state_->steps(0).size());
}

nv::IHostMemory* EngineObject::serialize() const noexcept {
  TENREC_CALL("serialize");
  return report().guard<nv::IHostMemory*>(call, nullptr, [&] {
    const std::span<const std::byte> bytes = state_->engine.bytes();
    return new HostMemory(state_, bytes.data(), bytes.size());
  });
}

nv::ISerializationConfig* EngineObject::createSerializationConfig() noexcept {
  TENREC_CALL("createSerializationConfig");
  return report().guard<nv::ISerializationConfig*>(call, nullptr,
                                                   [] { return new SerializationConfig; });
}

nv::IHostMemory* EngineObject::serializeWithConfig(
    nv::ISerializationConfig& config) const noexcept {
  TENREC_CALL("serializeWithConfig");
  return report().guard<nv::IHostMemory*>(call, nullptr, [&] {
    TENREC_CHECK(!config.getFlag(nv::SerializationFlag::kEXCLUDE_WEIGHTS), unsupported,
                 "engines without weights are not there in this version");
    return serialize();
  });
}

nv::IExecutionContext* EngineObject::createExecutionContext(
    nv::ExecutionContextAllocationStrategy) noexcept {
  TENREC_CALL("createExecutionContext");
  return report().guard<nv::IExecutionContext*>(
      call, nullptr, [&] { return new ExecutionContext(*this, nullptr); });
}

nv::IExecutionContext* EngineObject::createExecutionContextWithoutDeviceMemory() noexcept {
  return createExecutionContext(nv::ExecutionContextAllocationStrategy::kUSER_MANAGED);
}

nv::IExecutionContext* EngineObject::createExecutionContextWithRuntimeConfig(
    nv::IRuntimeConfig* runtimeConfig) noexcept {
  TENREC_CALL("createExecutionContext");
  return report().guard<nv::IExecutionContext*>(call, nullptr, [&] {
    TENREC_CHECK(runtimeConfig != nullptr, usage, "the IRuntimeConfig is a null pointer");
    return new ExecutionContext(*this, runtimeConfig);
  });
}

nv::IRuntimeConfig* EngineObject::createRuntimeConfig() noexcept {
  TENREC_CALL("createRuntimeConfig");
  return report().guard<nv::IRuntimeConfig*>(call, nullptr, [] { return new RuntimeConfig; });
}

nv::IEngineInspector* EngineObject::createEngineInspector() const noexcept {
  TENREC_CALL("createEngineInspector");
  return report().guard<nv::IEngineInspector*>(call, nullptr,
                                               [&] { return new Inspector(state_); });
}

nv::IRefitter* EngineObject::createRefitter(nv::ILogger&) noexcept {
  report().not_yet("createInferRefitter");
  return nullptr;
}

}  // namespace tenrec::trt
