// SPDX-License-Identifier: Apache-2.0
#include "api/builder.h"

#include <thread>

#include "api/engine.h"
#include "api/platform.h"
#include "api/registry.h"
#include "build/build_graph.h"

namespace tenrec::trt {
namespace {

// Phases of the core become phases of the application's monitor; each ends when the next begins.
class Progress {
 public:
  explicit Progress(nv::IProgressMonitor* monitor) : monitor_(monitor) {}
  ~Progress() { finish(); }

  bool operator()(const BuildProgress& progress) {
    if (monitor_ == nullptr) return true;
    if (phase_ != progress.phase) {
      finish();
      phase_ = progress.phase;
      done_ = 0;
      monitor_->phaseStart(phase_.c_str(), nullptr,
                           static_cast<int32_t>(std::max<size_t>(progress.total, 1)));
    }
    return monitor_->stepComplete(phase_.c_str(), done_++);
  }

 private:
  void finish() {
    if (monitor_ != nullptr && !phase_.empty()) monitor_->phaseFinish(phase_.c_str());
  }
  nv::IProgressMonitor* monitor_;
  std::string phase_;
  int32_t done_ = 0;
};

}  // namespace

bool Builder::platformHasFastFp16() const noexcept { return is_on_gpu(); }
bool Builder::platformHasFastInt8() const noexcept { return true; }
bool Builder::platformHasTf32() const noexcept { return is_on_gpu(); }
int32_t Builder::getMaxDLABatchSize() const noexcept { return 0; }
int32_t Builder::getNbDLACores() const noexcept { return 0; }
void Builder::setGpuAllocator(nv::IGpuAllocator*) noexcept {}

nv::IBuilderConfig* Builder::createBuilderConfig() noexcept {
  return report_.guard<nv::IBuilderConfig*>("IBuilder::createBuilderConfig", nullptr,
                                            [&] { return new BuilderConfig(report_); });
}

nv::INetworkDefinition* Builder::createNetworkV2(
    nv::NetworkDefinitionCreationFlags flags) noexcept {
  return report_.guard<nv::INetworkDefinition*>("IBuilder::createNetworkV2", nullptr,
                                                [&] { return new Network(report_, *this, flags); });
}

nv::IOptimizationProfile* Builder::createOptimizationProfile() noexcept {
  return report_.guard<nv::IOptimizationProfile*>(
      "IBuilder::createOptimizationProfile", nullptr, [&] {
        profiles_.push_back(std::make_unique<Profile>(report_));
        return profiles_.back().get();
      });
}

void Builder::setErrorRecorder(nv::IErrorRecorder* recorder) noexcept {
  report_.set_recorder(recorder);
}

nv::IErrorRecorder* Builder::getErrorRecorder() const noexcept { return report_.recorder(); }
void Builder::reset() noexcept { report_.set_recorder(nullptr); }
nv::ILogger* Builder::getLogger() const noexcept { return report_.logger(); }

bool Builder::setMaxThreads(int32_t maxThreads) noexcept {
  return report_.guard("IBuilder::setMaxThreads", false, [&] {
    TENREC_CHECK(maxThreads >= 1, usage, "{} threads; at least 1 is needed", maxThreads);
    threads_ = maxThreads;
    return true;
  });
}

int32_t Builder::getMaxThreads() const noexcept {
  return threads_ > 0 ? threads_ : static_cast<int32_t>(std::thread::hardware_concurrency());
}

nv::IPluginRegistry& Builder::getPluginRegistry() noexcept { return process_registry(); }

BuildResult Builder::build(nv::INetworkDefinition& network, nv::IBuilderConfig& config) const {
  auto& our_network = static_cast<Network&>(network);
  auto& our_config = static_cast<BuilderConfig&>(config);
  BuildOptions options = our_config.build_options();
  options.threads = threads_;
  auto progress = std::make_shared<Progress>(our_config.getProgressMonitor());
  options.progress = [progress](const BuildProgress& step) { return (*progress)(step); };
  const std::unique_ptr<Graph> graph = our_network.graph_to_build();
  TimingCache own;
  TimingCacheObject* given = our_config.timing_cache();
  const bool use_given =
      given != nullptr && !our_config.getFlag(nv::BuilderFlag::kDISABLE_TIMING_CACHE);
  BuildResult result =
      build_graph(*graph, our_network.getName(), options, use_given ? given->cache() : own);
  for (const std::string& note : result.notes) report_.log(Severity::kINFO, note);
  report_.log(Severity::kINFO, fmt::format("Engine generation completed: {:.3f} MiB for \"{}\".",
                                           static_cast<double>(result.bytes->size()) / (1 << 20),
                                           our_network.getName()));
  return result;
}

nv::IHostMemory* Builder::buildSerializedNetwork(nv::INetworkDefinition& network,
                                                 nv::IBuilderConfig& config) noexcept {
  return report_.guard<nv::IHostMemory*>("IBuilder::buildSerializedNetwork", nullptr, [&] {
    const BuildResult result = build(network, config);
    return new HostMemory(result.bytes, result.bytes->data(), result.bytes->size());
  });
}

nv::IHostMemory* Builder::buildSerializedNetworkWithKernelText(
    nv::INetworkDefinition& network, nv::IBuilderConfig& config,
    nv::IHostMemory*& kernelText) noexcept {
  kernelText = nullptr;  // no kernel of a CPU is text
  return buildSerializedNetwork(network, config);
}

bool Builder::buildSerializedNetworkToStream(nv::INetworkDefinition& network,
                                             nv::IBuilderConfig& config,
                                             nv::IStreamWriter& writer) noexcept {
  constexpr auto call = "IBuilder::buildSerializedNetworkToStream";
  return report_.guard(call, false, [&] {
    const BuildResult result = build(network, config);
    const auto size = static_cast<int64_t>(result.bytes->size());
    const int64_t written = writer.write(result.bytes->data(), size);
    TENREC_CHECK(written == size, io, "the stream took {} of {} bytes", written, size);
    return true;
  });
}

nv::ICudaEngine* Builder::buildEngineWithConfig(nv::INetworkDefinition& network,
                                                nv::IBuilderConfig& config) noexcept {
  return report_.guard<nv::ICudaEngine*>("IBuilder::buildEngineWithConfig", nullptr, [&] {
    const BuildResult result = build(network, config);
    return new EngineObject(report_, result.load({.threads = threads_}));
  });
}

bool Builder::isNetworkSupported(const nv::INetworkDefinition& network,
                                 const nv::IBuilderConfig& config) const noexcept {
  return report_.guard("IBuilder::isNetworkSupported", false, [&] {
    static_cast<const Network&>(network).graph_to_build();
    static_cast<const BuilderConfig&>(config).build_options();
    return true;
  });
}

}  // namespace tenrec::trt
