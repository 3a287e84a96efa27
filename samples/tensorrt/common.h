// SPDX-License-Identifier: Apache-2.0
// What the TensorRT-style samples share: a logger, device memory that frees itself, an engine from
// a file, PPM pictures.
#pragma once
#include <NvInfer.h>
#include <cuda_runtime_api.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "../picture.h"

namespace samples {

class Logger : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const char* message) noexcept override {
    if (severity <= Severity::kWARNING) std::fprintf(stderr, "[TRT] %s\n", message);
  }
};

inline void check(bool is_good, const std::string& what) {
  if (!is_good) throw std::runtime_error(what + " failed");
}

class DeviceMemory {
 public:
  DeviceMemory() = default;
  explicit DeviceMemory(size_t bytes) : bytes_(bytes) {
    check(cudaMalloc(&data_, bytes) == cudaSuccess, "cudaMalloc");
  }
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceMemory() { cudaFree(data_); }
  void swap(DeviceMemory& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }
  void* get() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

class Stream {
 public:
  Stream() { check(cudaStreamCreate(&stream_) == cudaSuccess, "cudaStreamCreate"); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { cudaStreamDestroy(stream_); }
  cudaStream_t get() const { return stream_; }
  void wait() const {
    check(cudaStreamSynchronize(stream_) == cudaSuccess, "cudaStreamSynchronize");
  }
  void to_device(const DeviceMemory& to, const void* from, size_t bytes) const {
    check(cudaMemcpyAsync(to.get(), from, bytes, cudaMemcpyHostToDevice, stream_) == cudaSuccess,
          "copying to the device");
  }
  void to_host(void* to, const DeviceMemory& from, size_t bytes) const {
    check(cudaMemcpyAsync(to, from.get(), bytes, cudaMemcpyDeviceToHost, stream_) == cudaSuccess,
          "copying to the host");
  }

 private:
  cudaStream_t stream_ = nullptr;
};

inline std::unique_ptr<nvinfer1::ICudaEngine> load_engine(nvinfer1::ILogger& logger,
                                                          const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  check(!bytes.empty(), "reading " + path);
  const std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(logger));
  std::unique_ptr<nvinfer1::ICudaEngine> engine(
      runtime->deserializeCudaEngine(bytes.data(), bytes.size()));
  check(engine != nullptr, "loading the engine " + path);
  return engine;
}

}  // namespace samples
