// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/dynlib.h"

#include <dlfcn.h>

#include <filesystem>

#include "base/error.h"
#include "base/knobs.h"

// A function's name in its library: the header's macros give it the version it was compiled for.
#define TENREC_TEXT_OF(name) #name
#define TENREC_TEXT(name) TENREC_TEXT_OF(name)

namespace tenrec::knobs {
const Knob<std::string> cuda_libraries(
    "TENREC_CUDA_LIBRARIES", "",
    "folders, parted by colons, where CUDA's libraries are looked for first");
}  // namespace tenrec::knobs

namespace tenrec::cuda {
namespace {

std::vector<std::string> folders() {
  std::vector<std::string> list;
  const std::string own = knobs::cuda_libraries.get();
  for (size_t begin = 0; begin < own.size();) {
    const size_t end = std::min(own.find(':', begin), own.size());
    if (end > begin) list.push_back(own.substr(begin, end - begin) + "/");
    begin = end + 1;
  }
  list.emplace_back();  // where the system looks
  list.emplace_back("/usr/local/cuda/lib64/");
  list.emplace_back("/usr/local/nvidia/lib64/");
#ifdef TENREC_CUDA_WHEELS
  list.emplace_back(TENREC_CUDA_WHEELS "/");
#endif
  return list;
}

// The message of the first symbol that a library lacks, or "".
std::string missing_symbol(const DynamicLibrary& library, const char* name, const void* symbol) {
  if (symbol || !library.is_open()) return "";
  return fmt::format("{} is too old: it has no {}", library.path(), name);
}

DynamicLibrary& driver_library() {
  static DynamicLibrary& library =
      *new DynamicLibrary("NVIDIA's driver", {"libcuda.so.1", "libcuda.so"},
                          "install the driver of the GPU, or run where there is one");
  return library;
}

DynamicLibrary& nvrtc_library() {
  static DynamicLibrary& library = *new DynamicLibrary(
      "CUDA's run-time compiler", {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"},
      "install the CUDA toolkit or `pip install nvidia-cuda-nvrtc`, and name its folder in "
      "TENREC_CUDA_LIBRARIES");
  return library;
}

template <class Api>
struct Loaded {
  Api api;
  std::string problem;
};

#define TENREC_LOAD_NEWER(function) \
  loaded.api.function =             \
      reinterpret_cast<decltype(loaded.api.function)>(library.symbol(TENREC_TEXT(function)));

#define TENREC_LOAD(function)                                                                 \
  loaded.api.function =                                                                       \
      reinterpret_cast<decltype(loaded.api.function)>(library.symbol(TENREC_TEXT(function))); \
  if (loaded.problem.empty())                                                                 \
    loaded.problem = missing_symbol(library, TENREC_TEXT(function),                           \
                                    reinterpret_cast<const void*>(loaded.api.function));

Loaded<DriverApi>& load_driver() {
  static Loaded<DriverApi>& result = *[] {
    auto* made = new Loaded<DriverApi>;
    Loaded<DriverApi>& loaded = *made;
    const DynamicLibrary& library = driver_library();
    loaded.problem = library.problem();
    TENREC_DRIVER_FUNCTIONS(TENREC_LOAD)
    TENREC_NEWER_DRIVER_FUNCTIONS(TENREC_LOAD_NEWER)
    return made;
  }();
  return result;
}

// NVRTC opens a second library by its bare name: found where the system looks, or loaded already.
void load_companion(const DynamicLibrary& nvrtc) {
  const std::filesystem::path folder = std::filesystem::path(nvrtc.path()).parent_path();
  if (folder.empty()) return;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("libnvrtc-builtins.so.")) dlopen(entry.path().c_str(), RTLD_NOW);
  }
}

Loaded<NvrtcApi>& load_nvrtc() {
  static Loaded<NvrtcApi>& result = *[] {
    auto* made = new Loaded<NvrtcApi>;
    Loaded<NvrtcApi>& loaded = *made;
    const DynamicLibrary& library = nvrtc_library();
    load_companion(library);
    loaded.problem = library.problem();
    TENREC_NVRTC_FUNCTIONS(TENREC_LOAD)
    return made;
  }();
  return result;
}

template <class Api>
const Api* usable(const Loaded<Api>& loaded, std::string& problem) {
  problem = loaded.problem;
  return problem.empty() ? &loaded.api : nullptr;
}

}  // namespace

DynamicLibrary::DynamicLibrary(std::string what, std::vector<std::string> names,
                               std::string advice) {
  for (const std::string& folder : folders()) {
    for (const std::string& name : names) {
      handle_ = dlopen((folder + name).c_str(), RTLD_NOW | RTLD_LOCAL);
      if (!handle_) continue;
      path_ = folder + name;
      return;
    }
  }
  problem_ = fmt::format("{} ({}) is not on this machine; {}", what, names.front(), advice);
}

void* DynamicLibrary::symbol(const char* name) const {
  return handle_ ? dlsym(handle_, name) : nullptr;
}

const DriverApi* find_driver(std::string& problem) { return usable(load_driver(), problem); }
const NvrtcApi* find_nvrtc(std::string& problem) { return usable(load_nvrtc(), problem); }

const DriverApi& driver() {
  std::string problem;
  const DriverApi* api = find_driver(problem);
  TENREC_CHECK(api, device, "{}", problem);
  return *api;
}

const NvrtcApi& nvrtc() {
  std::string problem;
  const NvrtcApi* api = find_nvrtc(problem);
  TENREC_CHECK(api, device, "{}", problem);
  return *api;
}

const DynamicLibrary& cublaslt_library() {
  static DynamicLibrary& library = *new DynamicLibrary(
      "cuBLASLt", {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"},
      "install the CUDA toolkit or `pip install nvidia-cublas`; without it Tenrec's own kernels "
      "multiply matrices");
  return library;
}

const DynamicLibrary& cudnn_library() {
  static DynamicLibrary& library = *new DynamicLibrary(
      "cuDNN", {"libcudnn.so.9", "libcudnn.so"},
      "install it or `pip install nvidia-cudnn-cu13`; without it Tenrec's own kernels convolve");
  return library;
}

std::vector<LibraryReport> report_libraries() {
  std::vector<LibraryReport> reports;
  reports.push_back({"driver", driver_library().path(), load_driver().problem});
  reports.push_back({"NVRTC", nvrtc_library().path(), load_nvrtc().problem});
  reports.push_back({"cuBLASLt", cublaslt_library().path(), cublaslt_library().problem()});
  reports.push_back({"cuDNN", cudnn_library().path(), cudnn_library().problem()});
  return reports;
}

}  // namespace tenrec::cuda
