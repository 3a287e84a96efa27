// SPDX-License-Identifier: Apache-2.0
#include "api/platform.h"

#include <dlfcn.h>

#include <string_view>

#include "base/error.h"
#include "targets/target.h"

namespace tenrec::trt {
namespace {

// A library that the process has loaded already, or null.
void* loaded(const char* name) { return dlopen(name, RTLD_LAZY | RTLD_NOLOAD); }

// Whether whatever hands out memory here hands out a GPU's. Our own runtime knows no driver; who
// has loaded neither a runtime nor the driver has only the host's. Applications may load them late
// and privately, so the loaded libraries themselves are asked, each time.
bool has_gpu_pointers() {
  bool found = false;
  for (const char* name : {"libcudart.so.13", "libcudart.so.12", "libcuda.so.1"}) {
    void* const library = loaded(name);
    if (library == nullptr) continue;
    using GetVersion = int (*)(int*);
    const bool is_driver = std::string_view(name) == "libcuda.so.1";
    const auto get_version = reinterpret_cast<GetVersion>(
        dlsym(library, is_driver ? "cuDriverGetVersion" : "cudaDriverGetVersion"));
    int version = 0;
    const bool knows_driver = get_version != nullptr && get_version(&version) == 0 && version != 0;
    dlclose(library);
    if (!knows_driver) return false;
    found = true;
  }
  return found;
}

bool has_gpu() {
  static const bool has = [] {
    try {
      find_target("cuda").device_info("", 0);
      return true;
    } catch (const Error&) {
      return false;
    }
  }();
  return has;
}

}  // namespace

bool is_on_gpu() { return has_gpu_pointers() && has_gpu(); }

}  // namespace tenrec::trt
