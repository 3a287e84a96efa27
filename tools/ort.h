// SPDX-License-Identifier: Apache-2.0
// onnxruntime through its C interface, opened at run time: `tenrec bench --vs onnxruntime` times it
// in this process, because a script around it would cost more than a small model does.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tenrec {

// Element types are the numbers of ONNX's TensorProto.DataType, as in tenrec::DType.
struct OrtTensor {
  int32_t dtype = 0;
  std::vector<int64_t> dims;
  std::vector<std::byte> data;
};

// One model on the CPU with all of onnxruntime's optimisations. Errors are std::runtime_error with
// onnxruntime's own message.
class OrtSession {
 public:
  // `library` is a libonnxruntime.so; `threads` 0 leaves the choice to onnxruntime.
  OrtSession(const std::filesystem::path& library, const std::filesystem::path& model, int threads);
  OrtSession(OrtSession&&) noexcept;
  OrtSession& operator=(OrtSession&&) noexcept;
  ~OrtSession();

  const std::vector<std::string>& input_names() const;
  const std::vector<std::string>& output_names() const;

  // `data` is used in place by every later run() and must stay valid. No string tensors.
  void set_input(const std::string& name, int32_t dtype, std::span<const int64_t> dims,
                 const void* data, size_t bytes);
  void run();
  // After run(): a copy.
  OrtTensor output(const std::string& name) const;

  std::string version() const;  // "1.32.0"

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The library inside a virtual environment that has the onnxruntime package (scripts/python_env.sh
// makes build/venv), or an empty path.
std::filesystem::path find_onnxruntime(const std::filesystem::path& environment);

}  // namespace tenrec
