// SPDX-License-Identifier: Apache-2.0
#include "onnx/reader.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "common/onnx_writer.h"
#include "onnx/tensor_data.h"

namespace tenrec {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using onnx::AttributeType;
using onnx::Model;
using onnx::TypeProto;

std::filesystem::path models() {
  return std::filesystem::path(TENREC_SOURCE_DIR) / ".." / "shared" / "models";
}

// Views point into `bytes`: the caller keeps it.
Model parse(const std::string& bytes, const onnx::ReadLimits& limits = {}) {
  return onnx::read_model(std::as_bytes(std::span(bytes)), nullptr, {}, limits);
}

std::string message_of(const std::string& bytes, const onnx::ReadLimits& limits = {}) {
  try {
    (void)parse(bytes, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_model);
    return error.what();
  }
  return "no error";
}

void expect_starts(const std::string& text, const std::string& start) {
  EXPECT_EQ(text.substr(0, start.size()), start);
}

OnnxGraph add_graph() {
  OnnxGraph graph("g");
  graph.input("x", 1, {"N", "3", "?"}).output("y", 1, {"N", "3", "?"});
  graph.initializer(OnnxTensor("w", {3, 1}).floats({1, 2, 3}));
  graph.node("Add", {"x", "w"}, {"y"}, {}, "add_0");
  return graph;
}

TEST(Reader, graph) {
  const std::string bytes = OnnxModel(add_graph(), 9)
                                .opset(17)
                                .opset(1, "com.microsoft")
                                .metadata("author", "me")
                                .bytes();
  const Model model = parse(bytes);
  EXPECT_EQ(model.ir_version, 9);
  EXPECT_EQ(model.producer_name, "tenrec tests");
  ASSERT_EQ(model.opset_imports.size(), 2U);
  EXPECT_EQ(model.opset_imports[0].version, 17);
  EXPECT_EQ(model.opset_imports[1].domain, "com.microsoft");
  ASSERT_EQ(model.metadata.size(), 1U);
  EXPECT_EQ(model.metadata[0].value, "me");
  EXPECT_EQ(model.graph.name, "g");
  ASSERT_EQ(model.graph.nodes.size(), 1U);
  const onnx::Node& node = model.graph.nodes[0];
  EXPECT_EQ(node.op_type, "Add");
  EXPECT_EQ(node.name, "add_0");
  EXPECT_EQ(node.inputs, (std::vector<std::string_view>{"x", "w"}));
  EXPECT_EQ(node.outputs, (std::vector<std::string_view>{"y"}));
  const TypeProto& type = model.graph.inputs.at(0).type;
  EXPECT_EQ(type.kind, TypeProto::Kind::tensor);
  EXPECT_EQ(onnx::to_dtype(type.elem_type), DType::f32);
  ASSERT_TRUE(type.shape.has_value());
  ASSERT_EQ(type.shape->size(), 3U);
  EXPECT_EQ((*type.shape)[0].param, "N");
  EXPECT_EQ((*type.shape)[1].value, 3);
  EXPECT_FALSE((*type.shape)[2].value || !(*type.shape)[2].param.empty());
}

TEST(Reader, types) {
  OnnxGraph graph;
  graph.input("a", onnx_unranked_type(7));
  graph.input("b", onnx_sequence_type(onnx_tensor_type(1, {"2"})));
  graph.input("c", onnx_optional_type(onnx_sequence_type(onnx_tensor_type(8, {}))));
  graph.input("d", onnx_map_type(7, onnx_tensor_type(1, {})));
  graph.output("e");
  const std::string bytes = OnnxModel(graph).opset(18).bytes();
  const Model model = parse(bytes);
  const auto type = [&](size_t i) -> const TypeProto& { return model.graph.inputs.at(i).type; };
  EXPECT_FALSE(type(0).shape.has_value());
  EXPECT_EQ(type(1).kind, TypeProto::Kind::sequence);
  EXPECT_EQ(type(1).element->shape->at(0).value, 2);
  EXPECT_EQ(type(2).kind, TypeProto::Kind::optional);
  EXPECT_EQ(type(2).element->element->elem_type, 8);
  EXPECT_TRUE(type(2).element->element->shape->empty());
  EXPECT_EQ(type(3).kind, TypeProto::Kind::map);
  EXPECT_EQ(type(3).key_type, 7);
  EXPECT_EQ(type(3).element->elem_type, 1);
  EXPECT_EQ(model.graph.outputs.at(0).type.kind, TypeProto::Kind::none);
}

TEST(Reader, attributes) {
  OnnxGraph graph;
  const OnnxTensor values("v", {1});
  graph.node(
      "Odd", {}, {"y"},
      {OnnxAttribute("i", -3), OnnxAttribute("f", 0.5F), OnnxAttribute("s", "text"),
       OnnxAttribute("is", std::vector<int64_t>{1, -2}),
       OnnxAttribute("fs", std::vector<float>{1.5F, -2}),
       OnnxAttribute("ss", std::vector<std::string>{"a", ""}),
       OnnxAttribute("t", OnnxTensor("w", {2}).floats({1, 2})), OnnxAttribute("g", add_graph()),
       OnnxAttribute("sp", OnnxSparse(OnnxTensor("v", {1}).floats({1}),
                                      OnnxTensor("i", {1}, 7).int64s({2}), {4}))});
  const std::string bytes = OnnxModel(graph).opset(18).bytes();
  const Model model = parse(bytes);
  const auto& attributes = model.graph.nodes.at(0).attributes;
  ASSERT_EQ(attributes.size(), 9U);
  EXPECT_EQ(attributes[0].type, AttributeType::i);
  EXPECT_EQ(attributes[0].i, -3);
  EXPECT_EQ(attributes[1].f, 0.5F);
  EXPECT_EQ(attributes[2].s, "text");
  EXPECT_EQ(attributes[3].ints, (std::vector<int64_t>{1, -2}));
  EXPECT_EQ(attributes[4].floats, (std::vector<float>{1.5F, -2}));
  EXPECT_EQ(attributes[5].strings, (std::vector<std::string_view>{"a", ""}));
  EXPECT_EQ(attributes[6].t->dims, (std::vector<int64_t>{2}));
  EXPECT_EQ(attributes[7].g->nodes.at(0).op_type, "Add");
  EXPECT_EQ(attributes[8].sparse_tensor->dims, (std::vector<int64_t>{4}));
  EXPECT_EQ(onnx::name(attributes[8].type), "sparse_tensor");
}

TEST(Reader, attribute_types_left_out_are_implied_and_numbers_may_be_unpacked) {
  OnnxMessage attribute;
  attribute.field(1, std::string_view("axes"));
  attribute.field(8, int64_t{1});
  attribute.field(8, int64_t{-1});
  OnnxMessage node;
  node.field(4, std::string_view("Odd"));
  node.field(5, attribute.bytes());
  OnnxGraph graph;
  graph.field(1, node.bytes());
  const std::string bytes = OnnxModel(graph, 1).bytes();
  const Model model = parse(bytes);
  const onnx::Attribute& read = model.graph.nodes.at(0).attributes.at(0);
  EXPECT_EQ(read.type, AttributeType::ints);
  EXPECT_EQ(read.ints, (std::vector<int64_t>{1, -1}));
}

TEST(Reader, functions) {
  OnnxFunction function("my.domain", "Twice", {"x"}, {"y"}, {"axis"});
  function.opset(18).attribute_default(OnnxAttribute("scale", 2.0F));
  function.node("Mul", {"x", "two"}, {"y"}, {OnnxAttribute::reference("axis", "axis", 2)});
  const std::string bytes = OnnxModel(add_graph()).opset(18).function(function).bytes();
  const Model model = parse(bytes);
  const onnx::Function& read = model.functions.at(0);
  EXPECT_EQ(read.domain, "my.domain");
  EXPECT_EQ(read.name, "Twice");
  EXPECT_EQ(read.attributes, (std::vector<std::string_view>{"axis"}));
  EXPECT_EQ(read.attribute_defaults.at(0).f, 2.0F);
  EXPECT_EQ(read.nodes.at(0).attributes.at(0).ref_attr_name, "axis");
  EXPECT_EQ(read.opset_imports.at(0).version, 18);
}

TEST(Reader, errors_say_field_and_offset) {
  OnnxGraph graph;
  graph.node("A", {}, {"y"});
  OnnxMessage node;
  node.field(4, std::string_view("B"));
  node.field(5, std::string_view("\x0a\x7fxy"));  // a name of 127 bytes in an attribute of 4
  graph.field(1, node.bytes());
  const std::string message = message_of(OnnxModel(graph).opset(18).bytes());
  expect_starts(message,
                "graph.node[1].attribute[0]: field 1 wants 127 bytes but 2 are left, at byte ");
  expect_starts(message_of("hello, this is no model"), "model: ");
  expect_starts(message_of(OnnxModel(OnnxGraph()).bytes()), "model: there is no opset_import");
  OnnxMessage no_graph;
  no_graph.field(1, int64_t{8});
  expect_starts(message_of(no_graph.bytes()), "model: there is no graph");
  expect_starts(message_of("version https://git-lfs.github.com/spec/v1\n"),
                "this is a Git LFS pointer");
  expect_starts(message_of("PK\x03\x04 and so on"), "the file is a zip archive");
}

TEST(Reader, attributes_must_hold_what_they_say) {
  OnnxMessage attribute;
  attribute.field(1, std::string_view("value"));
  attribute.field(20, int64_t{4});
  OnnxMessage node;
  node.field(5, attribute.bytes());
  OnnxGraph graph;
  graph.field(1, node.bytes());
  expect_starts(
      message_of(OnnxModel(graph).opset(18).bytes()),
      "graph.node[0].attribute[0]: attribute \"value\" says it holds a tensor but has none");
  OnnxMessage unknown;
  unknown.field(20, int64_t{77});
  OnnxMessage other;
  other.field(5, unknown.bytes());
  OnnxGraph second;
  second.field(1, other.bytes());
  expect_starts(message_of(OnnxModel(second).opset(18).bytes()),
                "graph.node[0].attribute[0]: 77 is no attribute type");
}

TEST(Reader, limits) {
  OnnxGraph inner = add_graph();
  for (int i = 0; i < 70; ++i) {
    OnnxGraph outer;
    outer.node("If", {"c"}, {"y"}, {OnnxAttribute("then_branch", inner)});
    inner = outer;
  }
  const std::string deep = OnnxModel(inner).opset(18).bytes();
  EXPECT_NE(message_of(deep).find("nested more than 200 deep"), std::string::npos);
  EXPECT_EQ(message_of(deep, {.depth = 400}), "no error");
  const std::string bytes = OnnxModel(add_graph()).opset(18).bytes();
  EXPECT_NE(message_of(bytes, {.items = 5}).find("more than 5 parts"), std::string::npos);
  EXPECT_NE(message_of(bytes, {.name_bytes = 4}).find("longer than the allowed 4"),
            std::string::npos);
}

TEST(Reader, every_shared_model) {
  if (!std::filesystem::exists(models())) GTEST_SKIP() << models() << " is not there";
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(models())) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().string());
    const Model model = onnx::read_model(entry.path());
    EXPECT_FALSE(model.graph.nodes.empty());
    EXPECT_FALSE(model.graph.outputs.empty());
    for (const onnx::TensorProto& tensor : model.graph.initializers) {
      const onnx::TensorData data = onnx::to_tensor(tensor, model);
      EXPECT_EQ(data.dims, tensor.dims);
      EXPECT_TRUE(data.data != nullptr || data.dtype == DType::string);
    }
    ++count;
  }
  EXPECT_GE(count, 15U);
}

std::string mnist() {
  const auto path = models() / "mnist.onnx";
  if (std::filesystem::exists(path)) return read_test_file(path);
  return {};
}

// Reads the model and every value it holds; only Errors may come out.
void read_everything(const std::string& bytes) {
  try {
    const Model model = parse(bytes);
    for (const onnx::TensorProto& tensor : model.graph.initializers) {
      try {
        (void)onnx::to_tensor(tensor, model);
      } catch (const Error&) {
      }
    }
    for (const onnx::SparseTensor& tensor : model.graph.sparse_initializers) {
      try {
        (void)onnx::to_tensor(tensor, model);
      } catch (const Error&) {
      }
    }
  } catch (const Error&) {
  }
}

TEST(Reader, every_truncation_of_mnist_is_an_error) {
  const std::string bytes = mnist();
  if (bytes.empty()) GTEST_SKIP() << "mnist.onnx is not there";
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(parse(bytes.substr(0, size)), Error) << size;
  }
}

TEST(Reader, bit_flips_never_crash) {
  std::vector<std::string> seeds = {mnist()};
  OnnxGraph graph = add_graph();
  graph.initializer(OnnxTensor("h", {2}, 10).int32s({1, 2}));
  graph.initializer(OnnxTensor("s", {2}, 8).strings({"a", "b"}));
  graph.initializer(OnnxTensor("d", {2}, 11).doubles({1, 2}, false));
  graph.initializer(OnnxTensor("n", {3}, 22).int32s({0x21, 0x3}));
  graph.initializer(OnnxSparse(OnnxTensor("v", {2}).floats({1, 2}),
                               OnnxTensor("i", {2, 2}, 7).int64s({0, 1, 2, 2}), {3, 3}));
  graph.node("If", {"c"}, {"z"}, {OnnxAttribute("then_branch", add_graph())});
  seeds.push_back(OnnxModel(graph).opset(18).bytes());
  std::mt19937 random(3);
  for (const std::string& seed : seeds) {
    for (int i = 0; i < 3000 && !seed.empty(); ++i) {
      std::string bad = seed;
      // Half of the flips early in the file, where the structure of mnist.onnx is.
      const size_t reach = i % 2 == 0 ? bad.size() : std::min<size_t>(bad.size(), 1000);
      for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
        bad[random() % reach] ^= static_cast<char>(1 << random() % 8);
      }
      read_everything(bad);
    }
  }
}

TEST(Reader, files_of_2_gib_are_refused_without_reading_them) {
  const TemporaryFolder folder;
  write_test_file(folder / "big.onnx", "x");
  std::filesystem::resize_file(folder / "big.onnx", uint64_t{1} << 31);
  try {
    (void)onnx::read_model(folder / "big.onnx");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_model);
    expect_starts(error.what(), "reading " + (folder / "big.onnx").string() +
                                    ": the model has 2147483648 bytes but an ONNX file must stay "
                                    "below 2 GiB; save it with its weights as external data");
  }
}

TEST(Reader, values_by_themselves) {
  const auto read = [](const std::string& bytes, const TypeProto& type) {
    return onnx::read_value(std::as_bytes(std::span(bytes)), type);
  };
  auto tensor = std::make_shared<TypeProto>();
  tensor->kind = TypeProto::Kind::tensor;
  TypeProto sequence;
  sequence.kind = TypeProto::Kind::sequence;
  sequence.element = tensor;
  const OnnxTensor values = OnnxTensor("v", {2}).floats({1, 2});
  EXPECT_EQ(read(values.bytes(), *tensor).tensor.dims, (std::vector<int64_t>{2}));

  OnnxMessage message;  // SequenceProto.tensor_values is field 3
  message.field(3, values.bytes());
  message.field(3, values.bytes());
  const std::string bytes = message.bytes();
  EXPECT_EQ(read(bytes, sequence).elements.size(), 2U);
  EXPECT_EQ(read("", sequence).elements.size(), 0U);

  TypeProto map;
  map.kind = TypeProto::Kind::map;
  EXPECT_THROW(read(bytes, map), Error);
  EXPECT_THROW(read(bytes.substr(0, bytes.size() - 1), sequence), Error);
}

}  // namespace
}  // namespace tenrec
