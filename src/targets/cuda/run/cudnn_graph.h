// SPDX-License-Identifier: Apache-2.0
// cuDNN's graph API: its functions, descriptors that clean up after themselves, and a step of ours
// as the operations that cuDNN wants described.
#pragma once
#include <cudnn.h>

#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ir/tensor.h"
#include "targets/cuda/run/dynlib.h"
#include "targets/cuda/run/gemm_params.h"

namespace tenrec::cuda::cudnn {

#define TENREC_CUDNN_FUNCTIONS(X)  \
  X(cudnnCreate)                   \
  X(cudnnDestroy)                  \
  X(cudnnSetStream)                \
  X(cudnnGetErrorString)           \
  X(cudnnBackendCreateDescriptor)  \
  X(cudnnBackendDestroyDescriptor) \
  X(cudnnBackendSetAttribute)      \
  X(cudnnBackendGetAttribute)      \
  X(cudnnBackendFinalize)          \
  X(cudnnBackendExecute)

TENREC_LIBRARY_API(Api, TENREC_CUDNN_FUNCTIONS)

const Api& api();
void check(cudnnStatus_t status, std::string_view what);

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    check(api().cudnnBackendCreateDescriptor(type, &value_), "a cuDNN descriptor");
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_) api().cudnnBackendDestroyDescriptor(value_);
  }
  cudnnBackendDescriptor_t get() const { return value_; }

  template <class T>
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
           const std::vector<T>& values) {
    check(api().cudnnBackendSetAttribute(value_, name, type, static_cast<int64_t>(values.size()),
                                         values.data()),
          "a cuDNN attribute");
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& other) {
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::vector{other.get()});
  }
  void set(cudnnBackendAttributeName_t name, const std::vector<int64_t>& values) {
    set(name, CUDNN_TYPE_INT64, values);
  }
  cudnnStatus_t finalize() { return api().cudnnBackendFinalize(value_); }

  std::vector<int64_t> numbers(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                               int64_t most = 1) const {
    std::vector<int64_t> values(static_cast<size_t>(most));
    int64_t count = 0;
    const cudnnStatus_t status =
        api().cudnnBackendGetAttribute(value_, name, type, most, &count, values.data());
    values.resize(status == CUDNN_STATUS_SUCCESS ? static_cast<size_t>(std::min(count, most)) : 0);
    return values;
  }
  std::vector<Descriptor> descriptors(cudnnBackendAttributeName_t name,
                                      cudnnBackendDescriptorType_t type, int64_t most) const {
    std::vector<Descriptor> all;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (int64_t i = 0; i < most; ++i) raw.push_back(all.emplace_back(type).get());
    int64_t count = 0;
    const cudnnStatus_t status = api().cudnnBackendGetAttribute(
        value_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, &count, raw.data());
    const int64_t kept = status == CUDNN_STATUS_SUCCESS ? std::min(count, most) : 0;
    while (static_cast<int64_t>(all.size()) > kept) all.pop_back();
    return all;
  }

 private:
  cudnnBackendDescriptor_t value_ = nullptr;
};

constexpr int64_t unique_x = 'x', unique_w = 'w', unique_y = 'y', first_unique = 256;

// The operations of one step, as cuDNN wants them described.
class OperationGraph {
 public:
  // `full_types`: of the epilogue's full operands. `params` outlive the graph.
  OperationGraph(cudnnHandle_t handle, const GemmParams& params, const GemmSizes& s,
                 const std::vector<DType>& full_types);

  const Descriptor& get() const { return graph_; }
  // Constants of the epilogue: their unique numbers and values.
  const std::vector<std::pair<int64_t, float>>& constants() const { return constants_; }
  static int64_t unique_channel(int64_t i) { return first_unique + i; }
  static int64_t unique_full(int64_t i) { return 2 * first_unique + i; }

 private:
  size_t tensor(const Dims& dims, DType type, int64_t unique, bool is_virtual = false,
                bool by_value = false);
  size_t virtual_tensor() { return tensor(out_dims_, DType::f32, next_++, true); }
  void convolution(size_t x, size_t w, size_t y, const GemmSizes& s);
  void epilogue(size_t result);
  size_t input(int32_t index, size_t result);
  size_t operand(int32_t argument, std::vector<size_t>& values);
  size_t constant(const ExprNode& node);
  void pointwise(const ExprNode& node, std::vector<size_t>& values, size_t y);

  const GemmParams& params_;
  const std::vector<DType>& full_types_;
  Dims out_dims_;
  std::vector<Descriptor> tensors_, operations_, parts_;
  std::vector<std::pair<int64_t, float>> constants_;
  int64_t next_ = 4 * first_unique;
  Descriptor graph_{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
};

}  // namespace tenrec::cuda::cudnn
