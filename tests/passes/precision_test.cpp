// SPDX-License-Identifier: Apache-2.0
#include "passes/precision.h"

#include "pass_check.h"

namespace tenrec {
namespace {

struct Narrowed {
  std::string text;
  std::vector<std::string> wide;
};

// Also held to the numbers of the graph as it was: a unit of the narrow type for each operator.
Narrowed narrowed(const std::string& text, DType to, double tolerance) {
  init_ops();
  const auto before = parse_graph(text), after = parse_graph(text);
  Narrowed result;
  result.wide = narrow_precision(*after, to);
  verify(*after);
  result.text = print(*after);
  const Data inputs = random_inputs(*before);
  expect_close(evaluate(*before, inputs), evaluate(*after, inputs), tolerance);
  return result;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

const char* const product = R"(graph(%x: f32[2, 8] "x") {
  %w = constant() (value=f32[8, 1](1, 2, 3, 4, 5, 6, 7, 8)) : f32[8, 1]
  %1 = matmul(%x, %w) : f32[2, 1]
  %2 = relu(%1) : f32[2, 1]
  return %2 "y"
})";

// Scales decide sizes: in f16 0.3 would be another one.
TEST(Precision, ScalesStayWide) {
  init_ops();
  const auto graph = parse_graph(R"(graph(%x: f32[1, 2, 8, 8] "x", %r: f32[1] "r") {
    %1 = constant() (value=f32[2](1, 1)) : f32[2]
    %s = concat(%1, %r, %r) : f32[4]
    %2 = resize(%x, none, %s) (mode=1) : f32[a, b, c, d]
    %3 = relu(%2) : f32[a, b, c, d]
    return %3 "y"
  })");
  graph->reinfer();
  narrow_precision(*graph, DType::f16);
  verify(*graph);
  for (const auto& node : graph->nodes()) {
    if (node->op().name() != "resize") continue;
    EXPECT_EQ(node->input(0)->type.dtype, DType::f16);
    EXPECT_EQ(node->input(2)->type.dtype, DType::f32);
  }
}

TEST(Precision, InputsAndOutputsKeepTheirTypes) {
  for (const auto& [to, unit] : {std::pair(DType::f16, 0x1p-10), std::pair(DType::bf16, 0x1p-7)}) {
    const Narrowed result = narrowed(product, to, 8 * 3 * unit);
    EXPECT_NE(result.text.find("%0: f32[2, 8] \"x\""), std::string::npos) << result.text;
    EXPECT_EQ(count(result.text, "cast("), 2U) << result.text;
    EXPECT_NE(result.text.find(fmt::format("relu(%3) : {}[2, 1]", name(to))), std::string::npos)
        << result.text;
    EXPECT_TRUE(result.wide.empty());
  }
}

TEST(Precision, AConstantBeyondItsRangeKeepsTheLayerWide) {
  const std::string text = R"(graph(%x: f32[4] "x") {
    %big = constant() (value=f32[](100000)) : f32[]
    %1 = mul(%x, %big) : f32[4] @ "huge"
    %2 = tanh(%1) : f32[4]
    return %2 "y"
  })";
  const Narrowed half = narrowed(text, DType::f16, 4 * 0x1p-10);
  ASSERT_EQ(half.wide.size(), 1U);
  EXPECT_NE(half.wide[0].find("huge"), std::string::npos);
  EXPECT_TRUE(narrowed(text, DType::bf16, 4 * 0x1p-7).wide.empty());  // it reaches as far as f32
}

TEST(Precision, SizesAndPositionsStayWhatTheyAre) {
  const Narrowed result = narrowed(R"(graph(%x: f32[1, 1, 4, 4] "x") {
    %scales = constant() (value=f32[4](1, 1, 2, 2)) : f32[4]
    %1 = relu(%x) : f32[1, 1, 4, 4]
    %2 = resize(%1, none, %scales) : f32[1, 1, 8, 8]
    %3 = neg(%2) : f32[1, 1, 8, 8]
    return %3 "y"
  })",
                                   DType::f16, 4 * 0x1p-10);
  EXPECT_NE(result.text.find("f32[4](1, 1, 2, 2)"), std::string::npos) << result.text;
  EXPECT_TRUE(result.wide.empty());
}

}  // namespace
}  // namespace tenrec
