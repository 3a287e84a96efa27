// SPDX-License-Identifier: Apache-2.0
#include "common/onnx_samples.h"

#include "common/onnx_writer.h"

namespace tenrec::test {
namespace {

std::vector<float> ramp(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.1F * static_cast<float>(i % 7) - 0.3F;
  return values;
}

OnnxTensor weight(std::string_view name, const OnnxDims& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) count *= dim;
  return OnnxTensor(name, dims).floats(ramp(count));
}

OnnxModel convolutions() {
  OnnxGraph g("convolutions");
  g.input("x", 1, {"N", "3", "H", "9"}).output("y", 1, {"N", "4", "?", "?"});
  g.initializer(weight("w", {4, 3, 3, 3})).initializer(weight("v", {4, 1, 3, 3}));
  g.initializer(weight("s", {4})).initializer(OnnxTensor("roi", {0}));
  g.initializer(OnnxTensor("scales", {4}).floats({1, 1, 2, 2}));
  g.node("Conv", {"x", "w"}, {"1"}, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}}, "conv");
  g.node("BatchNormalization", {"1", "s", "s", "s", "one"}, {"2"});
  g.initializer(OnnxTensor("one", {4}).floats({1, 1, 1, 1}));
  g.node("Relu", {"2"}, {"3"});
  g.node("Conv", {"3", "v"}, {"4"}, {{"group", 4}, {"auto_pad", "SAME_UPPER"}});
  g.node("MaxPool", {"4"}, {"5"}, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
  g.node("Resize", {"5", "roi", "scales"}, {"6"}, {{"mode", "linear"}});
  g.node("HardSigmoid", {"6"}, {"7"}, {{"alpha", 0.3F}});
  g.node("Mul", {"6", "7"}, {"y"});
  return OnnxModel(g).opset(13);
}

OnnxModel matrices() {
  OnnxGraph g("matrices");
  g.input("x", 1, {"N", "6"}).output("y", 1, {"N", "2"}).output("k", 7, {"N", "2"});
  g.initializer(weight("w", {5, 6})).initializer(weight("b", {5}));
  g.initializer(OnnxTensor("two", {1}, 7).int64s({2}));
  g.node("Gemm", {"x", "w", "b"}, {"1"}, {{"transB", 1}, {"alpha", 0.5F}});
  g.node("Softmax", {"1"}, {"2"}, {{"axis", 1}});
  g.node("TopK", {"2", "two"}, {"y", "k"}, {{"axis", 1}});
  return OnnxModel(g).opset(17);
}

OnnxModel shapes() {
  OnnxGraph g("shapes");
  g.input("x", 1, {"A", "B", "4"}).output("y", 1, {"?", "?"});
  g.initializer(OnnxTensor("i", {}, 7).int64s({1}))
      .initializer(OnnxTensor("m", {1}, 7).raw_of<int64_t>({-1}));
  g.initializer(OnnxTensor("zero", {1}, 7).int64s({0}));
  g.node("Shape", {"x"}, {"s"});
  g.node("Gather", {"s", "i"}, {"b"}, {{"axis", 0}});
  g.node("Unsqueeze", {"b", "zero"}, {"b1"});
  g.node("Concat", {"m", "b1"}, {"to"}, {{"axis", 0}});
  g.node("Transpose", {"x"}, {"t"}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
  g.node("Reshape", {"t", "to"}, {"r"});
  g.node("ReduceMean", {"r"}, {"mean"}, {{"axes", std::vector<int64_t>{1}}, {"keepdims", 1}});
  g.node("Sub", {"r", "mean"}, {"y"});
  return OnnxModel(g).opset(13);
}

OnnxModel bodies() {
  OnnxGraph yes("yes"), no("no"), loop("loop");
  yes.node("Add", {"x", "x"}, {"a"}).output("a", 1, {"N"});
  no.node("Neg", {"x"}, {"b"}).output("b", 1, {"N"});
  loop.input("i", 7, {}).input("go", 9, {}).input("s", 1, {"N"});
  loop.node("Tanh", {"s"}, {"t"}).node("Identity", {"go"}, {"on"}).node("Identity", {"t"}, {"o"});
  loop.output("on", 9, {}).output("t", 1, {"N"}).output("o", 1, {"N"});
  OnnxGraph g("bodies");
  g.input("c", 9, {}).input("x", 1, {"N"}).output("last", 1, {"N"}).output("all", 1, {"?", "N"});
  g.initializer(OnnxTensor("n", {}, 7).int64s({3}));
  g.initializer(OnnxTensor("true", {}, 9).int32s({1}));
  g.node("If", {"c"}, {"z"}, {{"then_branch", yes}, {"else_branch", no}});
  g.node("Loop", {"n", "true", "z"}, {"last", "all"}, {{"body", loop}});
  return OnnxModel(g).opset(16);
}

OnnxModel functions() {
  OnnxFunction twice("own", "Twice", {"a"}, {"b"}, {"by"});
  twice.opset(17).node("LeakyRelu", {"a"}, {"t"}, {OnnxAttribute::reference("alpha", "by", 1)});
  twice.node("Add", {"t", "t"}, {"b"});
  OnnxGraph g("functions");
  g.input("x", 1, {"N"}).output("y", 1, {"N"});
  g.node("Twice", {"x"}, {"1"}, {{"by", 0.2F}}, "first", "own");
  g.node("Twice", {"1"}, {"y"}, {{"by", 0.1F}}, "second", "own");
  return OnnxModel(g).opset(17).opset(1, "own").function(twice);
}

OnnxModel encodings() {
  OnnxGraph g("encodings");
  g.input("x", 10, {"3"}).output("y", 10, {"3"}).output("z", 8, {"2"});
  g.initializer(OnnxTensor("half", {3}, 10).int32s({0x3c00, 0x4000, 0x4200}));
  g.initializer(OnnxTensor("bits", {3}, 22).raw("\x21\x03"));
  g.initializer(OnnxTensor("names", {2}, 8).strings({"a", "b"}));
  g.initializer(
      OnnxSparse(OnnxTensor("sparse", {1}).floats({2}), OnnxTensor("at", {1}, 7).int64s({1}), {3}));
  g.node("Cast", {"bits"}, {"b"}, {{"to", 10}});
  g.node("Cast", {"sparse"}, {"s"}, {{"to", 10}});
  g.node("Sum", {"x", "half", "b", "s"}, {"y"});
  g.node("Identity", {"names"}, {"z"});
  return OnnxModel(g).opset(21).metadata("author", "test");
}

OnnxModel recurrent() {
  OnnxGraph g("recurrent");
  g.input("x", 1, {"T", "1", "2"}).output("y", 1, {"T", "1", "1", "3"});
  g.initializer(weight("w", {1, 12, 2})).initializer(weight("r", {1, 12, 3}));
  g.node("LSTM", {"x", "w", "r"}, {"y"}, {{"hidden_size", 3}});
  return OnnxModel(g).opset(14);
}

OnnxModel sequences() {
  OnnxGraph g("sequences");
  g.input("a", 1, {"N"}).input("o", onnx_optional_type(onnx_tensor_type(1, {"M"})));
  g.output("y", 1, {"?"}).output("n", 7, {});
  g.initializer(OnnxTensor("i", {}, 7).int64s({1}));
  g.node("OptionalGetElement", {"o"}, {"b"});
  g.node("SequenceConstruct", {"a", "b"}, {"s"});
  g.node("SequenceAt", {"s", "i"}, {"y"});
  g.node("SequenceLength", {"s"}, {"n"});
  return OnnxModel(g).opset(18);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> onnx_samples() {
  return {{"convolutions", convolutions().bytes()},
          {"matrices", matrices().bytes()},
          {"shapes", shapes().bytes()},
          {"bodies", bodies().bytes()},
          {"functions", functions().bytes()},
          {"encodings", encodings().bytes()},
          {"recurrent", recurrent().bytes()},
          {"sequences", sequences().bytes()}};
}

std::string ten_problems() {
  constexpr int f32 = 1, i64 = 7;
  OnnxGraph graph;
  graph.input("x", f32, {"2", "3"}).input("i", i64, {"2", "3"});
  graph.initializer(OnnxTensor("w", {2, 2}).floats({1, 2, 3, 4}));
  graph.initializer(OnnxTensor("seven", {1}, i64).int64s({7}));
  const std::vector<float> halves{0.5F, 1.5F};
  graph.node("NoSuchOp", {"x"}, {"a1"}, {}, "unknown operator");
  graph.node("Foo", {"x"}, {"a2"}, {}, "unknown domain", "acme.ai");
  graph.node("Softmax", {"x"}, {"a3"}, {{"axis", 9}}, "bad axis");
  graph.node("MatMul", {"x", "w"}, {"a4"}, {}, "sizes that do not fit");
  graph.node("Concat", {"x", "w"}, {"a5"}, {{"axis", 0}}, "sizes that differ");
  graph.node("Conv", {"x"}, {"a6"}, {}, "missing input");
  graph.node("Transpose", {"x"}, {"a7"}, {{"perm", halves}}, "wrong attribute type");
  graph.node("Add", {"x", "i"}, {"a8"}, {}, "two types");
  graph.node("Reshape", {"x", "seven"}, {"a9"}, {}, "impossible shape");
  graph.node("Gather", {"x", "x"}, {"a10"}, {}, "indices of floats");
  for (int i = 1; i <= 10; ++i) graph.output("a" + std::to_string(i));
  return OnnxModel(graph).opset(17).opset(1, "acme.ai").bytes();
}

}  // namespace tenrec::test
