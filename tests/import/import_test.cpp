// SPDX-License-Identifier: Apache-2.0
#include "import/import.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "common/onnx_samples.h"
#include "common/onnx_writer.h"
#include "onnx/reader.h"
#include "ops/evaluate.h"

namespace tenrec {
namespace {

using namespace test;

constexpr int f32 = 1, i64 = 7, boolean = 9;

ImportedModel import_bytes(const std::string& bytes, const ImportOptions& options = {}) {
  const auto owner = std::make_shared<std::string>(bytes);
  return import_model(onnx::read_model(std::as_bytes(std::span(*owner)), owner), options);
}

std::string error_of(const std::string& bytes) {
  try {
    import_bytes(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Import, EveryDynamicAxisIsASymbolOfItsOwn) {
  OnnxGraph graph;
  graph.input("x", f32, {"n", "n"}).output("y", f32, {"n", "n"}).node("Relu", {"x"}, {"y"});
  const ImportedModel model = import_bytes(OnnxModel(graph).opset(17).bytes());
  const Shape& shape = model.graph->outputs()[0]->type.shape;
  EXPECT_FALSE(shape[0] == shape[1]);
}

TEST(Import, UnsortedNodesAreSorted) {
  OnnxGraph graph;
  graph.input("x", f32, {"2"}).output("y", f32, {"2"});
  graph.node("Neg", {"a"}, {"y"}).node("Relu", {"x"}, {"a"});
  EXPECT_EQ(import_bytes(OnnxModel(graph).opset(17).bytes()).graph->nodes().size(), 2U);
}

TEST(Import, ACycleNamesItsNodes) {
  OnnxGraph graph;
  graph.input("x", f32, {"2"}).output("y", f32, {"2"});
  graph.node("Add", {"x", "b"}, {"a"}, {}, "first").node("Neg", {"a"}, {"b"}, {}, "second");
  graph.node("Relu", {"b"}, {"y"}, {}, "third");
  EXPECT_NE(error_of(OnnxModel(graph).opset(17).bytes())
                .find("cycle through nodes \"first\" (Add), \"second\" (Neg)"),
            std::string::npos);
}

TEST(Import, UnknownOperatorNamesNodeAndDomain) {
  OnnxGraph graph;
  graph.input("x", f32, {"2"}).output("y", f32, {"2"});
  graph.node("Frobnicate", {"x"}, {"y"}, {}, "frob_1", "my.domain");
  EXPECT_EQ(error_of(OnnxModel(graph).opset(17).opset(1, "my.domain").bytes()),
            "importing node \"frob_1\" (my.domain::Frobnicate, opset 1; x: f32[2]): Tenrec has no "
            "operator "
            "Frobnicate in "
            "domain \"my.domain\"; `tenrec ops` lists what there is");
}

TEST(Import, AnUnusedUnknownDomainIsFine) {
  OnnxGraph graph;
  graph.input("x", f32, {"2"}).output("y", f32, {"2"}).node("Relu", {"x"}, {"y"});
  EXPECT_TRUE(import_bytes(OnnxModel(graph).opset(17).opset(9, "who.knows").bytes()).graph);
}

TEST(Import, AllProblemsAreCollected) {
  OnnxGraph graph;
  graph.input("x", f32, {"2"}).output("y", f32, {"2"});
  graph.node("Nope", {"x"}, {"a"}, {}, "one").node("Relu", {"a"}, {"b"}, {}, "depends");
  graph.node("Relu", {"missing"}, {"c"}, {}, "two")
      .node("Add", {"b", "c"}, {"y"}, {}, "depends_too");
  std::vector<ImportProblem> problems;
  EXPECT_FALSE(import_bytes(OnnxModel(graph).opset(17).bytes(), {.problems = &problems}).graph);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].code, ErrorCode::unsupported);
  EXPECT_EQ(problems[0].node, "one");
  EXPECT_EQ(problems[0].op, "Nope");
  EXPECT_EQ(problems[0].opset, 17);
  EXPECT_EQ(problems[0].inputs, "x: f32[2]");
  EXPECT_EQ(problems[0].main_node, 0);
  EXPECT_EQ(problems[0].text,
            "importing node \"one\" (Nope, opset 17; x: f32[2]): " + problems[0].reason);
  EXPECT_EQ(problems[1].code, ErrorCode::invalid_model);
  EXPECT_EQ(problems[1].node, "two");
  EXPECT_EQ(problems[1].main_node, 2);
}

TEST(Import, TenDifferentProblemsAreTenReports) {
  std::vector<ImportProblem> problems;
  import_bytes(ten_problems(), {.problems = &problems});
  ASSERT_EQ(problems.size(), 10U);
  for (size_t i = 0; i < problems.size(); ++i) {
    const ImportProblem& problem = problems[i];
    EXPECT_EQ(problem.main_node, static_cast<int>(i));
    EXPECT_EQ(problem.code, i < 2 ? ErrorCode::unsupported : ErrorCode::invalid_model);
    EXPECT_EQ(problem.opset, i == 1 ? 1 : 17);
    EXPECT_NE(problem.inputs.find("x: f32[2, 3]"), std::string::npos);
    EXPECT_FALSE(problem.reason.empty());
  }
}

TEST(Import, FunctionsAreInlinedWithTheirAttributes) {
  OnnxGraph graph;
  graph.input("x", f32, {"2"}).output("y", f32, {"2"});
  graph.node("Leaky", {"x"}, {"y"}, {OnnxAttribute("slope", 0.5F)}, "call", "mine");
  OnnxFunction function("mine", "Leaky", {"a"}, {"b"}, {"slope"});
  function.opset(17).node("LeakyRelu", {"a"}, {"b"},
                          {OnnxAttribute::reference("alpha", "slope", 1)});
  const ImportedModel model =
      import_bytes(OnnxModel(graph).opset(17).opset(1, "mine").function(function).bytes());
  const Data out = evaluate(*model.graph, {Datum(Tensor::of<float>({2}, {-4, 4}))});
  EXPECT_EQ(out[0].tensor, Tensor::of<float>({2}, {-2, 4}));
}

TEST(Import, WhatNobodyReadsIsSaid) {
  OnnxGraph graph;
  graph.input("x", f32, {"2", "3"}).output("y", f32, {"2", "3"});
  // An attribute of another version, one of nobody, and one given twice; "axis" is Softmax's own.
  graph.node("Clip", {"x"}, {"a"}, {{"min", 0.0F}}, "clip_1");
  graph.node("Softmax", {"a"}, {"y"},
             {{"axis", 1}, {"axis", 0}, {"temperature", std::vector<float>{0.5F, 2}}}, "softmax_1");
  const ImportedModel model = import_bytes(OnnxModel(graph).opset(13).bytes());
  EXPECT_EQ(
      model.warnings,
      (std::vector<std::string>{
          "node \"clip_1\" (Clip): attribute 'min' = 0 is ignored: opset 13 of Clip has no use "
          "for it",
          "node \"softmax_1\" (Softmax): attribute 'axis' = 0 is ignored: opset 13 of Softmax "
          "has no use for it",
          "node \"softmax_1\" (Softmax): attribute 'temperature' = [0.5, 2] is ignored: opset "
          "13 of Softmax has no use for it"}));
}

TEST(Import, WhatChangesNothingIsNotSaid) {
  OnnxGraph graph;
  graph.input("x", f32, {"1", "2", "3", "3"}).output("y", f32, {});
  graph.node("Dropout", {"x"}, {"a"},
             {{"ratio", 0.5F}, {"is_test", 1}, {"consumed_inputs", std::vector<int64_t>{0}}});
  graph.node("MaxPool", {"a"}, {"y"}, {{"kernel_shape", std::vector<int64_t>{3, 3}}});
  EXPECT_TRUE(import_bytes(OnnxModel(graph).opset(1).bytes()).warnings.empty());
}

TEST(Import, BranchesCaptureOuterValues) {
  OnnxGraph then_branch("then"), else_branch("else");
  then_branch.output("t", f32, {"2"}).node("Add", {"x", "w"}, {"t"});
  else_branch.output("e", f32, {"2"}).node("Sub", {"x", "w"}, {"e"});
  OnnxGraph graph;
  graph.input("c", boolean, {}).input("x", f32, {"2"}).output("y", f32, {"2"});
  graph.initializer(OnnxTensor("w", {2}).floats({10, 20}));
  graph.node(
      "If", {"c"}, {"y"},
      {OnnxAttribute("then_branch", then_branch), OnnxAttribute("else_branch", else_branch)});
  const ImportedModel model = import_bytes(OnnxModel(graph).opset(17).bytes());
  const Tensor x = Tensor::of<float>({2}, {1, 2});
  EXPECT_EQ(evaluate(*model.graph, {Datum(Tensor::scalar(true)), Datum(x)})[0].tensor,
            Tensor::of<float>({2}, {11, 22}));
  EXPECT_EQ(evaluate(*model.graph, {Datum(Tensor::scalar(false)), Datum(x)})[0].tensor,
            Tensor::of<float>({2}, {-9, -18}));
}

TEST(Import, ReshapeByAComputedShapeStaysSymbolic) {
  OnnxGraph graph;
  graph.input("x", f32, {"n", "4"}).output("y", f32, {});
  graph.initializer(OnnxTensor("zero", {1}, i64).int64s({0}))
      .initializer(OnnxTensor("tail", {2}, i64).int64s({2, 2}));
  graph.node("Shape", {"x"}, {"s"}).node("Gather", {"s", "zero"}, {"n"});
  graph.node("Concat", {"n", "tail"}, {"t"}, {OnnxAttribute("axis", 0)})
      .node("Reshape", {"x", "t"}, {"y"});
  const ImportedModel model = import_bytes(OnnxModel(graph).opset(17).bytes());
  EXPECT_EQ(model.graph->outputs()[0]->type.str(), "f32[n, 2, 2]");
}

}  // namespace
}  // namespace tenrec
