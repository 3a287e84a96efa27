// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/engine.h"

namespace tenrec::trt {

class ExecutionContext final : public nv::IExecutionContext, public nv::apiv::VExecutionContext {
 public:
  // `config` may be null; it is only kept.
  ExecutionContext(EngineObject& engine, nv::IRuntimeConfig* config);

  nv::IExecutionContext* getPImpl() noexcept override { return this; }
  void setDebugSync(bool sync) noexcept override { debug_sync_ = sync; }
  bool getDebugSync() const noexcept override { return debug_sync_; }
  void setProfiler(nv::IProfiler*) noexcept override;
  nv::IProfiler* getProfiler() const noexcept override { return profiler_; }
  const nv::ICudaEngine& getEngine() const noexcept override { return engine_; }
  void setName(const char* name) noexcept override;
  const char* getName() const noexcept override { return name_.c_str(); }
  void setDeviceMemory(void*) noexcept override {}
  int32_t getOptimizationProfile() const noexcept override {
    return static_cast<int32_t>(profile_);
  }
  bool allInputDimensionsSpecified() const noexcept override;
  bool allInputShapesSpecified() const noexcept override { return allInputDimensionsSpecified(); }
  void setErrorRecorder(nv::IErrorRecorder* recorder) noexcept override {
    report_.set_recorder(recorder);
  }
  nv::IErrorRecorder* getErrorRecorder() const noexcept override { return report_.recorder(); }
  bool executeV2(void* const* bindings) noexcept override;
  bool setOptimizationProfileAsync(int32_t profileIndex, cudaStream_t stream) noexcept override;
  void setEnqueueEmitsProfile(bool enqueueEmitsProfile) noexcept override {
    emits_profile_ = enqueueEmitsProfile;
  }
  bool getEnqueueEmitsProfile() const noexcept override { return emits_profile_; }
  bool reportToProfiler() const noexcept override;
  bool setInputShape(const char* tensorName, const nv::Dims& dims) noexcept override;
  nv::Dims getTensorShape(const char* tensorName) const noexcept override;
  nv::Dims getTensorStrides(const char* tensorName) const noexcept override;
  bool setTensorAddress(const char* tensorName, void* data) noexcept override;
  const void* getTensorAddress(const char* tensorName) const noexcept override;
  bool setInputTensorAddress(const char* tensorName, const void* data) noexcept override;
  bool setOutputTensorAddress(const char* tensorName, void* data) noexcept override;
  int32_t inferShapes(int32_t nbMaxNames, const char** tensorNames) noexcept override;
  bool setInputConsumedEvent(cudaEvent_t event) noexcept override;
  cudaEvent_t getInputConsumedEvent() const noexcept override { return consumed_; }
  void* getOutputTensorAddress(const char* tensorName) const noexcept override;
  bool setOutputAllocator(const char* tensorName,
                          nv::IOutputAllocator* outputAllocator) noexcept override;
  nv::IOutputAllocator* getOutputAllocator(const char* name) noexcept override;
  int64_t getMaxOutputSize(const char* tensorName) const noexcept override;
  bool setTemporaryStorageAllocator(nv::IGpuAllocator* allocator) noexcept override;
  nv::IGpuAllocator* getTemporaryStorageAllocator() const noexcept override {
    return temporary_allocator_;
  }
  bool enqueueV3(cudaStream_t stream) noexcept override;
  void setPersistentCacheLimit(size_t size) noexcept override { persistent_cache_ = size; }
  size_t getPersistentCacheLimit() const noexcept override { return persistent_cache_; }
  bool setNvtxVerbosity(nv::ProfilingVerbosity verbosity) noexcept override;
  nv::ProfilingVerbosity getNvtxVerbosity() const noexcept override { return nvtx_; }
  void setAuxStreams(cudaStream_t*, int32_t) noexcept override {}
  bool setDebugListener(nv::IDebugListener* listener) noexcept override;
  nv::IDebugListener* getDebugListener() noexcept override { return debug_listener_; }
  bool setTensorDebugState(const char* name, bool flag) noexcept override;
  bool getDebugState(const char*) const noexcept override { return false; }
  bool setAllTensorsDebugState(bool flag) noexcept override;
  size_t updateDeviceMemorySizeForShapes() noexcept override;
  void setDeviceMemoryV2(void*, int64_t) noexcept override {}
  nv::IRuntimeConfig* getRuntimeConfig() const noexcept override { return config_; }
  bool setUnfusedTensorsDebugState(bool flag) noexcept override;
  bool getUnfusedTensorsDebugState() const noexcept override { return false; }
  bool setCommunicator(void* communicator) noexcept override;

 private:
  // What the application said of one input or output.
  struct Binding {
    void* address = nullptr;
    nv::IOutputAllocator* allocator = nullptr;
    std::vector<int64_t> dims;  // inputs: as set, or of the model where none can vary
    bool is_shaped = false;     // `dims` has no -1
  };
  struct LayerTime {
    std::string name;
    float milliseconds = 0;
  };

  Binding& binding(const IoTensor& tensor);
  const Binding& binding(const IoTensor& tensor) const;
  void select_profile(size_t profile);
  void check_shape(const IoTensor& tensor, const std::vector<int64_t>& dims) const;
  bool set_address(const char* call, const char* name, void* data, bool may_be_input,
                   bool may_be_output) noexcept;
  void hand_over_inputs(bool for_run);
  void hand_over_outputs(cudaStream_t stream);
  MemoryRef memory_for(const IoTensor& tensor, std::span<const int64_t> dims, uint64_t bytes,
                       cudaStream_t stream);
  std::vector<OutputSize> sizes() const;
  void run(cudaStream_t stream);
  void emit_profile() const;

  Report report_;
  EngineObject& engine_;
  std::shared_ptr<EngineState> state_;
  nv::IRuntimeConfig* config_ = nullptr;
  size_t profile_ = 0;
  mutable std::optional<Context> context_;
  std::vector<Binding> bindings_;
  std::string name_;
  nv::IProfiler* profiler_ = nullptr;
  mutable std::vector<LayerTime> times_;
  bool emits_profile_ = true, debug_sync_ = false;
  bool on_device_ = false;  // the engine's memory is not the host's
  nv::ProfilingVerbosity nvtx_ = nv::ProfilingVerbosity::kLAYER_NAMES_ONLY;
  nv::IGpuAllocator* temporary_allocator_ = nullptr;
  nv::IDebugListener* debug_listener_ = nullptr;
  cudaEvent_t consumed_ = nullptr;
  size_t persistent_cache_ = 0;
};

}  // namespace tenrec::trt
