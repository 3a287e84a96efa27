// SPDX-License-Identifier: Apache-2.0
#include "runtime/device.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/error.h"
#include "runtime/null_device.h"

namespace tenrec {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, DeviceFactory, std::less<>> factories;
};

Registry& registry() {
  static Registry* const instance = [] {
    auto* created = new Registry;  // never destroyed: devices may outlive static destruction
    created->factories["null"] = [](const DeviceOptions&) {
      return std::make_shared<NullDevice>();
    };
    return created;
  }();
  return *instance;
}

}  // namespace

double DeviceLimits::seconds_of_byte(double distance) const {
  if (memory.empty()) return 0;
  const auto fits = [&](const Level& level) { return distance <= static_cast<double>(level.size); };
  const auto level = std::find_if(memory.begin(), memory.end(), fits);
  if (level == memory.end()) return 1 / memory.back().rate;
  if (level == memory.begin()) return 1 / level->rate;
  const Level& before = *std::prev(level);
  const auto size = static_cast<double>(before.size);
  const double part = (distance - size) / (static_cast<double>(level->size) - size);
  return (1 - part) / before.rate + part / level->rate;
}

void register_device(std::string_view target, DeviceFactory factory) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.factories[std::string(target)] = std::move(factory);
}

std::vector<std::string> registered_devices() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::vector<std::string> names;
  for (const auto& [name, factory] : all.factories) names.push_back(name);
  return names;
}

std::shared_ptr<Device> open_device(std::string_view target, const DeviceOptions& options) {
  DeviceFactory factory;
  {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    const auto found = all.factories.find(target);
    if (found != all.factories.end()) factory = found->second;
  }
  TENREC_CHECK(factory, device, "there is no device for target \"{}\"; this Tenrec has: {}", target,
               fmt::join(registered_devices(), ", "));
  return factory(options);
}

}  // namespace tenrec
