// SPDX-License-Identifier: Apache-2.0
#include "ir/graph.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "ops/elementwise.h"
#include "ops/evaluate.h"
#include "ops/reshape.h"

namespace tenrec {
namespace {

class GraphTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { init_ops(); }
};

constexpr const char* sample = R"(graph(%0: f32[N, 3] "x") {
  %1 = constant() (value=f32[3](1, 2, 3)) : f32[3]
  %2 = add(%0, %1) : f32[N, 3] @ "sum"
  %3 = relu(%2) : f32[N, 3]
  return %3 "y"
}
)";

TEST_F(GraphTest, PrintsWhatItParsed) { EXPECT_EQ(print(*parse_graph(sample)), sample); }

TEST_F(GraphTest, ClonePrintsTheSame) { EXPECT_EQ(print(*parse_graph(sample)->clone()), sample); }

TEST_F(GraphTest, LargeConstantsAreNamedWeights) {
  Graph graph;
  graph.add_output(graph.constant(nullptr, Tensor(DType::f32, {100})), "y");
  const std::string text = print(graph);
  EXPECT_NE(text.find("@w0"), text.npos);
  EXPECT_EQ(print(*parse_graph(text, printed_weights(graph))), text);
  EXPECT_THROW(parse_graph(text), Error);
}

TEST_F(GraphTest, BrokenTextIsAnErrorWithItsLine) {
  try {
    parse_graph("graph(%0: f32[2] \"x\") {\n  %1 = nothing(%0) : f32[2]\n  return %1 \"y\"\n}");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "text IR line 2: unknown operator 'nothing' before '(%0) : f32[2]\n  return %'");
  }
}

TEST_F(GraphTest, ReplaceUsesAndRemoveDead) {
  const auto graph = parse_graph(sample);
  Node* relu = graph->front()->next()->next();
  graph->replace_uses(relu->output(), relu->input(0));
  EXPECT_TRUE(graph->remove_dead());
  EXPECT_EQ(graph->nodes().size(), 2U);
  verify(*graph);
}

TEST_F(GraphTest, InferenceErrorsNameTheNode) {
  Graph graph;
  Value* a = graph.add_input("a", Type::tensor(DType::f32, {2, 3}));
  Value* b = graph.add_input("b", Type::tensor(DType::f32, {2, 4}));
  try {
    graph.insert(nullptr, Add{}, {a, b}, {}, {"add_7"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_model);
    EXPECT_EQ(std::string(error.what()).find("\"add_7\" (add)"), 0U) << error.what();
  }
}

TEST_F(GraphTest, ShapeArithmeticStaysSymbolic) {
  const auto graph = parse_graph(R"(graph(%0: f32[N, C, H, W] "x") {
  %1 = shape(%0) : i64[4] {N, C, H, W}
  %2 = constant() (value=i64[1](2)) : i64[1]
  %3 = gather(%1, %2) : i64[1] {H}
  %4 = mul(%3, %2) : i64[1] {2*H}
  return %4 "y"
})");
  const Type& type = graph->outputs()[0]->type;
  ASSERT_TRUE(type.known_ints());
  EXPECT_EQ((*type.known_ints())[0].str(), "2*H");
}

TEST_F(GraphTest, EvaluatesWithTheOperatorsOracle) {
  const auto graph = parse_graph(sample);
  const Data out = evaluate(*graph, {Datum(Tensor::of<float>({1, 3}, {-5, 0, 1}))});
  EXPECT_EQ(out.at(0).tensor, Tensor::of<float>({1, 3}, {0, 2, 4}));
}

}  // namespace
}  // namespace tenrec
