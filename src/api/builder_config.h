// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <vector>

#include "api/objects.h"

namespace tenrec::trt {

class BuilderConfig final : public nv::IBuilderConfig, public nv::apiv::VBuilderConfig {
 public:
  explicit BuilderConfig(const Report& report) : report_(report) {
    mImpl = this;
    BuilderConfig::reset();
  }

  void setAvgTimingIterations(int32_t avgTiming) noexcept override;
  int32_t getAvgTimingIterations() const noexcept override { return state_.avg_timing; }
  void setEngineCapability(nv::EngineCapability capability) noexcept override;
  nv::EngineCapability getEngineCapability() const noexcept override { return state_.capability; }
  void setInt8Calibrator(nv::IInt8Calibrator* calibrator) noexcept override {
    if (calibrator != nullptr) report_.not_yet("IBuilderConfig::setInt8Calibrator");
    state_.calibrator = calibrator;
  }
  nv::IInt8Calibrator* getInt8Calibrator() const noexcept override { return state_.calibrator; }
  void setFlags(nv::BuilderFlags builderFlags) noexcept override { state_.flags = builderFlags; }
  nv::BuilderFlags getFlags() const noexcept override { return state_.flags; }
  void clearFlag(nv::BuilderFlag builderFlag) noexcept override {
    state_.flags &= ~bit(builderFlag);
  }
  void setFlag(nv::BuilderFlag builderFlag) noexcept override { state_.flags |= bit(builderFlag); }
  bool getFlag(nv::BuilderFlag builderFlag) const noexcept override {
    return (state_.flags & bit(builderFlag)) != 0;
  }
  void setDeviceType(const nv::ILayer* layer, nv::DeviceType deviceType) noexcept override;
  nv::DeviceType getDeviceType(const nv::ILayer*) const noexcept override {
    return state_.default_device;
  }
  bool isDeviceTypeSet(const nv::ILayer*) const noexcept override { return false; }
  void resetDeviceType(const nv::ILayer*) noexcept override {}
  bool canRunOnDLA(const nv::ILayer*) const noexcept override { return false; }
  void setDLACore(int32_t dlaCore) noexcept override;
  int32_t getDLACore() const noexcept override { return state_.dla_core; }
  void setDefaultDeviceType(nv::DeviceType deviceType) noexcept override {
    state_.default_device = deviceType;
  }
  nv::DeviceType getDefaultDeviceType() const noexcept override { return state_.default_device; }
  void reset() noexcept override { state_ = State(); }
  void setProfileStream(const cudaStream_t stream) noexcept override { state_.stream = stream; }
  cudaStream_t getProfileStream() const noexcept override { return state_.stream; }
  int32_t addOptimizationProfile(const nv::IOptimizationProfile* profile) noexcept override;
  int32_t getNbOptimizationProfiles() const noexcept override {
    return static_cast<int32_t>(state_.profiles.size());
  }
  void setProfilingVerbosity(nv::ProfilingVerbosity verbosity) noexcept override {
    state_.verbosity = verbosity;
  }
  nv::ProfilingVerbosity getProfilingVerbosity() const noexcept override {
    return state_.verbosity;
  }
  void setAlgorithmSelector(nv::IAlgorithmSelector* selector) noexcept override {
    if (selector != nullptr) report_.not_yet("IBuilderConfig::setAlgorithmSelector");
    state_.selector = selector;
  }
  nv::IAlgorithmSelector* getAlgorithmSelector() const noexcept override { return state_.selector; }
  bool setCalibrationProfile(const nv::IOptimizationProfile* profile) noexcept override {
    state_.calibration_profile = profile;
    return true;
  }
  const nv::IOptimizationProfile* getCalibrationProfile() noexcept override {
    return state_.calibration_profile;
  }
  void setQuantizationFlags(nv::QuantizationFlags flags) noexcept override {
    state_.quantization_flags = flags;
  }
  nv::QuantizationFlags getQuantizationFlags() const noexcept override {
    return state_.quantization_flags;
  }
  void clearQuantizationFlag(nv::QuantizationFlag flag) noexcept override {
    state_.quantization_flags &= ~bit(flag);
  }
  void setQuantizationFlag(nv::QuantizationFlag flag) noexcept override {
    state_.quantization_flags |= bit(flag);
  }
  bool getQuantizationFlag(nv::QuantizationFlag flag) const noexcept override {
    return (state_.quantization_flags & bit(flag)) != 0;
  }
  bool setTacticSources(nv::TacticSources tacticSources) noexcept override {
    state_.tactic_sources = tacticSources;
    return true;
  }
  nv::TacticSources getTacticSources() const noexcept override { return state_.tactic_sources; }
  nv::ITimingCache* createTimingCache(const void* blob, std::size_t size) const noexcept override;
  bool setTimingCache(const nv::ITimingCache& cache, bool ignoreMismatch) noexcept override;
  const nv::ITimingCache* getTimingCache() const noexcept override { return state_.timing_cache; }
  void setMemoryPoolLimit(nv::MemoryPoolType pool, std::size_t poolSize) noexcept override;
  std::size_t getMemoryPoolLimit(nv::MemoryPoolType pool) const noexcept override;
  void setPreviewFeature(nv::PreviewFeature feature, bool enable) noexcept override;
  bool getPreviewFeature(nv::PreviewFeature feature) const noexcept override {
    return (state_.preview & bit(feature)) != 0;
  }
  void setBuilderOptimizationLevel(int32_t level) noexcept override;
  int32_t getBuilderOptimizationLevel() const noexcept override {
    return state_.optimization_level;
  }
  void setHardwareCompatibilityLevel(
      nv::HardwareCompatibilityLevel hardwareCompatibilityLevel) noexcept override {
    state_.compatibility = hardwareCompatibilityLevel;
  }
  nv::HardwareCompatibilityLevel getHardwareCompatibilityLevel() const noexcept override {
    return state_.compatibility;
  }
  void setPluginsToSerialize(const char* const* paths, int32_t nbPaths) noexcept override;
  const char* getPluginToSerialize(int32_t index) const noexcept override;
  int32_t getNbPluginsToSerialize() const noexcept override {
    return static_cast<int32_t>(state_.plugins.size());
  }
  void setMaxAuxStreams(int32_t nbStreams) noexcept override;
  int32_t getMaxAuxStreams() const noexcept override { return state_.max_aux_streams; }
  void setProgressMonitor(nv::IProgressMonitor* monitor) noexcept override {
    state_.monitor = monitor;
  }
  nv::IProgressMonitor* getProgressMonitor() const noexcept override { return state_.monitor; }
  void setRuntimePlatform(nv::RuntimePlatform runtimePlatform) noexcept override;
  nv::RuntimePlatform getRuntimePlatform() const noexcept override { return state_.platform; }
  void setMaxNbTactics(int32_t maxTactics) noexcept override;
  int32_t getMaxNbTactics() const noexcept override { return state_.max_tactics; }
  bool setTilingOptimizationLevel(nv::TilingOptimizationLevel level) noexcept override {
    state_.tiling = level;
    return true;
  }
  nv::TilingOptimizationLevel getTilingOptimizationLevel() const noexcept override {
    return state_.tiling;
  }
  bool setL2LimitForTiling(int64_t size) noexcept override {
    state_.l2_limit = size;
    return true;
  }
  int64_t getL2LimitForTiling() const noexcept override { return state_.l2_limit; }
  bool setRemoteAutoTuningConfig(const char* config) noexcept override;
  const char* getRemoteAutoTuningConfig() const noexcept override {
    return state_.remote_config.c_str();
  }

  // What the core understands of it. Says through the logger what has no effect here.
  BuildOptions build_options() const;
  TimingCacheObject* timing_cache() const { return state_.timing_cache; }

 private:
  template <class Enum>
  static constexpr uint32_t bit(Enum value) {
    const auto shift = static_cast<uint32_t>(value);
    return shift < 32 ? 1U << shift : 0;
  }
  // What reset() sets back.
  struct State {
    nv::BuilderFlags flags = 1U << static_cast<int>(nv::BuilderFlag::kTF32);
    int32_t avg_timing = 1, optimization_level = 3, max_aux_streams = -1, max_tactics = -1;
    int32_t dla_core = -1;
    int64_t l2_limit = -1;
    nv::EngineCapability capability = nv::EngineCapability::kSTANDARD;
    nv::DeviceType default_device = nv::DeviceType::kGPU;
    nv::ProfilingVerbosity verbosity = nv::ProfilingVerbosity::kLAYER_NAMES_ONLY;
    nv::HardwareCompatibilityLevel compatibility = nv::HardwareCompatibilityLevel::kNONE;
    nv::RuntimePlatform platform = nv::RuntimePlatform::kSAME_AS_BUILD;
    nv::TilingOptimizationLevel tiling = nv::TilingOptimizationLevel::kNONE;
    nv::TacticSources tactic_sources =
        1U << static_cast<int>(nv::TacticSource::kEDGE_MASK_CONVOLUTIONS) |
        1U << static_cast<int>(nv::TacticSource::kJIT_CONVOLUTIONS);
    nv::QuantizationFlags quantization_flags = 0;
    uint32_t preview = 0;
    std::map<nv::MemoryPoolType, size_t> pools;
    cudaStream_t stream = nullptr;
    nv::IInt8Calibrator* calibrator = nullptr;
    nv::IAlgorithmSelector* selector = nullptr;
    nv::IProgressMonitor* monitor = nullptr;
    const nv::IOptimizationProfile* calibration_profile = nullptr;
    TimingCacheObject* timing_cache = nullptr;
    std::vector<const Profile*> profiles;
    std::vector<std::string> plugins;
    std::string remote_config;
  };
  void warn_of_flags() const;

  Report report_;
  State state_;
};

}  // namespace tenrec::trt
