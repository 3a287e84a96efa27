// SPDX-License-Identifier: Apache-2.0
#include "onnx/reader.h"

#include <array>
#include <bit>
#include <new>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/protobuf.h"
#include "onnx/tensor_data.h"

namespace tenrec::onnx {
namespace {

// A protobuf message holds less than 2 GiB; protozero counts on it too.
constexpr uint64_t largest_file = (uint64_t{1} << 31) - 1;

// Reads messages of onnx.proto by field number. `path_` says where it is; it is left as it stands
// when an exception passes, for the message.
class Parser {
 public:
  Parser(std::string_view bytes, const ReadLimits& limits) : bytes_(bytes), limits_(limits) {}

  Model parse() {
    Model model;
    guarded([&] {
      read(model, bytes_);
      check(model);
    });
    return model;
  }

  ValueProto parse_value(const TypeProto& type) {
    ValueProto value;
    guarded([&] { read(value, bytes_, type); });
    return value;
  }

 private:
  struct Place {
    std::string_view field;
    int64_t index;  // -1: not repeated
  };

  template <class Body>
  void guarded(Body&& body) const {
    try {
      body();
    } catch (const MalformedProtobuf& error) {
      fail(ErrorCode::invalid_model,
           "{}: {}, at byte {}; the file is truncated, damaged or no ONNX file", path(),
           error.what(), error.where() - bytes_.data());
    } catch (const std::bad_alloc&) {
      fail(ErrorCode::out_of_memory, "{}: not enough memory to read the file", path());
    }
  }

  std::string path() const {
    if (path_.empty()) return "model";
    std::string text;
    for (const Place& place : path_) {
      if (!text.empty()) text += '.';
      text += place.field;
      if (place.index >= 0) text += fmt::format("[{}]", place.index);
    }
    return text;
  }

  template <class Body>
  void within(std::string_view field, int64_t index, const char* where, Body&& body) {
    path_.push_back({field, index});
    if (path_.size() > static_cast<size_t>(limits_.depth)) {
      throw MalformedProtobuf(fmt::format("messages are nested more than {} deep", limits_.depth),
                              where);
    }
    body();
    path_.pop_back();
  }

  void count_item(const char* where) {
    if (++items_ > limits_.items) {
      throw MalformedProtobuf(fmt::format("the model has more than {} parts", limits_.items),
                              where);
    }
  }

  // One value of a repeated message field.
  template <class T>
  void add(std::vector<T>& into, std::string_view field, ProtobufReader& reader) {
    count_item(reader.position());
    within(field, static_cast<int64_t>(into.size()), reader.position(), [&] {
      const std::string_view message = reader.bytes();
      read(into.emplace_back(), message);
    });
  }

  template <class T>
  void set(T& into, std::string_view field, ProtobufReader& reader) {
    within(field, -1, reader.position(), [&] {
      into = T{};
      read(into, reader.bytes());
    });
  }

  template <class T>
  std::shared_ptr<const T> shared(std::string_view field, int64_t index, ProtobufReader& reader) {
    auto value = std::make_shared<T>();
    within(field, index, reader.position(), [&] { read(*value, reader.bytes()); });
    return value;
  }

  std::string_view name(ProtobufReader& reader) const {
    const std::string_view text = reader.bytes();
    if (text.size() > limits_.name_bytes) {
      throw MalformedProtobuf(fmt::format("a name of {} bytes is longer than the allowed {}",
                                          text.size(), limits_.name_bytes),
                              text.data());
    }
    return text;
  }

  void add_name(std::vector<std::string_view>& into, ProtobufReader& reader) {
    count_item(reader.position());
    into.push_back(name(reader));
  }

  static int64_t integer(ProtobufReader& reader) { return static_cast<int64_t>(reader.varint()); }

  static int32_t small_integer(ProtobufReader& reader) {
    const char* const where = reader.position();
    const int64_t value = integer(reader);
    if (value != static_cast<int32_t>(value)) {
      throw MalformedProtobuf(fmt::format("{} does not fit 32 bits", value), where);
    }
    return static_cast<int32_t>(value);
  }

  static float number(ProtobufReader& reader) { return std::bit_cast<float>(reader.fixed32()); }

  // Repeated numbers come packed or one by one, whatever the schema says.
  static void add_integers(std::vector<int64_t>& into, ProtobufReader& reader) {
    if (reader.type() != WireType::bytes) {
      into.push_back(integer(reader));
      return;
    }
    std::vector<uint64_t> values;
    decode_varints(reader.bytes(), values);
    for (const uint64_t value : values) into.push_back(static_cast<int64_t>(value));
  }

  static void add_floats(std::vector<float>& into, ProtobufReader& reader) {
    if (reader.type() != WireType::bytes) {
      into.push_back(number(reader));
      return;
    }
    const std::string_view payload = reader.bytes();
    if (payload.size() % sizeof(float) != 0) {
      throw MalformedProtobuf(fmt::format("{} bytes are no whole number of floats", payload.size()),
                              payload.data());
    }
    for (size_t i = 0; i < payload.size(); i += sizeof(float)) {
      uint32_t bits = 0;
      for (size_t k = sizeof(float); k-- > 0;) {
        bits = bits << 8 | static_cast<uint8_t>(payload[i + k]);
      }
      into.push_back(std::bit_cast<float>(bits));
    }
  }

  void add_payload(std::vector<std::string_view>& into, WireType element, ProtobufReader& reader) {
    const char* const where = reader.position();
    if (reader.type() != WireType::bytes && reader.type() != element) {
      throw MalformedProtobuf(fmt::format("field {} has the wrong wire type", reader.id()), where);
    }
    if (reader.type() == element) count_item(where);
    const std::string_view payload = reader.payload();
    if (!payload.empty()) into.push_back(payload);
  }

  void read(Metadata& entry, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: entry.key = reader.bytes(); break;
        case 2: entry.value = reader.bytes(); break;
        default: reader.skip();
      }
    }
  }

  void read(OpsetImport& import, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: import.domain = name(reader); break;
        case 2: import.version = integer(reader); break;
        default: reader.skip();
      }
    }
  }

  void read(TensorProto& tensor, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: add_integers(tensor.dims, reader); break;
        case 2: tensor.data_type = small_integer(reader); break;
        case 3:
          throw MalformedProtobuf("tensors in segments are not part of ONNX", reader.position());
        case 4: add_payload(tensor.float_data, WireType::fixed32, reader); break;
        case 5: add_payload(tensor.int32_data, WireType::varint, reader); break;
        case 6:
          count_item(reader.position());
          tensor.string_data.push_back(reader.bytes());
          break;
        case 7: add_payload(tensor.int64_data, WireType::varint, reader); break;
        case 8: tensor.name = name(reader); break;
        case 9: tensor.raw_data = reader.bytes(); break;
        case 10: add_payload(tensor.double_data, WireType::fixed64, reader); break;
        case 11: add_payload(tensor.uint64_data, WireType::varint, reader); break;
        case 13: add(tensor.external_data, "external_data", reader); break;
        case 14: tensor.is_external = integer(reader) == 1; break;
        default: reader.skip();
      }
    }
  }

  void read(SparseTensor& tensor, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: set(tensor.values, "values", reader); break;
        case 2: set(tensor.indices, "indices", reader); break;
        case 3: add_integers(tensor.dims, reader); break;
        default: reader.skip();
      }
    }
  }

  void read(Dimension& dimension, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: dimension = {integer(reader), {}}; break;
        case 2: dimension = {{}, name(reader)}; break;
        default: reader.skip();
      }
    }
  }

  void read(std::vector<Dimension>& dims, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: add(dims, "dim", reader); break;
        default: reader.skip();
      }
    }
  }

  void read_tensor_type(TypeProto& type, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: type.elem_type = small_integer(reader); break;
        case 2:
          within("shape", -1, reader.position(),
                 [&] { read(type.shape.emplace(), reader.bytes()); });
          break;
        default: reader.skip();
      }
    }
  }

  // Sequences and optionals keep their element in field 1; maps the key's type there and the
  // values' type in field 2.
  void read_container_type(TypeProto& type, std::string_view message) {
    const uint32_t element_id = type.kind == TypeProto::Kind::map ? 2 : 1;
    ProtobufReader reader(message);
    while (reader.next()) {
      if (reader.id() == element_id) {
        type.element = shared<TypeProto>("elem_type", -1, reader);
      } else if (reader.id() == 1) {
        type.key_type = small_integer(reader);
      } else {
        reader.skip();
      }
    }
  }

  void read(TypeProto& type, std::string_view message) {
    using Kind = TypeProto::Kind;
    ProtobufReader reader(message);
    const auto tensor = [&](Kind kind, std::string_view field) {
      type.kind = kind;
      within(field, -1, reader.position(), [&] { read_tensor_type(type, reader.bytes()); });
    };
    const auto container = [&](Kind kind, std::string_view field) {
      type.kind = kind;
      within(field, -1, reader.position(), [&] { read_container_type(type, reader.bytes()); });
    };
    while (reader.next()) {
      switch (reader.id()) {
        case 1: tensor(Kind::tensor, "tensor_type"); break;
        case 4: container(Kind::sequence, "sequence_type"); break;
        case 5: container(Kind::map, "map_type"); break;
        case 6: type.denotation = name(reader); break;
        case 7:
          type.kind = Kind::opaque;
          reader.skip();
          break;
        case 8: tensor(Kind::sparse_tensor, "sparse_tensor_type"); break;
        case 9: container(Kind::optional, "optional_type"); break;
        default: reader.skip();
      }
    }
  }

  void read(ValueInfo& value, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: value.name = name(reader); break;
        case 2: set(value.type, "type", reader); break;
        default: reader.skip();
      }
    }
  }

  // The values a field number of AttributeProto can hold, for files that leave `type` out.
  static AttributeType implied_type(uint32_t id) {
    using enum AttributeType;
    switch (id) {
      case 2: return f;
      case 3: return i;
      case 4: return s;
      case 5: return tensor;
      case 6: return graph;
      case 7: return floats;
      case 8: return ints;
      case 9: return strings;
      case 10: return tensors;
      case 11: return graphs;
      case 14: return type_proto;
      case 15: return type_protos;
      case 22: return sparse_tensor;
      case 23: return sparse_tensors;
      default: return undefined;
    }
  }

  void read_attribute_field(Attribute& attribute, ProtobufReader& reader) {
    switch (reader.id()) {
      case 1: attribute.name = name(reader); break;
      case 2: attribute.f = number(reader); break;
      case 3: attribute.i = integer(reader); break;
      case 4: attribute.s = reader.bytes(); break;
      case 5: attribute.t = shared<TensorProto>("t", -1, reader); break;
      case 6: attribute.g = shared<Graph>("g", -1, reader); break;
      case 7: add_floats(attribute.floats, reader); break;
      case 8: add_integers(attribute.ints, reader); break;
      case 9:
        count_item(reader.position());
        attribute.strings.push_back(reader.bytes());
        break;
      case 10: add(attribute.tensors, "tensors", reader); break;
      case 11: {
        count_item(reader.position());
        const auto index = static_cast<int64_t>(attribute.graphs.size());
        attribute.graphs.push_back(shared<Graph>("graphs", index, reader));
        break;
      }
      case 14: attribute.tp = shared<TypeProto>("tp", -1, reader); break;
      case 15: add(attribute.type_protos, "type_protos", reader); break;
      case 20: {
        const char* const where = reader.position();
        const int32_t type = small_integer(reader);
        if (type < 0 || type > static_cast<int32_t>(AttributeType::type_protos)) {
          throw MalformedProtobuf(fmt::format("{} is no attribute type", type), where);
        }
        attribute.type = static_cast<AttributeType>(type);
        break;
      }
      case 21: attribute.ref_attr_name = name(reader); break;
      case 22: attribute.sparse_tensor = shared<SparseTensor>("sparse_tensor", -1, reader); break;
      case 23: add(attribute.sparse_tensors, "sparse_tensors", reader); break;
      default: reader.skip();
    }
  }

  void read(Attribute& attribute, std::string_view message) {
    ProtobufReader reader(message);
    AttributeType implied = AttributeType::undefined;
    while (reader.next()) {
      if (const AttributeType type = implied_type(reader.id()); type != AttributeType::undefined) {
        implied = type;
      }
      read_attribute_field(attribute, reader);
    }
    if (attribute.type == AttributeType::undefined) attribute.type = implied;
    if (!attribute.ref_attr_name.empty()) return;
    using enum AttributeType;
    const bool missing = (attribute.type == tensor && !attribute.t) ||
                         (attribute.type == graph && !attribute.g) ||
                         (attribute.type == sparse_tensor && !attribute.sparse_tensor) ||
                         (attribute.type == type_proto && !attribute.tp);
    if (missing) {
      throw MalformedProtobuf(fmt::format("attribute \"{}\" says it holds a {} but has none",
                                          attribute.name, onnx::name(attribute.type)),
                              message.data());
    }
  }

  void read(Node& node, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: add_name(node.inputs, reader); break;
        case 2: add_name(node.outputs, reader); break;
        case 3: node.name = name(reader); break;
        case 4: node.op_type = name(reader); break;
        case 5: add(node.attributes, "attribute", reader); break;
        case 7: node.domain = name(reader); break;
        case 8: node.overload = name(reader); break;
        default: reader.skip();
      }
    }
  }

  void read(Graph& graph, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: add(graph.nodes, "node", reader); break;
        case 2: graph.name = name(reader); break;
        case 5: add(graph.initializers, "initializer", reader); break;
        case 11: add(graph.inputs, "input", reader); break;
        case 12: add(graph.outputs, "output", reader); break;
        case 13: add(graph.value_infos, "value_info", reader); break;
        case 15: add(graph.sparse_initializers, "sparse_initializer", reader); break;
        default: reader.skip();
      }
    }
  }

  void read(Function& function, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: function.name = name(reader); break;
        case 4: add_name(function.inputs, reader); break;
        case 5: add_name(function.outputs, reader); break;
        case 6: add_name(function.attributes, reader); break;
        case 7: add(function.nodes, "node", reader); break;
        case 9: add(function.opset_imports, "opset_import", reader); break;
        case 10: function.domain = name(reader); break;
        case 11: add(function.attribute_defaults, "attribute_proto", reader); break;
        case 12: add(function.value_infos, "value_info", reader); break;
        case 13: function.overload = name(reader); break;
        default: reader.skip();
      }
    }
  }

  void read(Model& model, std::string_view message) {
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 1: model.ir_version = integer(reader); break;
        case 2: model.producer_name = name(reader); break;
        case 3: model.producer_version = name(reader); break;
        case 4: model.domain = name(reader); break;
        case 5: model.model_version = integer(reader); break;
        case 6: model.doc_string = reader.bytes(); break;
        case 7:
          set(model.graph, "graph", reader);
          has_graph_ = true;
          break;
        case 8: add(model.opset_imports, "opset_import", reader); break;
        case 14: add(model.metadata, "metadata_props", reader); break;
        case 25: add(model.functions, "functions", reader); break;
        default: reader.skip();
      }
    }
  }

  // SequenceProto and OptionalProto number the kinds of their elements alike, from 3 on.
  void read(ValueProto& value, std::string_view message, const TypeProto& type) {
    using Kind = TypeProto::Kind;
    value.kind = type.kind;
    if (type.kind == Kind::tensor) return read(value.tensor, message);
    const bool is_map = type.kind == Kind::map;
    const bool is_container = type.kind == Kind::sequence || type.kind == Kind::optional || is_map;
    if (!is_container || !type.element) {
      throw MalformedProtobuf("only tensors, sequences, optionals and maps of them can be read",
                              message.data());
    }
    if (is_map) return read_map(value, message, type);
    const uint32_t element_id = element_field(*type.element);
    ProtobufReader reader(message);
    while (reader.next()) {
      if (reader.id() != element_id) {
        reader.skip();
        continue;
      }
      count_item(reader.position());
      within("value", static_cast<int64_t>(value.elements.size()), reader.position(),
             [&] { read(value.elements.emplace_back(), reader.bytes(), *type.element); });
    }
  }

  void read_map(ValueProto& value, std::string_view message, const TypeProto& type) {
    TypeProto values;
    values.kind = TypeProto::Kind::sequence;
    values.element = type.element;
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.id()) {
        case 3: add_integers(value.keys, reader); break;
        case 4:
          count_item(reader.position());
          value.string_keys.push_back(reader.bytes());
          break;
        case 5: {
          ValueProto list;
          within("values", -1, reader.position(), [&] { read(list, reader.bytes(), values); });
          value.elements = std::move(list.elements);
          break;
        }
        default: reader.skip();
      }
    }
  }

  static uint32_t element_field(const TypeProto& element) {
    using Kind = TypeProto::Kind;
    const uint32_t first = 3;
    switch (element.kind) {
      case Kind::sparse_tensor: return first + 1;
      case Kind::sequence: return first + 2;
      case Kind::map: return first + 3;
      case Kind::optional: return first + 4;
      default: return first;
    }
  }

  void check(const Model& model) const {
    const char* const end = bytes_.data() + bytes_.size();
    if (!has_graph_) throw MalformedProtobuf("there is no graph", end);
    if (model.ir_version < 1) throw MalformedProtobuf("there is no ir_version", end);
    if (model.ir_version >= 3 && model.opset_imports.empty()) {
      throw MalformedProtobuf("there is no opset_import", end);
    }
  }

  std::string_view bytes_;
  ReadLimits limits_;
  std::vector<Place> path_;
  uint64_t items_ = 0;
  bool has_graph_ = false;
};

// What people hand over instead of a model often enough to deserve a better message.
void refuse_lookalikes(std::string_view bytes) {
  TENREC_CHECK(!bytes.starts_with("version https://git-lfs"), invalid_model,
               "this is a Git LFS pointer, not the model; fetch the file with `git lfs pull`");
  TENREC_CHECK(!bytes.starts_with("\x28\xb5\x2f\xfd"), invalid_model,
               "the file is compressed; decompress it with `zstd -d` first");
  TENREC_CHECK(!bytes.starts_with("\x1f\x8b"), invalid_model,
               "the file is compressed; decompress it with `gunzip` first");
  TENREC_CHECK(!bytes.starts_with("PK\x03\x04"), invalid_model,
               "the file is a zip archive (a PyTorch checkpoint?), not an ONNX model; export it to "
               "ONNX first");
}

}  // namespace

Model read_model(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                 const std::filesystem::path& folder, const ReadLimits& limits) {
  TENREC_CHECK(!bytes.empty(), invalid_model, "the model is empty");
  TENREC_CHECK(bytes.size() <= largest_file, invalid_model,
               "the model has {} bytes but an ONNX file must stay below 2 GiB; save it with its "
               "weights as external data",
               bytes.size());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  refuse_lookalikes(text);
  Model model = Parser(text, limits).parse();
  model.owner = std::move(owner);
  if (!folder.empty()) model.external = std::make_shared<ExternalData>(folder);
  return model;
}

ValueProto read_value(std::span<const std::byte> bytes, const TypeProto& type,
                      const ReadLimits& limits) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Parser(text, limits).parse_value(type);
}

Model read_model(const std::filesystem::path& path, const ReadLimits& limits) {
  const auto file = MappedFile::open(path);
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  return with_context([&] { return fmt::format("reading {}", path.string()); },
                      [&] { return read_model(file->bytes(), file, folder, limits); });
}

}  // namespace tenrec::onnx
