// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "api/builder_config.h"
#include "api/network.h"

namespace tenrec::trt {

class Builder final : public nv::IBuilder, public nv::apiv::VBuilder {
 public:
  explicit Builder(nv::ILogger* logger) : report_(logger) { mImpl = this; }

  bool platformHasFastFp16() const noexcept override;
  bool platformHasFastInt8() const noexcept override;
  int32_t getMaxDLABatchSize() const noexcept override;
  int32_t getNbDLACores() const noexcept override;
  void setGpuAllocator(nv::IGpuAllocator* allocator) noexcept override;
  nv::IBuilderConfig* createBuilderConfig() noexcept override;
  nv::INetworkDefinition* createNetworkV2(
      nv::NetworkDefinitionCreationFlags flags) noexcept override;
  nv::IOptimizationProfile* createOptimizationProfile() noexcept override;
  void setErrorRecorder(nv::IErrorRecorder* recorder) noexcept override;
  nv::IErrorRecorder* getErrorRecorder() const noexcept override;
  void reset() noexcept override;
  bool platformHasTf32() const noexcept override;
  nv::IHostMemory* buildSerializedNetwork(nv::INetworkDefinition& network,
                                          nv::IBuilderConfig& config) noexcept override;
  bool isNetworkSupported(const nv::INetworkDefinition& network,
                          const nv::IBuilderConfig& config) const noexcept override;
  nv::ILogger* getLogger() const noexcept override;
  bool setMaxThreads(int32_t maxThreads) noexcept override;
  int32_t getMaxThreads() const noexcept override;
  nv::IPluginRegistry& getPluginRegistry() noexcept override;
  nv::ICudaEngine* buildEngineWithConfig(nv::INetworkDefinition& network,
                                         nv::IBuilderConfig& config) noexcept override;
  bool buildSerializedNetworkToStream(nv::INetworkDefinition& network, nv::IBuilderConfig& config,
                                      nv::IStreamWriter& writer) noexcept override;
  nv::IHostMemory* buildSerializedNetworkWithKernelText(
      nv::INetworkDefinition& network, nv::IBuilderConfig& config,
      nv::IHostMemory*& kernelText) noexcept override;

 private:
  BuildResult build(nv::INetworkDefinition& network, nv::IBuilderConfig& config) const;

  Report report_;
  std::vector<std::unique_ptr<Profile>> profiles_;
  int32_t threads_ = 0;  // 0: as many as the process may use
};

}  // namespace tenrec::trt
