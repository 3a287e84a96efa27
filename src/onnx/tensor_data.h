// SPDX-License-Identifier: Apache-2.0
// The values of ONNX tensors, whatever their encoding, as plain row-major bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/file.h"
#include "onnx/model.h"

namespace tenrec::onnx {

// What Tensor(dtype, dims, owner, data) and Tensor::of_strings take. Elements are packed (two 4-bit
// ones a byte, low first) and aligned to their size; bools are 0 or 1.
struct TensorData {
  DType dtype = DType::undefined;
  std::vector<int64_t> dims;
  const std::byte* data = nullptr;    // null for strings, never else
  std::shared_ptr<const void> owner;  // of data: the mapped file where it could stay there
  std::vector<std::string> strings;
};

// The files beside a model that hold its big tensors: each mapped once, and none outside the
// folder, be it by an absolute path, by "..", or by a symbolic link. Thread-safe.
class ExternalData {
 public:
  explicit ExternalData(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::shared_ptr<const MappedFile> open(std::string_view location);

 private:
  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const MappedFile>, std::less<>> files_;
};

// Wrong sizes, encodings or external files are Errors that name the tensor.
TensorData to_tensor(const TensorProto& tensor, const Model& model);
TensorData to_tensor(const SparseTensor& tensor, const Model& model);  // dense

}  // namespace tenrec::onnx
