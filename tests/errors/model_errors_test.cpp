// SPDX-License-Identifier: Apache-2.0
// Models that cannot be built.
#include "common/onnx_writer.h"
#include "errors/errors.h"
#include "tenrec/builder.h"

namespace tenrec::test {
namespace {

std::string build_error(const std::string& bytes, const std::string& folder = {}) {
  return error_of(
      [&] {
        BuildOptions options;
        options.no_tune = true;
        const std::span<const char> all(bytes);
        (void)build(std::as_bytes(all), options, folder);
      },
      folder);
}

// x -> the node -> y
std::string model_of(const std::string& op, const std::vector<OnnxAttribute>& attributes = {},
                     const std::string& domain = {}, int64_t opset = 17) {
  OnnxGraph graph("g");
  graph.input("x", 1, {"2", "3"}).output("y", 1, {"?", "?"});
  graph.node(op, {"x"}, {"y"}, attributes, "the_node", domain);
  OnnxModel model(graph);
  model.opset(opset);
  if (!domain.empty()) model.opset(1, domain);
  return model.bytes();
}

TEST(ModelErrors, files) {
  const TemporaryFolder folder;
  const std::string dir = folder.path().string();
  const auto build_file = [&](const std::string& name) {
    return error_of([&] { (void)build(dir + "/" + name); }, dir);
  };
  EXPECT_EQ(build_file("none.onnx"),
            "io: building \"$DIR/none.onnx\": opening $DIR/none.onnx failed: No such file or "
            "directory; check the path");
  write_test_file(folder / "empty.onnx", "");
  EXPECT_EQ(build_file("empty.onnx"), "io: building \"$DIR/empty.onnx\": $DIR/empty.onnx is empty");
  write_test_file(folder / "text.onnx", "this is no model at all, but some text");
  EXPECT_EQ(build_file("text.onnx"),
            "invalid_model: building \"$DIR/text.onnx\": reading $DIR/text.onnx: model: a field "
            "has an unknown wire type, at byte 0; the file is truncated, damaged or no ONNX file");
  const std::string whole = model_of("Relu");
  write_test_file(folder / "cut.onnx", whole.substr(0, whole.size() - 7));
  EXPECT_EQ(
      build_file("cut.onnx"),
      "invalid_model: building \"$DIR/cut.onnx\": reading $DIR/cut.onnx: graph: field 7 wants 65 "
      "bytes but 64 are left, at byte 18; the file is truncated, damaged or no ONNX file");
}

TEST(ModelErrors, operators) {
  EXPECT_EQ(build_error(model_of("Frobnicate")),
            "unsupported: building a model in memory: importing node \"the_node\" (Frobnicate, "
            "opset 17; x: f32[2, 3]): Tenrec has no operator Frobnicate in domain \"ai.onnx\"; "
            "`tenrec ops` lists what there is");
  EXPECT_EQ(build_error(model_of("Relu", {}, "my.own")),
            "unsupported: building a model in memory: importing node \"the_node\" (my.own::Relu, "
            "opset 1; x: f32[2, 3]): Tenrec has no operator Relu in domain \"my.own\"; `tenrec "
            "ops` lists what there is");
  EXPECT_EQ(build_error(model_of("Softmax", {{"axis", 5}})),
            "invalid_model: building a model in memory: importing node \"the_node\" (Softmax, "
            "opset 17; x: f32[2, 3]): \"the_node\" (softmax): axis 5 is out of range for a tensor "
            "of rank 2: expected -2 to 1");
  EXPECT_EQ(
      build_error(model_of("Transpose", {{"perm", std::vector<int64_t>{0, 0}}})),
      "invalid_model: building a model in memory: importing node \"the_node\" (Transpose, opset "
      "17; x: f32[2, 3]): \"the_node\" (transpose): perm [0, 0] is not a permutation of 2 axes");
}

TEST(ModelErrors, graphs) {
  OnnxGraph cyclic("cyclic");
  cyclic.input("x", 1, {"2"}).output("y", 1, {"2"});
  cyclic.node("Add", {"x", "b"}, {"a"}, {}, "first").node("Relu", {"a"}, {"b"}, {}, "second");
  cyclic.node("Relu", {"b"}, {"y"}, {}, "third");
  EXPECT_EQ(build_error(OnnxModel(cyclic).opset(17).bytes()),
            "invalid_model: building a model in memory: the graph has a cycle through nodes "
            "\"first\" (Add), \"second\" (Relu), \"third\" (Relu); ONNX graphs must be acyclic");

  OnnxGraph missing("missing");
  missing.input("x", 1, {"2"}).output("y", 1, {"2"});
  missing.node("Add", {"x", "nowhere"}, {"y"}, {}, "adder");
  EXPECT_EQ(
      build_error(OnnxModel(missing).opset(17).bytes()),
      "invalid_model: building a model in memory: importing node \"adder\" (Add, opset 17; x: "
      "f32[2]): input \"nowhere\" is neither computed by a node nor a graph input or initialiser");

  OnnxGraph twice("twice");
  twice.input("x", 1, {"2"}).output("y", 1, {"2"});
  twice.node("Relu", {"x"}, {"y"}, {}, "first").node("Neg", {"x"}, {"y"}, {}, "second");
  EXPECT_EQ(build_error(OnnxModel(twice).opset(17).bytes()),
            "invalid_model: building a model in memory: importing node \"second\" (Neg, opset 17; "
            "x: f32[2]): output \"y\" is already computed by another node");

  OnnxGraph unmade("unmade");
  unmade.input("x", 1, {"2"}).output("y", 1, {"2"});
  EXPECT_EQ(build_error(OnnxModel(unmade).opset(17).bytes()),
            "invalid_model: building a model in memory: graph output \"y\" is computed by no node");

  OnnxGraph shapes("shapes");
  shapes.input("x", 1, {"2", "3"}).input("z", 1, {"4", "3"}).output("y", 1, {"?"});
  shapes.node("Add", {"x", "z"}, {"y"}, {}, "adder");
  EXPECT_EQ(build_error(OnnxModel(shapes).opset(17).bytes()),
            "invalid_model: building a model in memory: importing node \"adder\" (Add, opset 17; "
            "x: f32[2, 3], z: f32[4, 3]): \"adder\" (add): shapes [2, 3] and [4, 3] do not "
            "broadcast: aligned at the right, sizes must be equal or one of them 1");
}

TEST(ModelErrors, tensors) {
  const auto with = [](const OnnxTensor& tensor) {
    OnnxGraph graph("g");
    graph.input("x", 1, {"?"}).output("y", 1, {"?"}).initializer(tensor);
    graph.node("Add", {"x", "w"}, {"y"}, {}, "adder");
    return OnnxModel(graph).opset(17).bytes();
  };
  EXPECT_EQ(build_error(with(OnnxTensor("w", {4}).floats({1, 2, 3}))),
            "invalid_model: building a model in memory: importing node \"adder\" (Add, opset 17; "
            "x: f32[x_0]): initialiser \"w\": tensor \"w\": its 4 elements take 16 bytes but "
            "float_data holds 12");
  EXPECT_EQ(build_error(with(OnnxTensor("w", {int64_t{1} << 62, 16}).floats({1}))),
            "invalid_model: building a model in memory: importing node \"adder\" (Add, opset 17; "
            "x: f32[x_0]): initialiser \"w\": tensor \"w\": dims [4611686018427387904, 16] have "
            "more elements than any memory holds");
  EXPECT_EQ(build_error(with(OnnxTensor("w", {-1}).floats({1}))),
            "invalid_model: building a model in memory: importing node \"adder\" (Add, opset 17; "
            "x: f32[x_0]): initialiser \"w\": tensor \"w\": dims [-1] have a negative size");
  EXPECT_EQ(build_error(with(OnnxTensor("w", {1}, 99).floats({1}))),
            "unsupported: building a model in memory: importing node \"adder\" (Add, opset 17; x: "
            "f32[x_0]): initialiser \"w\": tensor \"w\": 99 is not an element type of ONNX known "
            "here (1 to 26)");

  const TemporaryFolder folder;
  const std::string dir = folder.path().string();
  write_test_file(folder / "w.bin", std::string(8, '\0'));
  EXPECT_EQ(build_error(with(OnnxTensor("w", {2}).external("w.bin")), dir), "");
  EXPECT_EQ(build_error(with(OnnxTensor("w", {2}).external("gone.bin")), dir),
            "io: building a model in memory: importing node \"adder\" (Add, opset 17; x: "
            "f32[x_0]): initialiser \"w\": tensor \"w\": external data file \"gone.bin\" of the "
            "model cannot be opened in $DIR: No such file or directory; keep it beside the model");
  EXPECT_EQ(build_error(with(OnnxTensor("w", {4}).external("w.bin", 0, 16)), dir),
            "invalid_model: building a model in memory: importing node \"adder\" (Add, opset 17; "
            "x: f32[x_0]): initialiser \"w\": tensor \"w\": its values are bytes 0 to 16 of "
            "\"w.bin\", which has only 8; the file is truncated or belongs to another model");
  EXPECT_EQ(build_error(with(OnnxTensor("w", {2}).external("w.bin", 4, 8)), dir),
            "invalid_model: building a model in memory: importing node \"adder\" (Add, opset 17; "
            "x: f32[x_0]): initialiser \"w\": tensor \"w\": its values are bytes 4 to 12 of "
            "\"w.bin\", which has only 8; the file is truncated or belongs to another model");
  EXPECT_EQ(build_error(with(OnnxTensor("w", {2}).external("../w.bin")), dir),
            "invalid_model: building a model in memory: importing node \"adder\" (Add, opset 17; "
            "x: f32[x_0]): initialiser \"w\": tensor \"w\": external data file \"../w.bin\" must "
            "be a path inside the model's folder, without \"..\"");
  EXPECT_EQ(build_error(with(OnnxTensor("w", {2}).external("/etc/passwd")), dir),
            "invalid_model: building a model in memory: importing node \"adder\" (Add, opset 17; "
            "x: f32[x_0]): initialiser \"w\": tensor \"w\": external data file \"/etc/passwd\" "
            "must be a path inside the model's folder, without \"..\"");
}

TEST(ModelErrors, dims_that_overflow) {
  OnnxGraph graph("g");
  graph.input("x", 1, {"4611686018427387904", "8"}).output("y", 1, {"?"});
  graph.node("Flatten", {"x"}, {"y"}, {{"axis", 0}}, "flat");
  EXPECT_EQ(build_error(OnnxModel(graph).opset(17).bytes()),
            "invalid_model: building a model in memory: shape [4611686018427387904, 8] has more "
            "elements than any memory holds");

  OnnxGraph tile("g");
  tile.input("x", 1, {"4"}).output("y", 1, {"?"});
  tile.initializer(OnnxTensor("r", {1}, 7).int64s({INT64_MAX}));
  tile.node("Tile", {"x", "r"}, {"y"}, {}, "tiler");
  EXPECT_EQ(build_error(OnnxModel(tile).opset(17).bytes()),
            "invalid_model: building a model in memory: importing node \"tiler\" (Tile, opset 17; "
            "x: f32[4], r: i64[1]): \"tiler\" (tile): size overflows int64: a product of sizes is "
            "about 3.689e+19");
}

TEST(ModelErrors, profiles) {
  const std::string bytes = model_of("Relu");
  const auto with = [&](const std::string& name, DimsRange range) {
    return error_of([&] {
      BuildOptions options;
      options.no_tune = true;
      ProfileOptions profile;
      profile.dims[name] = std::move(range);
      options.profiles = {profile};
      (void)build(std::as_bytes(std::span(bytes)), options);
    });
  };
  EXPECT_EQ(with("image", {{2, 3}, {2, 3}, {2, 3}}),
            "usage: building a model in memory: shape range for \"image\": the model has no such "
            "input; it has x");
  EXPECT_EQ(with("x", {{2}, {2}, {2}}),
            "usage: building a model in memory: shape range for \"x\" has 1/1/1 dims, the input "
            "has 2: f32[2, 3]");
  EXPECT_EQ(with("x", {{4, 3}, {4, 3}, {4, 3}}),
            "usage: building a model in memory: input \"x\", axis 0: the model fixes it to 2, the "
            "profile asks for 4 to 4");
  EXPECT_EQ(
      with("x", {{2, 3}, {1, 3}, {2, 3}}),
      "usage: building a model in memory: input \"x\", axis 0: min 2 <= opt 1 <= max 2 must hold");
}

}  // namespace
}  // namespace tenrec::test
