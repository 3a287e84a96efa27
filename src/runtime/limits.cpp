// SPDX-License-Identifier: Apache-2.0
#include "runtime/limits.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/error.h"

namespace tenrec {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, LimitsFactory, std::less<>> factories;
};

Registry& registry() {
  static Registry* const instance = new Registry;  // as that of the devices
  return *instance;
}

}  // namespace

double DeviceLimits::microseconds(double flops, double bytes, double peak) const {
  double limit = peak > 0 ? flops / peak : 0;
  for (const Level& level : memory) {
    if (bytes > static_cast<double>(level.size) && &level != &memory.back()) continue;
    if (level.rate > 0) limit = std::max(limit, bytes / level.rate);
    break;
  }
  return 1e6 * limit;
}

void register_limits(std::string_view target, LimitsFactory factory) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.factories[std::string(target)] = std::move(factory);
}

DeviceLimits device_limits(std::string_view target, const DeviceOptions& options) {
  LimitsFactory factory;
  {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    const auto found = all.factories.find(target);
    if (found != all.factories.end()) factory = found->second;
  }
  TENREC_CHECK(factory, device, "what target \"{}\" can do at most is not known", target);
  return factory(options);
}

}  // namespace tenrec
