// SPDX-License-Identifier: Apache-2.0
#include "pass_check.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

std::string folded(const std::string& text) { return run_checked(text, fold_constants); }

// A branch that is taken tells the rank, which decides the next one.
TEST(FoldConstants, AnIfWithAKnownConditionGivesWayToItsBranch) {
  EXPECT_EQ(op_names(folded(R"(graph(%x: f32[N, 4] "x") {
    %two = constant() (value=i64[](2)) : i64[]
    %yes = constant() (value=bool[](1)) : bool[]
    %y = if(%yes, %x) graph(%a: f32[N, 4] "a") {
      %b = relu(%a) : f32[N, 4]
      return %b "b"
    } graph(%c: f32[N, 4] "c") {
      %axes = constant() (value=i64[1](0)) : i64[1]
      %d = unsqueeze(%c, %axes) : f32[1, N, 4]
      return %d "d"
    } : f32[...]
    %shape = shape(%y) : i64[rank]
    %size = size(%shape) : i64[]
    %is_two = equal(%size, %two) : bool[]
    %z = if(%is_two, %y) graph(%e: f32[...] "e") {
      %f = neg(%e) : f32[...]
      return %f "f"
    } graph(%g: f32[...] "g") {
      %h = abs(%g) : f32[...]
      return %h "h"
    } : f32[...]
    return %z "z"
  })")),
            "relu neg");
}

TEST(FoldConstants, InsideTheBranchesOfAnUndecidedIfToo) {
  EXPECT_EQ(op_names(folded(R"(graph(%x: f32[4] "x", %condition: bool[] "condition") {
    %y = if(%condition, %x) graph(%a: f32[4] "a") {
      %no = constant() (value=bool[](0)) : bool[]
      %b = if(%no, %a) graph(%c: f32[4] "c") {
        %d = relu(%c) : f32[4]
        return %d "d"
      } graph(%e: f32[4] "e") {
        %f = neg(%e) : f32[4]
        return %f "f"
      } : f32[4]
      return %b "b"
    } graph(%g: f32[4] "g") {
      %h = abs(%g) : f32[4]
      return %h "h"
    } : f32[4]
    return %y "y"
  })")),
            "if neg abs");
}

// Sizes that come out of floating-point arithmetic are known once that is folded, and what they
// decide with them.
TEST(FoldConstants, ComputedSizesReachTheTypesBehindThem) {
  const std::string text = folded(R"(graph(%x: f32[1, 2, 8, 6] "x") {
    %sizes = dims() (values=[{1}, {2}, {8}, {6}], shape=[4]) : i64[4] {1, 2, 8, 6}
    %numbers = cast(%sizes) : f32[4]
    %half = constant() (value=f32[](0.5)) : f32[]
    %halves = mul(%numbers, %half) : f32[4]
    %up = ceil(%halves) : f32[4]
    %wanted = cast(%up) (to=i64) : i64[4]
    %y = resize(%x, none, none, %wanted) : f32[a, b, c, d]
    %shape = shape(%y) : i64[4]
    %count = reduce(%shape) (kind=4, keepdims=false) : i64[]
    return %y "y", %count "count"
  })");
  EXPECT_NE(text.find("f32[1, 1, 4, 3]"), std::string::npos) << text;
  EXPECT_NE(text.find("value=i64[](12)"), std::string::npos) << text;
}

}  // namespace
}  // namespace tenrec
