// SPDX-License-Identifier: Apache-2.0
#include "ops/onnx_context.h"

#include <cctype>

#include "onnx/tensor_data.h"

namespace tenrec {
namespace {

Tensor wrap(onnx::TensorData data) {
  if (data.dtype == DType::string)
    return Tensor::of_strings(std::move(data.dims), std::move(data.strings));
  return Tensor(data.dtype, std::move(data.dims), std::move(data.owner), data.data);
}

// Labels come from anyone; the text form wants identifiers.
std::string identifier(std::string_view label) {
  std::string text;
  for (const char c : label) text += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0]))) text.insert(0, "d");
  return text;
}

}  // namespace

std::string_view OnnxNode::op_type() const { return node_.op_type; }
std::string_view OnnxNode::domain() const { return node_.domain; }
size_t OnnxNode::input_count() const { return node_.inputs.size(); }
size_t OnnxNode::output_count() const { return node_.outputs.size(); }
bool OnnxNode::has_output(size_t i) const {
  return i < node_.outputs.size() && !node_.outputs[i].empty();
}

const onnx::Attribute* OnnxNode::find(std::string_view name) const {
  for (size_t i = 0; i < node_.attributes.size(); ++i) {
    if (node_.attributes[i].name != name) continue;
    if (read_.size() <= i) read_.resize(i + 1);
    read_[i] = true;
    return &node_.attributes[i];
  }
  return nullptr;
}

const onnx::Attribute* OnnxNode::find(std::string_view name, onnx::AttributeType type) const {
  const onnx::Attribute* attribute = find(name);
  TENREC_CHECK(!attribute || attribute->type == type, invalid_model,
               "attribute '{}' has type {}, {} is needed", name, onnx::name(attribute->type),
               onnx::name(type));
  return attribute;
}

bool OnnxNode::has(std::string_view attribute) const { return find(attribute) != nullptr; }

int64_t OnnxNode::integer(std::string_view name, int64_t fallback) const {
  const onnx::Attribute* attribute = find(name, onnx::AttributeType::i);
  return attribute ? attribute->i : fallback;
}

int64_t OnnxNode::integer(std::string_view name) const {
  TENREC_CHECK(has(name), invalid_model, "attribute '{}' is missing; it is required", name);
  return integer(name, 0);
}

DType OnnxNode::dtype(std::string_view name) const {
  const int64_t number = integer(name);
  TENREC_CHECK(number == static_cast<int32_t>(number), invalid_model, "attribute '{}' is {}", name,
               number);
  return onnx::to_dtype(static_cast<int32_t>(number));
}

DType OnnxNode::dtype(std::string_view name, DType fallback) const {
  return has(name) ? dtype(name) : fallback;
}

float OnnxNode::number(std::string_view name, float fallback) const {
  const onnx::Attribute* attribute = find(name, onnx::AttributeType::f);
  return attribute ? attribute->f : fallback;
}

std::string OnnxNode::text(std::string_view name, std::string_view fallback) const {
  const onnx::Attribute* attribute = find(name, onnx::AttributeType::s);
  return std::string(attribute ? attribute->s : fallback);
}

std::vector<int64_t> OnnxNode::integers(std::string_view name,
                                        std::vector<int64_t> fallback) const {
  const onnx::Attribute* attribute = find(name, onnx::AttributeType::ints);
  return attribute ? attribute->ints : fallback;
}

std::optional<std::vector<int64_t>> OnnxNode::maybe_integers(std::string_view name) const {
  const onnx::Attribute* attribute = find(name, onnx::AttributeType::ints);
  return attribute ? std::optional(attribute->ints) : std::nullopt;
}

std::vector<float> OnnxNode::numbers(std::string_view name, std::vector<float> fallback) const {
  const onnx::Attribute* attribute = find(name, onnx::AttributeType::floats);
  return attribute ? attribute->floats : fallback;
}

std::vector<std::string> OnnxNode::texts(std::string_view name) const {
  const onnx::Attribute* attribute = find(name, onnx::AttributeType::strings);
  if (!attribute) return {};
  return {attribute->strings.begin(), attribute->strings.end()};
}

Tensor OnnxNode::tensor(std::string_view name) const {
  const onnx::Attribute* attribute = find(name);
  TENREC_CHECK(attribute, invalid_model, "attribute '{}' is missing; it is required", name);
  if (attribute->sparse_tensor) return to_ir_tensor(*attribute->sparse_tensor, model_);
  TENREC_CHECK(attribute->t, invalid_model, "attribute '{}' has type {}, tensor is needed", name,
               onnx::name(attribute->type));
  return to_ir_tensor(*attribute->t, model_);
}

const onnx::TypeProto* OnnxNode::type(std::string_view name) const {
  const onnx::Attribute* attribute = find(name, onnx::AttributeType::type_proto);
  return attribute ? attribute->tp.get() : nullptr;
}

std::shared_ptr<const onnx::Graph> OnnxNode::graph(std::string_view name) const {
  const onnx::Attribute* attribute = find(name);
  TENREC_CHECK(attribute && attribute->g, invalid_model, "attribute '{}' must hold a graph", name);
  return attribute->g;
}

void OnnxNode::without_effect(std::initializer_list<std::string_view> names) const {
  for (const std::string_view name : names) find(name);
}

std::vector<const onnx::Attribute*> OnnxNode::unread() const {
  std::vector<const onnx::Attribute*> unread;
  for (size_t i = 0; i < node_.attributes.size(); ++i) {
    if (i >= read_.size() || !read_[i]) unread.push_back(&node_.attributes[i]);
  }
  return unread;
}

Tensor to_ir_tensor(const onnx::TensorProto& proto, const onnx::Model& model) {
  return wrap(onnx::to_tensor(proto, model));
}

Tensor to_ir_tensor(const onnx::SparseTensor& proto, const onnx::Model& model) {
  return wrap(onnx::to_tensor(proto, model));
}

Type to_ir_type(const onnx::TypeProto& proto, std::string_view name) {
  using Kind = onnx::TypeProto::Kind;
  switch (proto.kind) {
    case Kind::sequence:
      return Type::sequence_of(proto.element ? to_ir_type(*proto.element, name) : Type{});
    case Kind::optional:
      return Type::optional_of(proto.element ? to_ir_type(*proto.element, name) : Type{});
    case Kind::map:
      return Type::map_of(onnx::to_dtype(proto.key_type),
                          proto.element ? to_ir_type(*proto.element, name) : Type{});
    case Kind::tensor: break;
    case Kind::none: fail(ErrorCode::invalid_model, "\"{}\" has no type", name);
    default:
      fail(ErrorCode::unsupported,
           "\"{}\" is a sparse or opaque value; only tensors, sequences, optionals and maps can be "
           "inputs",
           name);
  }
  const DType dtype = onnx::to_dtype(proto.elem_type);
  TENREC_CHECK(dtype != DType::undefined, invalid_model, "\"{}\" has no element type", name);
  if (!proto.shape) return Type::unranked(dtype);
  Shape shape;
  for (size_t axis = 0; axis < proto.shape->size(); ++axis) {
    const onnx::Dimension& dim = (*proto.shape)[axis];
    if (dim.value && *dim.value >= 0) {
      shape.emplace_back(*dim.value);
    } else {
      // Every axis gets a symbol of its own: labels repeat where sizes differ in real models.
      shape.push_back(Dim::fresh(identifier(dim.param.empty() ? fmt::format("{}_{}", name, axis)
                                                              : std::string(dim.param))));
    }
  }
  return Type::tensor(dtype, std::move(shape));
}

}  // namespace tenrec
