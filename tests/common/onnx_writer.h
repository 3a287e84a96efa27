// SPDX-License-Identifier: Apache-2.0
// Writes small ONNX models for tests, as protobuf, with nothing of the reader's code.
//
//   OnnxGraph graph("g");
//   graph.input("x", 1, {"N", "3"}).output("y", 1, {"N", "3"});
//   graph.initializer(OnnxTensor("w", {3}).floats({1, 2, 3}));
//   graph.node("Add", {"x", "w"}, {"y"});
//   std::string bytes = OnnxModel(graph).opset(17).bytes();
//
// Element types are ONNX's numbers (DType converts with static_cast). For anything odd, every part
// gives its message in `bytes()` and takes raw fields with `field`.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenrec::test {

// One message being built.
class OnnxMessage {
 public:
  const std::string& bytes() const { return bytes_; }
  void field(uint32_t id, int64_t value);
  void field(uint32_t id, std::string_view value);
  void field(uint32_t id, float value);

 protected:
  std::string bytes_;
};

using OnnxDims = std::vector<int64_t>;

class OnnxTensor : public OnnxMessage {
 public:
  OnnxTensor(std::string_view name, const OnnxDims& dims, int data_type = 1);
  OnnxTensor& raw(std::string_view little_endian);
  template <class T>
  OnnxTensor& raw_of(const std::vector<T>& values) {
    return raw({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }
  // Typed fields; `packed` false writes one field an element, as proto2 did.
  OnnxTensor& floats(const std::vector<float>& values, bool packed = true);
  OnnxTensor& doubles(const std::vector<double>& values, bool packed = true);
  OnnxTensor& int32s(const std::vector<int32_t>& values, bool packed = true);
  OnnxTensor& int64s(const std::vector<int64_t>& values, bool packed = true);
  OnnxTensor& uint64s(const std::vector<uint64_t>& values, bool packed = true);
  OnnxTensor& strings(const std::vector<std::string>& values);
  // Offset or length -1: left out.
  OnnxTensor& external(std::string_view location, int64_t offset = -1, int64_t length = -1);
  OnnxTensor& external_entry(std::string_view key, std::string_view value);
};

class OnnxSparse : public OnnxMessage {
 public:
  OnnxSparse(const OnnxTensor& values, const OnnxTensor& indices, const OnnxDims& dims);
};

// Types; dims: a number, a dim_param, or "?" for neither.
std::string onnx_tensor_type(int data_type, const std::vector<std::string>& dims);
std::string onnx_unranked_type(int data_type);
std::string onnx_sequence_type(const std::string& element);
std::string onnx_optional_type(const std::string& element);
std::string onnx_map_type(int key_type, const std::string& value);

class OnnxGraph;

class OnnxAttribute : public OnnxMessage {
 public:
  OnnxAttribute(std::string_view name, int64_t value);
  OnnxAttribute(std::string_view name, int value) : OnnxAttribute(name, int64_t{value}) {}
  OnnxAttribute(std::string_view name, float value);
  OnnxAttribute(std::string_view name, const char* value);
  OnnxAttribute(std::string_view name, const std::vector<int64_t>& values);
  OnnxAttribute(std::string_view name, const std::vector<float>& values);
  OnnxAttribute(std::string_view name, const std::vector<std::string>& values);
  OnnxAttribute(std::string_view name, const OnnxTensor& value);
  OnnxAttribute(std::string_view name, const OnnxSparse& value);
  OnnxAttribute(std::string_view name, const OnnxGraph& value);
  // In functions: the value of the caller's attribute `from`.
  static OnnxAttribute reference(std::string_view name, std::string_view from, int type);

 private:
  OnnxAttribute(std::string_view name, int type, int);
};

using Names = std::vector<std::string>;

std::string onnx_node(std::string_view op_type, const Names& inputs, const Names& outputs,
                      const std::vector<OnnxAttribute>& attributes = {}, std::string_view name = {},
                      std::string_view domain = {}, std::string_view overload = {});

class OnnxGraph : public OnnxMessage {
 public:
  explicit OnnxGraph(std::string_view name = "graph");
  OnnxGraph& input(std::string_view name, int data_type, const std::vector<std::string>& dims);
  OnnxGraph& input(std::string_view name, const std::string& type);
  OnnxGraph& output(std::string_view name, int data_type, const std::vector<std::string>& dims);
  OnnxGraph& output(std::string_view name, const std::string& type = {});
  OnnxGraph& value_info(std::string_view name, const std::string& type);
  OnnxGraph& initializer(const OnnxTensor& tensor);
  OnnxGraph& initializer(const OnnxSparse& tensor);
  OnnxGraph& node(std::string_view op_type, const Names& inputs, const Names& outputs,
                  const std::vector<OnnxAttribute>& attributes = {}, std::string_view name = {},
                  std::string_view domain = {});
};

class OnnxFunction : public OnnxMessage {
 public:
  OnnxFunction(std::string_view domain, std::string_view name, const Names& inputs,
               const Names& outputs, const Names& attributes = {});
  OnnxFunction& attribute_default(const OnnxAttribute& attribute);
  OnnxFunction& opset(int64_t version, std::string_view domain = {});
  OnnxFunction& node(std::string_view op_type, const Names& inputs, const Names& outputs,
                     const std::vector<OnnxAttribute>& attributes = {}, std::string_view name = {},
                     std::string_view domain = {});
};

class OnnxModel : public OnnxMessage {
 public:
  explicit OnnxModel(const OnnxGraph& graph, int64_t ir_version = 8);
  OnnxModel& opset(int64_t version, std::string_view domain = {});
  OnnxModel& function(const OnnxFunction& function);
  OnnxModel& metadata(std::string_view key, std::string_view value);
  void save(const std::filesystem::path& path) const;
};

// A fresh folder that is removed with its contents at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void write_test_file(const std::filesystem::path& path, std::string_view bytes);
std::string read_test_file(const std::filesystem::path& path);

}  // namespace tenrec::test
