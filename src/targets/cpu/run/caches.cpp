// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/caches.h"

#include <fstream>
#include <string>

#include "base/error.h"

namespace tenrec::cpu {

// From Linux's list, which tells what a core of a virtual machine has; sysconf may tell the whole
// host's.
uint64_t cache_bytes(int level, uint64_t otherwise) {
  for (int index = 0; index < 8; ++index) {
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", index);
    int found = 0;
    uint64_t kilobytes = 0;
    std::string type;
    std::ifstream(folder + "level") >> found;
    std::ifstream(folder + "type") >> type;
    std::ifstream(folder + "size") >> kilobytes;  // "512K"
    if (found == level && type != "Instruction" && kilobytes > 0) return kilobytes << 10;
  }
  return otherwise;
}

bool leaves_caches(uint64_t output_bytes) {
  static const uint64_t last = cache_bytes(3, 8 << 20);
  return output_bytes > last / 4;
}

}  // namespace tenrec::cpu
