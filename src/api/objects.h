// SPDX-License-Identifier: Apache-2.0
// Small objects of the interface that carry data. Each public class and the table of functions
// behind it are implemented by one object.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/report.h"
#include "targets/timing_cache.h"
#include "tenrec/builder.h"

namespace tenrec::trt {

class HostMemory final : public nv::IHostMemory, public nv::apiv::VHostMemory {
 public:
  HostMemory(std::shared_ptr<const void> owner, const void* data, size_t size)
      : owner_(std::move(owner)), data_(data), size_(size) {
    mImpl = this;
  }
  static HostMemory* of(std::string text);
  void* data() const noexcept override { return const_cast<void*>(data_); }
  std::size_t size() const noexcept override { return size_; }
  nv::DataType type() const noexcept override { return nv::DataType::kINT8; }

 private:
  std::shared_ptr<const void> owner_;
  const void* data_;
  size_t size_;
};

class Profile final : public nv::IOptimizationProfile, public nv::apiv::VOptimizationProfile {
 public:
  explicit Profile(const Report& report) : report_(report) { mImpl = this; }

  bool setDimensions(const char* inputName, nv::OptProfileSelector select,
                     const nv::Dims& dims) noexcept override;
  nv::Dims getDimensions(const char* inputName,
                         nv::OptProfileSelector select) const noexcept override;
  bool setShapeValues(const char* inputName, nv::OptProfileSelector select, const int32_t* values,
                      int32_t nbValues) noexcept override;
  int32_t getNbShapeValues(const char* inputName) const noexcept override;
  const int32_t* getShapeValues(const char* inputName,
                                nv::OptProfileSelector select) const noexcept override;
  bool setExtraMemoryTarget(float target) noexcept override;
  float getExtraMemoryTarget() const noexcept override { return extra_memory_; }
  bool isValid() const noexcept override;
  bool setShapeValuesV2(const char* inputName, nv::OptProfileSelector select, const int64_t* values,
                        int32_t nbValues) noexcept override;
  const int64_t* getShapeValuesV2(const char* inputName,
                                  nv::OptProfileSelector select) const noexcept override;

  // A usage Error names an input whose range is not complete.
  ProfileOptions options() const;

 private:
  struct Bound {
    bool is_set = false;
    std::vector<int64_t> values;
    std::vector<int32_t> narrow;  // the same, for the old getter
  };
  struct Range {
    Bound bounds[3];  // by OptProfileSelector
  };
  static const Bound* find(const std::map<std::string, Range>& ranges, const char* name,
                           nv::OptProfileSelector select);
  static std::string problem_of(const Range& range);
  bool set(std::map<std::string, Range>& ranges, const char* call, const char* name,
           nv::OptProfileSelector select, std::vector<int64_t> values) noexcept;

  Report report_;
  std::map<std::string, Range> dims_, values_;
  float extra_memory_ = 1;
};

class TimingCacheObject final : public nv::ITimingCache, public nv::apiv::VTimingCache {
 public:
  TimingCacheObject(const Report& report, TimingCache cache)
      : report_(report), cache_(std::move(cache)) {
    mImpl = this;
  }
  nv::IHostMemory* serialize() const noexcept override;
  bool combine(const nv::ITimingCache& inputCache, bool ignoreMismatch) noexcept override;
  bool reset() noexcept override;
  int64_t queryKeys(nv::TimingCacheKey* keyBuffer, int64_t capacity) const noexcept override;
  nv::TimingCacheValue query(const nv::TimingCacheKey& key) const noexcept override;
  bool update(const nv::TimingCacheKey& key, const nv::TimingCacheValue& value) noexcept override;

  TimingCache& cache() { return cache_; }

 private:
  Report report_;
  TimingCache cache_;
};

}  // namespace tenrec::trt
