// SPDX-License-Identifier: Apache-2.0
#include "common/onnx_writer.h"

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <protozero/pbf_writer.hpp>
#include <stdexcept>

namespace tenrec::test {
namespace {

using protozero::pbf_writer;

protozero::data_view view(std::string_view text) { return {text.data(), text.size()}; }

void add(std::string& to, uint32_t id, std::string_view value) {
  pbf_writer(to).add_bytes(id, view(value));
}
void add(std::string& to, uint32_t id, int64_t value) { pbf_writer(to).add_int64(id, value); }

std::string entry(std::string_view key, std::string_view value) {
  std::string message;
  add(message, 1, key);
  add(message, 2, value);
  return message;
}

std::string opset_id(int64_t version, std::string_view domain) {
  std::string message;
  add(message, 1, domain);
  add(message, 2, version);
  return message;
}

std::string value_info_message(std::string_view name, const std::string& type) {
  std::string message;
  add(message, 1, name);
  if (!type.empty()) add(message, 2, type);
  return message;
}

std::string wrapped(uint32_t id, std::string_view inner) {
  std::string message;
  add(message, id, inner);
  return message;
}

// AttributeProto.AttributeType
enum : int {
  float_type = 1,
  int_type,
  string_type,
  tensor_type,
  graph_type,
  floats_type,
  ints_type,
  strings_type,
  sparse_type = 11
};

}  // namespace

void OnnxMessage::field(uint32_t id, int64_t value) { add(bytes_, id, value); }
void OnnxMessage::field(uint32_t id, std::string_view value) { add(bytes_, id, value); }
void OnnxMessage::field(uint32_t id, float value) { pbf_writer(bytes_).add_float(id, value); }

OnnxTensor::OnnxTensor(std::string_view name, const OnnxDims& dims, int data_type) {
  pbf_writer writer(bytes_);
  writer.add_packed_int64(1, dims.begin(), dims.end());
  writer.add_int32(2, data_type);
  field(8, name);
}
OnnxTensor& OnnxTensor::raw(std::string_view little_endian) {
  field(9, little_endian);
  return *this;
}
OnnxTensor& OnnxTensor::floats(const std::vector<float>& values, bool packed) {
  pbf_writer writer(bytes_);
  if (packed) writer.add_packed_float(4, values.begin(), values.end());
  for (size_t i = 0; !packed && i < values.size(); ++i) writer.add_float(4, values[i]);
  return *this;
}
OnnxTensor& OnnxTensor::doubles(const std::vector<double>& values, bool packed) {
  pbf_writer writer(bytes_);
  if (packed) writer.add_packed_double(10, values.begin(), values.end());
  for (size_t i = 0; !packed && i < values.size(); ++i) writer.add_double(10, values[i]);
  return *this;
}
OnnxTensor& OnnxTensor::int32s(const std::vector<int32_t>& values, bool packed) {
  pbf_writer writer(bytes_);
  if (packed) writer.add_packed_int32(5, values.begin(), values.end());
  for (size_t i = 0; !packed && i < values.size(); ++i) writer.add_int32(5, values[i]);
  return *this;
}
OnnxTensor& OnnxTensor::int64s(const std::vector<int64_t>& values, bool packed) {
  pbf_writer writer(bytes_);
  if (packed) writer.add_packed_int64(7, values.begin(), values.end());
  for (size_t i = 0; !packed && i < values.size(); ++i) writer.add_int64(7, values[i]);
  return *this;
}
OnnxTensor& OnnxTensor::uint64s(const std::vector<uint64_t>& values, bool packed) {
  pbf_writer writer(bytes_);
  if (packed) writer.add_packed_uint64(11, values.begin(), values.end());
  for (size_t i = 0; !packed && i < values.size(); ++i) writer.add_uint64(11, values[i]);
  return *this;
}
OnnxTensor& OnnxTensor::strings(const std::vector<std::string>& values) {
  for (const std::string& value : values) field(6, value);
  return *this;
}
OnnxTensor& OnnxTensor::external(std::string_view location, int64_t offset, int64_t length) {
  external_entry("location", location);
  if (offset >= 0) external_entry("offset", std::to_string(offset));
  if (length >= 0) external_entry("length", std::to_string(length));
  return *this;
}
OnnxTensor& OnnxTensor::external_entry(std::string_view key, std::string_view value) {
  field(13, entry(key, value));
  field(14, int64_t{1});
  return *this;
}

OnnxSparse::OnnxSparse(const OnnxTensor& values, const OnnxTensor& indices, const OnnxDims& dims) {
  field(1, values.bytes());
  field(2, indices.bytes());
  pbf_writer(bytes_).add_packed_int64(3, dims.begin(), dims.end());
}

std::string onnx_tensor_type(int data_type, const std::vector<std::string>& dims) {
  std::string shape;
  for (const std::string& dim : dims) {
    std::string dimension;
    const bool number = dim.find_first_not_of("-0123456789") == dim.npos;
    if (number) add(dimension, 1, int64_t{std::stoll(dim)});
    else if (dim != "?") add(dimension, 2, std::string_view(dim));
    add(shape, 1, std::string_view(dimension));
  }
  std::string tensor;
  add(tensor, 1, int64_t{data_type});
  add(tensor, 2, std::string_view(shape));
  return wrapped(1, tensor);
}
std::string onnx_unranked_type(int data_type) {
  std::string tensor;
  add(tensor, 1, int64_t{data_type});
  return wrapped(1, tensor);
}
std::string onnx_sequence_type(const std::string& element) {
  return wrapped(4, wrapped(1, element));
}
std::string onnx_optional_type(const std::string& element) {
  return wrapped(9, wrapped(1, element));
}
std::string onnx_map_type(int key_type, const std::string& value) {
  std::string map;
  add(map, 1, int64_t{key_type});
  add(map, 2, std::string_view(value));
  return wrapped(5, map);
}

OnnxAttribute::OnnxAttribute(std::string_view name, int type, int) {
  field(1, name);
  field(20, int64_t{type});
}
OnnxAttribute::OnnxAttribute(std::string_view name, int64_t value)
    : OnnxAttribute(name, int_type, 0) {
  field(3, value);
}
OnnxAttribute::OnnxAttribute(std::string_view name, float value)
    : OnnxAttribute(name, float_type, 0) {
  field(2, value);
}
OnnxAttribute::OnnxAttribute(std::string_view name, const char* value)
    : OnnxAttribute(name, string_type, 0) {
  field(4, std::string_view(value));
}
OnnxAttribute::OnnxAttribute(std::string_view name, const std::vector<int64_t>& values)
    : OnnxAttribute(name, ints_type, 0) {
  pbf_writer(bytes_).add_packed_int64(8, values.begin(), values.end());
}
OnnxAttribute::OnnxAttribute(std::string_view name, const std::vector<float>& values)
    : OnnxAttribute(name, floats_type, 0) {
  pbf_writer(bytes_).add_packed_float(7, values.begin(), values.end());
}
OnnxAttribute::OnnxAttribute(std::string_view name, const std::vector<std::string>& values)
    : OnnxAttribute(name, strings_type, 0) {
  for (const std::string& value : values) field(9, value);
}
OnnxAttribute::OnnxAttribute(std::string_view name, const OnnxTensor& value)
    : OnnxAttribute(name, tensor_type, 0) {
  field(5, value.bytes());
}
OnnxAttribute::OnnxAttribute(std::string_view name, const OnnxSparse& value)
    : OnnxAttribute(name, sparse_type, 0) {
  field(22, value.bytes());
}
OnnxAttribute::OnnxAttribute(std::string_view name, const OnnxGraph& value)
    : OnnxAttribute(name, graph_type, 0) {
  field(6, value.bytes());
}
OnnxAttribute OnnxAttribute::reference(std::string_view name, std::string_view from, int type) {
  OnnxAttribute attribute(name, type, 0);
  attribute.field(21, from);
  return attribute;
}

std::string onnx_node(std::string_view op_type, const Names& inputs, const Names& outputs,
                      const std::vector<OnnxAttribute>& attributes, std::string_view name,
                      std::string_view domain, std::string_view overload) {
  std::string node;
  for (const std::string& input : inputs) add(node, 1, std::string_view(input));
  for (const std::string& output : outputs) add(node, 2, std::string_view(output));
  if (!name.empty()) add(node, 3, name);
  add(node, 4, op_type);
  for (const OnnxAttribute& attribute : attributes) {
    add(node, 5, std::string_view(attribute.bytes()));
  }
  if (!domain.empty()) add(node, 7, domain);
  if (!overload.empty()) add(node, 8, overload);
  return node;
}

OnnxGraph::OnnxGraph(std::string_view name) { field(2, name); }
OnnxGraph& OnnxGraph::input(std::string_view name, int data_type,
                            const std::vector<std::string>& dims) {
  return input(name, onnx_tensor_type(data_type, dims));
}
OnnxGraph& OnnxGraph::input(std::string_view name, const std::string& type) {
  field(11, value_info_message(name, type));
  return *this;
}
OnnxGraph& OnnxGraph::output(std::string_view name, int data_type,
                             const std::vector<std::string>& dims) {
  return output(name, onnx_tensor_type(data_type, dims));
}
OnnxGraph& OnnxGraph::output(std::string_view name, const std::string& type) {
  field(12, value_info_message(name, type));
  return *this;
}
OnnxGraph& OnnxGraph::value_info(std::string_view name, const std::string& type) {
  field(13, value_info_message(name, type));
  return *this;
}
OnnxGraph& OnnxGraph::initializer(const OnnxTensor& tensor) {
  field(5, tensor.bytes());
  return *this;
}
OnnxGraph& OnnxGraph::initializer(const OnnxSparse& tensor) {
  field(15, tensor.bytes());
  return *this;
}
OnnxGraph& OnnxGraph::node(std::string_view op_type, const Names& inputs, const Names& outputs,
                           const std::vector<OnnxAttribute>& attributes, std::string_view name,
                           std::string_view domain) {
  field(1, onnx_node(op_type, inputs, outputs, attributes, name, domain));
  return *this;
}

OnnxFunction::OnnxFunction(std::string_view domain, std::string_view name, const Names& inputs,
                           const Names& outputs, const Names& attributes) {
  field(1, name);
  for (const std::string& input : inputs) field(4, input);
  for (const std::string& output : outputs) field(5, output);
  for (const std::string& attribute : attributes) field(6, attribute);
  field(10, domain);
}
OnnxFunction& OnnxFunction::attribute_default(const OnnxAttribute& attribute) {
  field(11, attribute.bytes());
  return *this;
}
OnnxFunction& OnnxFunction::opset(int64_t version, std::string_view domain) {
  field(9, opset_id(version, domain));
  return *this;
}
OnnxFunction& OnnxFunction::node(std::string_view op_type, const Names& inputs,
                                 const Names& outputs, const std::vector<OnnxAttribute>& attributes,
                                 std::string_view name, std::string_view domain) {
  field(7, onnx_node(op_type, inputs, outputs, attributes, name, domain));
  return *this;
}

OnnxModel::OnnxModel(const OnnxGraph& graph, int64_t ir_version) {
  field(1, ir_version);
  field(2, std::string_view("tenrec tests"));
  field(7, graph.bytes());
}
OnnxModel& OnnxModel::opset(int64_t version, std::string_view domain) {
  field(8, opset_id(version, domain));
  return *this;
}
OnnxModel& OnnxModel::function(const OnnxFunction& function) {
  field(25, function.bytes());
  return *this;
}
OnnxModel& OnnxModel::metadata(std::string_view key, std::string_view value) {
  field(14, entry(key, value));
  return *this;
}
void OnnxModel::save(const std::filesystem::path& path) const { write_test_file(path, bytes_); }

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tenrec-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_test_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!stream.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string read_test_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace tenrec::test
