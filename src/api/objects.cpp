// SPDX-License-Identifier: Apache-2.0
#include "api/objects.h"

#include <algorithm>

#include "api/convert.h"

namespace tenrec::trt {

HostMemory* HostMemory::of(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  return new HostMemory(owner, owner->data(), owner->size());
}

// ---------------------------------------------------------------------------------- profile

namespace {
size_t index_of(nv::OptProfileSelector select) {
  const auto index = static_cast<size_t>(select);
  TENREC_CHECK(index < 3, usage, "there is no OptProfileSelector {}", static_cast<int>(select));
  return index;
}
}  // namespace

const Profile::Bound* Profile::find(const std::map<std::string, Range>& ranges, const char* name,
                                    nv::OptProfileSelector select) {
  const auto found = ranges.find(std::string(checked_name(name)));
  if (found == ranges.end()) return nullptr;
  const Bound& bound = found->second.bounds[index_of(select)];
  return bound.is_set ? &bound : nullptr;
}

// Empty: what is set of the range fits together.
std::string Profile::problem_of(const Range& range) {
  const Bound* last = nullptr;
  for (const Bound& bound : range.bounds) {
    if (!bound.is_set) continue;
    if (last != nullptr) {
      if (last->values.size() != bound.values.size())
        return fmt::format("{} and {} entries", last->values.size(), bound.values.size());
      for (size_t i = 0; i < bound.values.size(); ++i)
        if (last->values[i] > bound.values[i])
          return fmt::format("entry {} goes down from {} to {}", i, last->values[i],
                             bound.values[i]);
    }
    last = &bound;
  }
  return {};
}

bool Profile::set(std::map<std::string, Range>& ranges, const char* call, const char* name,
                  nv::OptProfileSelector select, std::vector<int64_t> values) noexcept {
  return report_.guard(call, false, [&] {
    Range range = ranges[std::string(checked_name(name))];
    Bound& bound = range.bounds[index_of(select)];
    bound.is_set = true;
    bound.narrow.assign(values.begin(), values.end());
    bound.values = std::move(values);
    const std::string problem = problem_of(range);
    TENREC_CHECK(problem.empty(), usage, "input \"{}\": min, opt and max must rise: {}", name,
                 problem);
    ranges[name] = std::move(range);
    return true;
  });
}

bool Profile::setDimensions(const char* inputName, nv::OptProfileSelector select,
                            const nv::Dims& dims) noexcept {
  constexpr auto call = "IOptimizationProfile::setDimensions";
  return report_.guard(call, false, [&] {
    std::vector<int64_t> sizes = from_trt(dims);
    for (const int64_t size : sizes)
      TENREC_CHECK(size >= 0, usage, "input \"{}\": a size of {}", checked_name(inputName), size);
    return set(dims_, call, inputName, select, std::move(sizes));
  });
}

nv::Dims Profile::getDimensions(const char* inputName,
                                nv::OptProfileSelector select) const noexcept {
  return report_.guard("IOptimizationProfile::getDimensions", unknown_dims(), [&] {
    const Bound* bound = find(dims_, inputName, select);
    return bound == nullptr ? unknown_dims() : to_trt(bound->values);
  });
}

bool Profile::setShapeValues(const char* inputName, nv::OptProfileSelector select,
                             const int32_t* values, int32_t nbValues) noexcept {
  constexpr auto call = "IOptimizationProfile::setShapeValues";
  return report_.guard(call, false, [&] {
    TENREC_CHECK(values != nullptr && nbValues >= 0, usage, "there are no values");
    return set(values_, call, inputName, select, {values, values + nbValues});
  });
}

bool Profile::setShapeValuesV2(const char* inputName, nv::OptProfileSelector select,
                               const int64_t* values, int32_t nbValues) noexcept {
  constexpr auto call = "IOptimizationProfile::setShapeValuesV2";
  return report_.guard(call, false, [&] {
    TENREC_CHECK(values != nullptr && nbValues >= 0, usage, "there are no values");
    return set(values_, call, inputName, select, {values, values + nbValues});
  });
}

int32_t Profile::getNbShapeValues(const char* inputName) const noexcept {
  return report_.guard("IOptimizationProfile::getNbShapeValues", -1, [&] {
    const Bound* bound = find(values_, inputName, nv::OptProfileSelector::kMIN);
    return bound == nullptr ? -1 : static_cast<int32_t>(bound->values.size());
  });
}

const int32_t* Profile::getShapeValues(const char* inputName,
                                       nv::OptProfileSelector select) const noexcept {
  constexpr const int32_t* none = nullptr;
  return report_.guard("IOptimizationProfile::getShapeValues", none, [&] {
    const Bound* bound = find(values_, inputName, select);
    return bound == nullptr ? none : bound->narrow.data();
  });
}

const int64_t* Profile::getShapeValuesV2(const char* inputName,
                                         nv::OptProfileSelector select) const noexcept {
  constexpr const int64_t* none = nullptr;
  return report_.guard("IOptimizationProfile::getShapeValuesV2", none, [&] {
    const Bound* bound = find(values_, inputName, select);
    return bound == nullptr ? none : bound->values.data();
  });
}

bool Profile::setExtraMemoryTarget(float target) noexcept {
  if (!(target >= 0 && target <= 1)) return false;
  extra_memory_ = target;
  return true;
}

bool Profile::isValid() const noexcept {
  for (const auto* ranges : {&dims_, &values_})
    for (const auto& [name, range] : *ranges)
      for (const Bound& bound : range.bounds)
        if (!bound.is_set) return false;
  return true;
}

ProfileOptions Profile::options() const {
  for (const auto* ranges : {&dims_, &values_})
    for (const auto& [name, range] : *ranges)
      for (const Bound& bound : range.bounds)
        TENREC_CHECK(bound.is_set, usage,
                     "the profile of input \"{}\" needs a min, an opt and a max", name);
  ProfileOptions options;
  for (const auto& [name, range] : dims_)
    options.dims[name] = {range.bounds[0].values, range.bounds[1].values, range.bounds[2].values};
  const auto numbers = [](const Bound& bound) {
    return std::vector<double>(bound.values.begin(), bound.values.end());
  };
  for (const auto& [name, range] : values_)
    options.values[name] = {numbers(range.bounds[0]), numbers(range.bounds[1]),
                            numbers(range.bounds[2])};
  return options;
}

// ----------------------------------------------------------------------------- timing cache

nv::IHostMemory* TimingCacheObject::serialize() const noexcept {
  return report_.guard<nv::IHostMemory*>("ITimingCache::serialize", nullptr,
                                         [&] { return HostMemory::of(cache_.text()); });
}

bool TimingCacheObject::combine(const nv::ITimingCache& inputCache, bool) noexcept {
  return report_.guard("ITimingCache::combine", false, [&] {
    cache_.merge(static_cast<const TimingCacheObject&>(inputCache).cache_);
    return true;
  });
}

bool TimingCacheObject::reset() noexcept {
  cache_ = TimingCache();
  return true;
}

int64_t TimingCacheObject::queryKeys(nv::TimingCacheKey*, int64_t) const noexcept {
  report_.not_yet("ITimingCache::queryKeys");
  return -1;
}

nv::TimingCacheValue TimingCacheObject::query(const nv::TimingCacheKey&) const noexcept {
  report_.not_yet("ITimingCache::query");
  return {0, -1.0F};
}

bool TimingCacheObject::update(const nv::TimingCacheKey&, const nv::TimingCacheValue&) noexcept {
  report_.not_yet("ITimingCache::update");
  return false;
}

}  // namespace tenrec::trt
