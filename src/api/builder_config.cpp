// SPDX-License-Identifier: Apache-2.0
#include "api/builder_config.h"

#include <unistd.h>

#include "api/convert.h"
#include "api/platform.h"

namespace tenrec::trt {
namespace {

size_t physical_memory() {
  return static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void BuilderConfig::setAvgTimingIterations(int32_t avgTiming) noexcept {
  if (avgTiming > 0) state_.avg_timing = avgTiming;
}

void BuilderConfig::setBuilderOptimizationLevel(int32_t level) noexcept {
  report_.guard("IBuilderConfig::setBuilderOptimizationLevel", [&] {
    TENREC_CHECK(level >= 0 && level <= 5, usage, "there is no level {}; levels are 0..5", level);
    state_.optimization_level = level;
  });
}

void BuilderConfig::setMaxAuxStreams(int32_t nbStreams) noexcept {
  if (nbStreams >= 0) state_.max_aux_streams = nbStreams;
}

void BuilderConfig::setMaxNbTactics(int32_t maxTactics) noexcept {
  if (maxTactics >= -1) state_.max_tactics = maxTactics;
}

void BuilderConfig::setEngineCapability(nv::EngineCapability capability) noexcept {
  report_.guard("IBuilderConfig::setEngineCapability", [&] {
    TENREC_CHECK(capability == nv::EngineCapability::kSTANDARD, unsupported,
                 "only engines of capability kSTANDARD can be built: there is no safety runtime "
                 "and no DLA");
  });
}

void BuilderConfig::setDLACore(int32_t dlaCore) noexcept {
  report_.guard("IBuilderConfig::setDLACore", [&] {
    TENREC_CHECK(dlaCore < 0, unsupported, "there is no DLA core {} on this machine", dlaCore);
  });
}

void BuilderConfig::setRuntimePlatform(nv::RuntimePlatform runtimePlatform) noexcept {
  report_.guard("IBuilderConfig::setRuntimePlatform", [&] {
    TENREC_CHECK(runtimePlatform == nv::RuntimePlatform::kSAME_AS_BUILD, unsupported,
                 "engines can be built for this platform only");
  });
}

void BuilderConfig::setDeviceType(const nv::ILayer*, nv::DeviceType deviceType) noexcept {
  report_.guard("IBuilderConfig::setDeviceType", [&] {
    TENREC_CHECK(deviceType == nv::DeviceType::kGPU, unsupported,
                 "there is no DLA on this machine");
  });
}

int32_t BuilderConfig::addOptimizationProfile(const nv::IOptimizationProfile* profile) noexcept {
  return report_.guard("IBuilderConfig::addOptimizationProfile", -1, [&] {
    TENREC_CHECK(profile != nullptr, usage, "the profile is a null pointer");
    const auto* ours = static_cast<const Profile*>(profile);
    ours->options();  // throws what is not complete
    state_.profiles.push_back(ours);
    return static_cast<int32_t>(state_.profiles.size()) - 1;
  });
}

nv::ITimingCache* BuilderConfig::createTimingCache(const void* blob,
                                                   std::size_t size) const noexcept {
  return report_.guard<nv::ITimingCache*>("IBuilderConfig::createTimingCache", nullptr, [&] {
    TENREC_CHECK(blob != nullptr || size == 0, usage, "the bytes are a null pointer");
    TimingCache cache;
    if (size > 0) cache = TimingCache::parse({static_cast<const char*>(blob), size});
    return new TimingCacheObject(report_, std::move(cache));
  });
}

// Entries are keyed by machine: those of others are never asked for, so none can mismatch.
bool BuilderConfig::setTimingCache(const nv::ITimingCache& cache, bool) noexcept {
  state_.timing_cache =
      const_cast<TimingCacheObject*>(static_cast<const TimingCacheObject*>(&cache));
  return true;
}

void BuilderConfig::setMemoryPoolLimit(nv::MemoryPoolType pool, std::size_t poolSize) noexcept {
  report_.guard("IBuilderConfig::setMemoryPoolLimit", [&] { state_.pools[pool] = poolSize; });
}

std::size_t BuilderConfig::getMemoryPoolLimit(nv::MemoryPoolType pool) const noexcept {
  const auto found = state_.pools.find(pool);
  if (found != state_.pools.end()) return found->second;
  switch (pool) {
    case nv::MemoryPoolType::kWORKSPACE:
    case nv::MemoryPoolType::kTACTIC_DRAM: return physical_memory();
    default: return 0;
  }
}

void BuilderConfig::setPreviewFeature(nv::PreviewFeature feature, bool enable) noexcept {
  if (enable) state_.preview |= bit(feature);
  else state_.preview &= ~bit(feature);
}

void BuilderConfig::setPluginsToSerialize(const char* const* paths, int32_t nbPaths) noexcept {
  report_.guard("IBuilderConfig::setPluginsToSerialize", [&] {
    TENREC_CHECK(nbPaths == 0 || paths != nullptr, usage, "the paths are a null pointer");
    state_.plugins.clear();
    for (int32_t i = 0; i < nbPaths; ++i) state_.plugins.emplace_back(checked_name(paths[i]));
  });
}

const char* BuilderConfig::getPluginToSerialize(int32_t index) const noexcept {
  if (index < 0 || index >= getNbPluginsToSerialize()) return nullptr;
  return state_.plugins[static_cast<size_t>(index)].c_str();
}

bool BuilderConfig::setRemoteAutoTuningConfig(const char*) noexcept {
  report_.error(nv::ErrorCode::kUNSUPPORTED_STATE, "IBuilderConfig::setRemoteAutoTuningConfig",
                "tuning on a remote machine belongs to the safety runtime, which is not there");
  return false;
}

void BuilderConfig::warn_of_flags() const {
  using Flag = nv::BuilderFlag;
  const auto warn_if = [&](std::initializer_list<Flag> flags, const char* text) {
    for (const Flag flag : flags) {
      if (!getFlag(flag)) continue;
      report_.log(Severity::kWARNING, text);
      return;
    }
  };
  if (is_on_gpu()) {
    warn_if({Flag::kINT8, Flag::kFP8, Flag::kINT4, Flag::kFP4},
            "Lower precision than 16 bits is allowed; layers have it where the model says so.");
  } else {
    warn_if({Flag::kFP16, Flag::kBF16, Flag::kINT8, Flag::kFP8, Flag::kINT4, Flag::kFP4},
            "Lower precision is allowed; the CPU target keeps each layer in the precision of the "
            "model, where it is fastest.");
  }
  warn_if({Flag::kSPARSE_WEIGHTS}, "There are no tactics for sparse weights here.");
  warn_if({Flag::kWEIGHT_STREAMING}, "Weights lie in host memory already: nothing is streamed.");
}

BuildOptions BuilderConfig::build_options() const {
  TENREC_CHECK(state_.calibrator == nullptr, unsupported,
               "an INT8 calibrator is set; this version does not calibrate: give a model with "
               "QuantizeLinear and DequantizeLinear nodes");
  TENREC_CHECK(state_.selector == nullptr, unsupported,
               "an algorithm selector is set; this version chooses tactics itself");
  for (const nv::BuilderFlag flag :
       {nv::BuilderFlag::kREFIT, nv::BuilderFlag::kREFIT_IDENTICAL,
        nv::BuilderFlag::kREFIT_INDIVIDUAL, nv::BuilderFlag::kSTRIP_PLAN})
    TENREC_CHECK(!getFlag(flag), unsupported,
                 "refittable engines are not there in this version; clear builder flag {}",
                 static_cast<int>(flag));
  warn_of_flags();
  BuildOptions options;
  options.no_tune = state_.optimization_level == 0;
  options.tf32 = getFlag(nv::BuilderFlag::kTF32);
  options.no_compilation_cache = getFlag(nv::BuilderFlag::kDISABLE_COMPILATION_CACHE);
  if (is_on_gpu()) {
    options.target = "cuda";
    if (getFlag(nv::BuilderFlag::kFP16)) options.precision = DType::f16;
    else if (getFlag(nv::BuilderFlag::kBF16)) options.precision = DType::bf16;
  }
  for (const Profile* profile : state_.profiles) options.profiles.push_back(profile->options());
  return options;
}

}  // namespace tenrec::trt
