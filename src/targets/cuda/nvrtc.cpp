// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/nvrtc.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "targets/cuda/device_files.h"
#include "targets/cuda/run/dynlib.h"

namespace tenrec::cuda {
namespace {

void check(nvrtcResult result, std::string_view what) {
  TENREC_CHECK(result == NVRTC_SUCCESS, device, "{}: NVRTC says {}", what,
               nvrtc().nvrtcGetErrorString(result));
}

class Program {
 public:
  explicit Program(const plan::KernelSource& source) : name_(source.name) {
    std::vector<const char*> texts, names;
    for (const DeviceFile& file : device_files()) {
      texts.push_back(file.text);
      names.push_back(file.name);
    }
    check(nvrtc().nvrtcCreateProgram(&program_, source.text.c_str(), (source.name + ".cu").c_str(),
                                     static_cast<int>(texts.size()), texts.data(), names.data()),
          "reading a kernel's text");
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { nvrtc().nvrtcDestroyProgram(&program_); }

  std::string compile(const std::string& architecture) {
    const std::string arch = "--gpu-architecture=" + architecture;
    const std::vector<const char*> options{
        arch.c_str(), "--std=c++17", "--device-as-default-execution-space", "--diag-suppress=177"};
    const nvrtcResult result =
        nvrtc().nvrtcCompileProgram(program_, static_cast<int>(options.size()), options.data());
    TENREC_CHECK(result == NVRTC_SUCCESS, internal, "kernel \"{}\" does not compile for {}: {}\n{}",
                 name_, architecture, nvrtc().nvrtcGetErrorString(result), log());
    size_t size = 0;
    check(nvrtc().nvrtcGetCUBINSize(program_, &size), "asking for device code");
    std::string image(size, '\0');
    check(nvrtc().nvrtcGetCUBIN(program_, image.data()), "fetching device code");
    return image;
  }

 private:
  std::string log() const {
    size_t size = 0;
    nvrtc().nvrtcGetProgramLogSize(program_, &size);
    std::string text(size, '\0');
    if (size > 0) nvrtc().nvrtcGetProgramLog(program_, text.data());
    return text.substr(0, 4000);
  }
  std::string name_;
  nvrtcProgram program_ = nullptr;
};

// Of this process; the key says everything that an image depends on. A text is compiled by whoever
// asks for it first, others wait.
class ImageCache {
 public:
  using Image = std::shared_future<std::string>;
  static ImageCache& instance() {
    static ImageCache& cache = *new ImageCache;
    return cache;
  }
  // True: the caller shall compile it and keep the promise.
  bool claim(const std::string& key, Image& image, std::promise<std::string>& promise) {
    const std::lock_guard lock(mutex_);
    const auto found = images_.find(key);
    if (found != images_.end()) {
      image = found->second;
      return false;
    }
    image = images_[key] = promise.get_future().share();
    return true;
  }
  void forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    images_.erase(key);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Image> images_;
};

// Does not wait where somebody else compiles the text already.
ImageCache::Image image_of(const plan::KernelSource& source, const std::string& key,
                           const std::string& architecture) {
  ImageCache::Image image;
  std::promise<std::string> promise;
  if (!ImageCache::instance().claim(key, image, promise)) return image;
  try {
    promise.set_value(Program(source).compile(architecture));
  } catch (...) {
    ImageCache::instance().forget(key);
    promise.set_exception(std::current_exception());
  }
  return image;
}

std::string key_of(const plan::KernelSource& source, const std::string& architecture,
                   const std::string& version) {
  static const std::string files = [] {
    Hasher hasher;
    for (const DeviceFile& file : device_files()) {
      hasher.add(std::string_view(file.name));
      hasher.add(std::string_view(file.text));
    }
    return hasher.digest().hex();
  }();
  return hash128(source.text + files + architecture + version).hex();
}

}  // namespace

std::string compiler_version(std::string& problem) {
  const NvrtcApi* api = find_nvrtc(problem);
  int major = 0, minor = 0;
  if (!api || api->nvrtcVersion(&major, &minor) != NVRTC_SUCCESS) return "";
  return fmt::format("{}.{}", major, minor);
}

std::vector<plan::KernelImage> compile(std::span<const plan::KernelSource> sources, int capability,
                                       int threads, std::vector<std::string>* failures,
                                       TimingCache* cache) {
  std::vector<plan::KernelImage> images(sources.size());
  if (failures) failures->assign(sources.size(), "");
  if (sources.empty()) return images;
  nvrtc();  // a clear error if there is none
  std::string problem;
  const std::string version = compiler_version(problem);
  const std::string architecture = fmt::format("sm_{}{}", capability, capability >= 90 ? "a" : "");
  std::vector<ImageCache::Image> compiled(sources.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < sources.size(); i = next++) {
      images[i].key = key_of(sources[i], architecture, version);
      const std::string* known = cache ? cache->find_image(images[i].key) : nullptr;
      if (known) images[i].bytes = *known;
      else compiled[i] = image_of(sources[i], images[i].key, architecture);
    }
  };
  std::vector<std::thread> pool;
  const size_t wanted = std::min<size_t>(static_cast<size_t>(std::max(threads, 1)), sources.size());
  for (size_t i = 1; i < wanted; ++i) pool.emplace_back(work);
  work();
  for (std::thread& thread : pool) thread.join();
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!compiled[i].valid()) continue;
    try {
      images[i].bytes = compiled[i].get();
      if (cache) cache->put_image(images[i].key, images[i].bytes);
    } catch (const std::exception& error) {
      if (!failures) throw;
      failures->at(i) = error.what();
    }
  }
  return images;
}

}  // namespace tenrec::cuda
