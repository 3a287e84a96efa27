// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "api/report.h"
#include "tenrec/engine.h"

namespace tenrec::trt {

// One input or output, in the order of the interface: inputs, then outputs.
struct IoTensor {
  std::string name;
  bool is_input = false;
  size_t index = 0;  // among the inputs, or among the outputs
  DType dtype = DType::undefined;
  nv::DataType type = nv::DataType::kFLOAT;
  std::vector<int64_t> dims;
  bool ranked = true;  // false: not even the number of dims is known before the run
  bool is_shape_input = false;
};

// What an engine, its contexts and its inspectors share; it lives as long as any of them.
struct EngineState {
  EngineState(const Report& report, Engine engine);
  // -1: there is no such tensor.
  int find(const char* name) const noexcept;
  const IoTensor& at(const char* name) const;  // a usage Error names those there are
  size_t profile(int32_t index) const;         // a usage Error for one that is not there
  const std::vector<StepInfo>& steps(size_t profile) const { return steps_[profile]; }

  Engine engine;
  Report report;
  std::vector<IoTensor> tensors;
  size_t inputs = 0;
  // Values of shape inputs by profile, input and selector, in both widths of the interface.
  struct Values {
    std::vector<int64_t> wide[3];
    std::vector<int32_t> narrow[3];
  };
  std::vector<std::vector<Values>> profile_values;
  std::vector<std::vector<StepInfo>> steps_;
};

// The name a step has for profilers and inspectors.
std::string layer_name(const std::vector<std::string>& origins, std::string_view op,
                       size_t profile);

class EngineObject final : public nv::ICudaEngine, public nv::apiv::VCudaEngine {
 public:
  EngineObject(const Report& report, Engine engine)
      : state_(std::make_shared<EngineState>(report, std::move(engine))) {
    mImpl = this;
  }
  const std::shared_ptr<EngineState>& state() const { return state_; }

  nv::ICudaEngine* getPImpl() noexcept override { return this; }
  int32_t getNbLayers() const noexcept override;
  nv::IHostMemory* serialize() const noexcept override;
  nv::IExecutionContext* createExecutionContext(
      nv::ExecutionContextAllocationStrategy strategy) noexcept override;
  nv::IExecutionContext* createExecutionContextWithoutDeviceMemory() noexcept override;
  size_t getDeviceMemorySize() const noexcept override;
  bool isRefittable() const noexcept override { return false; }
  const char* getName() const noexcept override { return state_->engine.name().c_str(); }
  int32_t getNbOptimizationProfiles() const noexcept override {
    return static_cast<int32_t>(state_->engine.profiles().size());
  }
  const int32_t* getProfileTensorValues(const char* tensorName, int32_t profileIndex,
                                        nv::OptProfileSelector select) const noexcept override;
  nv::EngineCapability getEngineCapability() const noexcept override {
    return nv::EngineCapability::kSTANDARD;
  }
  void setErrorRecorder(nv::IErrorRecorder* recorder) noexcept override {
    state_->report.set_recorder(recorder);
  }
  nv::IErrorRecorder* getErrorRecorder() const noexcept override {
    return state_->report.recorder();
  }
  bool hasImplicitBatchDimension() const noexcept override { return false; }
  nv::TacticSources getTacticSources() const noexcept override { return 0; }
  nv::ProfilingVerbosity getProfilingVerbosity() const noexcept override {
    return nv::ProfilingVerbosity::kDETAILED;
  }
  nv::IEngineInspector* createEngineInspector() const noexcept override;
  nv::Dims getTensorShape(const char* tensorName) const noexcept override;
  nv::DataType getTensorDataType(const char* tensorName) const noexcept override;
  nv::TensorLocation getTensorLocation(const char* tensorName) const noexcept override;
  bool isShapeInferenceIO(const char* tensorName) const noexcept override;
  nv::TensorIOMode getTensorIOMode(const char* tensorName) const noexcept override;
  int32_t getTensorBytesPerComponent(const char* tensorName) const noexcept override;
  int32_t getTensorComponentsPerElement(const char* tensorName) const noexcept override;
  nv::TensorFormat getTensorFormat(const char* tensorName) const noexcept override;
  const char* getTensorFormatDesc(const char* tensorName) const noexcept override;
  int32_t getTensorVectorizedDim(const char* tensorName) const noexcept override;
  nv::Dims getProfileShape(const char* tensorName, int32_t profileIndex,
                           nv::OptProfileSelector select) const noexcept override;
  int32_t getNbIOTensors() const noexcept override {
    return static_cast<int32_t>(state_->tensors.size());
  }
  const char* getIOTensorName(int32_t index) const noexcept override;
  nv::HardwareCompatibilityLevel getHardwareCompatibilityLevel() const noexcept override {
    return nv::HardwareCompatibilityLevel::kNONE;
  }
  int32_t getNbAuxStreams() const noexcept override { return 0; }
  int32_t getTensorBytesPerComponentV2(const char* tensorName,
                                       int32_t profileIndex) const noexcept override;
  int32_t getTensorComponentsPerElementV2(const char* tensorName,
                                          int32_t profileIndex) const noexcept override;
  nv::TensorFormat getTensorFormatV2(const char* tensorName,
                                     int32_t profileIndex) const noexcept override;
  const char* getTensorFormatDescV2(const char* tensorName,
                                    int32_t profileIndex) const noexcept override;
  int32_t getTensorVectorizedDimV2(const char* tensorName,
                                   int32_t profileIndex) const noexcept override;
  nv::ISerializationConfig* createSerializationConfig() noexcept override;
  nv::IHostMemory* serializeWithConfig(nv::ISerializationConfig& config) const noexcept override;
  size_t getDeviceMemorySizeForProfile(int32_t profileIndex) const noexcept override;
  nv::IRefitter* createRefitter(nv::ILogger& logger) noexcept override;
  bool setWeightStreamingBudget(int64_t gpuMemoryBudget) noexcept override;
  int64_t getWeightStreamingBudget() const noexcept override { return 0; }
  int64_t getMinimumWeightStreamingBudget() const noexcept override { return 0; }
  int64_t getStreamableWeightsSize() const noexcept override { return 0; }
  bool isDebugTensor(const char*) const noexcept override { return false; }
  bool setWeightStreamingBudgetV2(int64_t gpuMemoryBudget) noexcept override;
  int64_t getWeightStreamingBudgetV2() const noexcept override { return 0; }
  int64_t getWeightStreamingAutomaticBudget() const noexcept override { return 0; }
  int64_t getWeightStreamingScratchMemorySize() const noexcept override { return 0; }
  int64_t getDeviceMemorySizeV2() const noexcept override;
  int64_t getDeviceMemorySizeForProfileV2(int32_t profileIndex) const noexcept override;
  const int64_t* getProfileTensorValuesV2(const char* tensorName, int32_t profileIndex,
                                          nv::OptProfileSelector select) const noexcept override;
  nv::IExecutionContext* createExecutionContextWithRuntimeConfig(
      nv::IRuntimeConfig* runtimeConfig) noexcept override;
  nv::IRuntimeConfig* createRuntimeConfig() noexcept override;
  int64_t getEngineStat(nv::EngineStat stat) const noexcept override;
  const char* getAliasedInputTensor(const char*) const noexcept override { return nullptr; }

 private:
  const Report& report() const { return state_->report; }
  std::shared_ptr<EngineState> state_;
};

class RuntimeConfig final : public nv::IRuntimeConfig, public nv::apiv::VRuntimeConfig {
 public:
  RuntimeConfig() { mImpl = this; }
  nv::IRuntimeConfig* getPImpl() noexcept override { return this; }
  void setExecutionContextAllocationStrategy(
      nv::ExecutionContextAllocationStrategy strategy) noexcept override {
    strategy_ = strategy;
  }
  nv::ExecutionContextAllocationStrategy getExecutionContextAllocationStrategy()
      const noexcept override {
    return strategy_;
  }

 private:
  nv::ExecutionContextAllocationStrategy strategy_ =
      nv::ExecutionContextAllocationStrategy::kSTATIC;
};

class SerializationConfig final : public nv::ISerializationConfig,
                                  public nv::apiv::VSerializationConfig {
 public:
  SerializationConfig() { mImpl = this; }
  bool setFlags(nv::SerializationFlags serializationFlags) noexcept override {
    flags_ = serializationFlags;
    return true;
  }
  nv::SerializationFlags getFlags() const noexcept override { return flags_; }
  bool clearFlag(nv::SerializationFlag serializationFlag) noexcept override {
    flags_ &= ~bit(serializationFlag);
    return true;
  }
  bool setFlag(nv::SerializationFlag serializationFlag) noexcept override {
    flags_ |= bit(serializationFlag);
    return true;
  }
  bool getFlag(nv::SerializationFlag serializationFlag) const noexcept override {
    return (flags_ & bit(serializationFlag)) != 0;
  }

 private:
  static uint32_t bit(nv::SerializationFlag flag) { return 1U << static_cast<uint32_t>(flag); }
  nv::SerializationFlags flags_ = 0;
};

}  // namespace tenrec::trt
