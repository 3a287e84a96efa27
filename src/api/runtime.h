// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "api/engine.h"

namespace tenrec::trt {

class Runtime final : public nv::IRuntime, public nv::apiv::VRuntime {
 public:
  explicit Runtime(nv::ILogger* logger) : report_(logger) { mImpl = this; }

  nv::IRuntime* getPImpl() noexcept override { return this; }
  nv::ICudaEngine* deserializeCudaEngine(const void* blob, std::size_t size) noexcept override;
  nv::ICudaEngine* deserializeCudaEngine(nv::IStreamReader& streamReader) noexcept override;
  void setDLACore(int32_t dlaCore) noexcept override;
  int32_t getDLACore() const noexcept override { return -1; }
  int32_t getNbDLACores() const noexcept override { return 0; }
  void setGpuAllocator(nv::IGpuAllocator*) noexcept override {}
  void setErrorRecorder(nv::IErrorRecorder* recorder) noexcept override {
    report_.set_recorder(recorder);
  }
  nv::IErrorRecorder* getErrorRecorder() const noexcept override { return report_.recorder(); }
  nv::ILogger* getLogger() const noexcept override { return report_.logger(); }
  bool setMaxThreads(int32_t maxThreads) noexcept override;
  int32_t getMaxThreads() const noexcept override;
  void setTemporaryDirectory(const char*) noexcept override;
  const char* getTemporaryDirectory() const noexcept override {
    return temporary_directory_.c_str();
  }
  void setTempfileControlFlags(nv::TempfileControlFlags) noexcept override;
  nv::TempfileControlFlags getTempfileControlFlags() const noexcept override {
    return tempfile_flags_;
  }
  nv::IPluginRegistry& getPluginRegistry() noexcept override;
  void setPluginRegistryParent(nv::IPluginRegistry*) noexcept override {}
  nv::IRuntime* loadRuntime(const char* path) noexcept override;
  void setEngineHostCodeAllowed(bool allowed) noexcept override { host_code_allowed_ = allowed; }
  bool getEngineHostCodeAllowed() const noexcept override { return host_code_allowed_; }
  nv::ICudaEngine* deserializeCudaEngineV2(nv::IStreamReaderV2& streamReader) noexcept override;

 private:
  nv::ICudaEngine* load(std::vector<std::byte> bytes);

  Report report_;
  int32_t threads_ = 0;  // 0: as many as the process may use
  bool host_code_allowed_ = false;
  std::string temporary_directory_;
  nv::TempfileControlFlags tempfile_flags_ =
      1U << static_cast<int>(nv::TempfileControlFlag::kALLOW_IN_MEMORY_FILES) |
      1U << static_cast<int>(nv::TempfileControlFlag::kALLOW_TEMPORARY_FILES);
};

}  // namespace tenrec::trt
