// SPDX-License-Identifier: Apache-2.0
#include "api/registry.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

namespace tenrec::trt {
namespace {

class Registry final : public nv::IPluginRegistry {
 public:
  bool registerCreator(nv::IPluginCreator& creator, const char* name_space) noexcept override {
    return registerCreator(static_cast<nv::IPluginCreatorInterface&>(creator), name_space);
  }
  bool registerCreator(nv::IPluginCreatorInterface& creator, const char*) noexcept override {
    return report().guard("IPluginRegistry::registerCreator", false, [&] {
      const std::lock_guard lock(mutex_);
      if (std::find(creators_.begin(), creators_.end(), &creator) != creators_.end()) return false;
      creators_.push_back(&creator);
      return true;
    });
  }
  nv::IPluginCreator* const* getPluginCreatorList(int32_t* count) const noexcept override {
    if (count != nullptr) *count = 0;
    return nullptr;
  }
  nv::IPluginCreator* getPluginCreator(const char*, const char*, const char*) noexcept override {
    return nullptr;
  }
  void setErrorRecorder(nv::IErrorRecorder* recorder) noexcept override { recorder_ = recorder; }
  nv::IErrorRecorder* getErrorRecorder() const noexcept override { return recorder_; }
  bool deregisterCreator(const nv::IPluginCreator& creator) noexcept override {
    return deregisterCreator(static_cast<const nv::IPluginCreatorInterface&>(creator));
  }
  bool deregisterCreator(const nv::IPluginCreatorInterface& creator) noexcept override {
    const std::lock_guard lock(mutex_);
    return std::erase(creators_, &creator) > 0;
  }
  bool isParentSearchEnabled() const override { return parent_search_; }
  void setParentSearchEnabled(bool enabled) override { parent_search_ = enabled; }
  PluginLibraryHandle loadLibrary(const char*) noexcept override {
    report().not_yet("IPluginRegistry::loadLibrary");
    return nullptr;
  }
  void deregisterLibrary(PluginLibraryHandle) noexcept override {}
  nv::IPluginCreatorInterface* const* getAllCreators(int32_t* count) const noexcept override {
    if (count != nullptr) *count = static_cast<int32_t>(creators_.size());
    return creators_.data();
  }
  nv::IPluginCreatorInterface* const* getAllCreatorsRecursive(int32_t* count) noexcept override {
    return getAllCreators(count);
  }
  nv::IPluginCreatorInterface* getCreator(const char*, const char*, const char*) noexcept override {
    return nullptr;
  }
  nv::IPluginResource* acquirePluginResource(const char*, nv::IPluginResource*) noexcept override {
    report().not_yet("IPluginRegistry::acquirePluginResource");
    return nullptr;
  }
  int32_t releasePluginResource(const char*) noexcept override { return -1; }

 private:
  Report report() const { return Report(last_logger(), recorder_); }

  mutable std::mutex mutex_;
  std::vector<nv::IPluginCreatorInterface*> creators_;
  nv::IErrorRecorder* recorder_ = nullptr;
  bool parent_search_ = true;
};

}  // namespace

nv::IPluginRegistry& process_registry() {
  static Registry registry;
  return registry;
}

}  // namespace tenrec::trt
