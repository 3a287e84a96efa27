// SPDX-License-Identifier: Apache-2.0
// One execution context with memory for all its inputs and outputs, on the host and on the device.
#pragma once
#include <NvInfer.h>
#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <vector>

#include "options.h"
#include "report.h"

namespace trtexec {

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { cudaFree(device_); }
  void resize(size_t bytes, bool managed);  // throws when there is no memory
  void* device() const { return device_; }
  std::vector<char>& host() { return host_; }
  const std::vector<char>& host() const { return host_; }

 private:
  void* device_ = nullptr;
  size_t capacity_ = 0;
  std::vector<char> host_;
};

// An input or output; outputs grow when the library asks for more memory than there is.
class Binding : public nvinfer1::IOutputAllocator {
 public:
  std::string name;
  bool is_input = false, is_host = false, managed = false;
  nvinfer1::DataType type = nvinfer1::DataType::kFLOAT;
  nvinfer1::Dims dims{};
  nvinfer1::Dims preferred{};  // inputs: sizes to try where `dims` has -1
  Buffer buffer;

  void* reallocateOutput(const char*, void*, uint64_t size, uint64_t) noexcept override;
  void notifyShape(const char*, const nvinfer1::Dims& shape) noexcept override { dims = shape; }
  size_t bytes() const;
  void* address() { return is_host ? buffer.host().data() : buffer.device(); }
  std::vector<double> values() const;
};

class Session {
 public:
  Session(nvinfer1::ICudaEngine& engine, const Options& options);
  ~Session();

  nvinfer1::IExecutionContext& context() { return *context_; }
  // One query; times in milliseconds since `start`. Throws when it fails.
  Trace run(cudaEvent_t start, float host_now);
  void fetch_outputs();
  std::vector<std::unique_ptr<Binding>>& bindings() { return bindings_; }

 private:
  void shape_input(nvinfer1::ICudaEngine& engine, Binding& binding);
  void choose_open_sizes();
  bool try_sizes(const std::vector<bool>& use_preferred);
  void bind_input(Binding& binding);
  void fill(Binding& binding);
  void copy_inputs();
  const Options& options_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
  std::vector<std::unique_ptr<Binding>> bindings_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t events_[4] = {};  // copies begin, compute begins, compute ends, copies end
};

const char* name_of(nvinfer1::DataType type);

}  // namespace trtexec
