// SPDX-License-Identifier: Apache-2.0
// An ONNX model as plain structs, named as onnx.proto names things. Nothing is copied: every
// string_view and every tensor's data points into the bytes that `Model::owner` keeps alive.
// Knows nothing of our IR; nothing here is checked beyond being well-formed protobuf.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"

namespace tenrec::onnx {

struct Graph;
class ExternalData;  // tensor_data.h

struct Metadata {
  std::string_view key, value;
};

struct OpsetImport {
  std::string_view domain;  // "" is ai.onnx
  int64_t version = 0;
};

// An unsupported Error for numbers that ONNX has not given out (or not yet).
DType to_dtype(int32_t data_type);

struct TensorProto {
  std::string_view name;
  std::vector<int64_t> dims;
  int32_t data_type = 0;
  bool is_external = false;
  std::vector<Metadata> external_data;  // location, offset, length, checksum
  std::optional<std::string_view> raw_data;
  // Typed fields, still encoded: payloads of packed fields, or of single elements, in order.
  std::vector<std::string_view> float_data, int32_data, int64_data, uint64_data, double_data;
  std::vector<std::string_view> string_data;
};

// Values at `indices`: flat positions [count], or coordinates [count, rank]; zero elsewhere.
struct SparseTensor {
  TensorProto values;  // its name is the tensor's
  TensorProto indices;
  std::vector<int64_t> dims;
};

struct Dimension {
  std::optional<int64_t> value;
  std::string_view param;  // a label; empty: none
};

struct TypeProto {
  enum class Kind : uint8_t { none, tensor, sparse_tensor, sequence, optional, map, opaque };
  Kind kind = Kind::none;
  int32_t elem_type = 0;                        // tensor, sparse_tensor: TensorProto.DataType
  int32_t key_type = 0;                         // map
  std::optional<std::vector<Dimension>> shape;  // tensor, sparse_tensor; none: unknown rank
  std::shared_ptr<const TypeProto> element;     // sequence, optional; the values of a map
  std::string_view denotation;
};

struct ValueInfo {
  std::string_view name;
  TypeProto type;
};

enum class AttributeType : int32_t {
  undefined = 0,
  f = 1,
  i = 2,
  s = 3,
  tensor = 4,
  graph = 5,
  floats = 6,
  ints = 7,
  strings = 8,
  tensors = 9,
  graphs = 10,
  sparse_tensor = 11,
  sparse_tensors = 12,
  type_proto = 13,
  type_protos = 14,
};
std::string_view name(AttributeType type);  // "int", "tensor", ...

struct Attribute {
  std::string_view name;
  AttributeType type = AttributeType::undefined;  // where the file left it out: what it holds
  std::string_view ref_attr_name;                 // in functions: the caller's attribute to copy
  float f = 0;
  int64_t i = 0;
  std::string_view s;
  std::shared_ptr<const TensorProto> t;
  std::shared_ptr<const Graph> g;
  std::shared_ptr<const SparseTensor> sparse_tensor;
  std::shared_ptr<const TypeProto> tp;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string_view> strings;
  std::vector<TensorProto> tensors;
  std::vector<std::shared_ptr<const Graph>> graphs;
  std::vector<SparseTensor> sparse_tensors;
  std::vector<TypeProto> type_protos;
};

std::string text(const Attribute& attribute);  // its value, shortened where it is long

struct Node {
  std::string_view op_type, domain, overload, name;
  std::vector<std::string_view> inputs, outputs;  // "" = omitted
  std::vector<Attribute> attributes;
};

struct Graph {
  std::string_view name;
  std::vector<Node> nodes;
  std::vector<TensorProto> initializers;
  std::vector<SparseTensor> sparse_initializers;
  std::vector<ValueInfo> inputs, outputs, value_infos;
};

struct Function {
  std::string_view name, domain, overload;
  std::vector<std::string_view> inputs, outputs;
  std::vector<std::string_view> attributes;  // names without default
  std::vector<Attribute> attribute_defaults;
  std::vector<Node> nodes;
  std::vector<OpsetImport> opset_imports;
  std::vector<ValueInfo> value_infos;
};

struct Model {
  int64_t ir_version = 0;
  std::vector<OpsetImport> opset_imports;
  std::string_view producer_name, producer_version, domain, doc_string;
  int64_t model_version = 0;
  Graph graph;
  std::vector<Function> functions;
  std::vector<Metadata> metadata;
  std::shared_ptr<const void> owner;
  std::shared_ptr<ExternalData> external;  // null: the model has no folder
};

}  // namespace tenrec::onnx
