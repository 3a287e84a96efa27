// SPDX-License-Identifier: Apache-2.0
#include <regex>

#include "base/error.h"
#include "pass_check.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

std::string continued(const std::string& text) { return run_checked(text, continue_branches); }

// `%rest` follows an If that drops an axis of x, f32[N, 4, 1], or does not.
std::string squeezed_or_not(const std::string& rest) {
  return R"(graph(%x: f32[N, 4, 1] "x", %c: bool[] "c", %w: f32[4] "w") {
    %y = if(%c, %x) graph(%a: f32[N, 4, 1] "a") {
      %axes = constant() (value=i64[1](2)) : i64[1]
      %b = squeeze(%a, %axes) : f32[N, 4]
      return %b "b"
    } graph(%d: f32[N, 4, 1] "d") {
      return %d "d"
    } : f32[...]
)" + rest;
}

TEST(ContinueBranches, WhatFollowsMovesIntoBothAndLaterTestsOfTheRankAreDecided) {
  const std::string text = continued(squeezed_or_not(R"(
    %z = relu(%y) : f32[...]
    %shape = shape(%z) : i64[rank]
    %size = size(%shape) : i64[]
    %two = constant() (value=i64[](2)) : i64[]
    %is_two = equal(%size, %two) : bool[]
    %v = if(%is_two, %z, %w) graph(%e: f32[...] "e", %f: f32[4] "f") {
      %g = mul(%e, %f) : f32[...]
      return %g "g"
    } graph(%h: f32[...] "h", %k: f32[4] "k") {
      %last = constant() (value=i64[1](2)) : i64[1]
      %i = squeeze(%h, %last) : f32[...]
      return %i "i"
    } : f32[...]
    %u = neg(%v) : f32[...]
    return %u "u"
  })"));
  EXPECT_EQ(op_names(text), "if squeeze relu mul neg relu squeeze neg");
  EXPECT_EQ(text.find("[...]"), std::string::npos) << text;
}

TEST(ContinueBranches, ABranchThatCannotGoOnFailsWhenItIsTaken) {
  const std::string text = continued(squeezed_or_not(R"(
    %matrix = matmul(%y, %w) : f32[...]
    %one = constant() (value=i64[1](1)) : i64[1]
    %z = concat(%matrix, %w) (axis=0) : f32[...]
    return %z "z"
  })"));
  EXPECT_EQ(op_names(text), "if squeeze matmul concat fail");
  EXPECT_NE(text.find("cannot work with these sizes"), std::string::npos) << text;
}

TEST(ContinueBranches, SqueezesOfOneSizeAreOneQuestion) {
  const std::string text = continued(R"(graph(%x: f32[N, 1, 4] "x", %y: f32[N, 4, 1] "y") {
    %a = squeeze(%x) : f32[...]
    %b = squeeze(%y) : f32[...]
    %c = add(%a, %b) : f32[...]
    return %c "c"
  })");
  EXPECT_EQ(op_names(text), "dims equal if squeeze squeeze add squeeze squeeze add");
  EXPECT_NE(text.find(": f32[4]"), std::string::npos) << text;
  EXPECT_NE(text.find(": f32[N, 4]"), std::string::npos) << text;
}

TEST(ContinueBranches, ASqueezeOfTwoOpenSizesHasFourForms) {
  const std::string text = continued(R"(graph(%x: f32[N, M, 1, M] "x") {
    %a = squeeze(%x) : f32[...]
    %b = relu(%a) : f32[...]
    return %b "b"
  })");
  for (const char* form : {R"(f32\[\])", R"(f32\[M, M\])", R"(f32\[N\])", R"(f32\[N, M, M\])"})
    EXPECT_TRUE(std::regex_search(text, std::regex(fmt::format(" = relu.*: {}\\n", form)))) << text;
}

TEST(ContinueBranches, BranchesOfOneRankStayAsTheyAre) {
  const std::string text = R"(graph(%x: f32[N, 4] "x", %c: bool[] "c") {
    %y = if(%c, %x) graph(%a: f32[N, 4] "a") {
      %b = relu(%a) : f32[N, 4]
      return %b "b"
    } graph(%d: f32[N, 4] "d") {
      return %d "d"
    } : f32[N, 4]
    %z = neg(%y) : f32[N, 4]
    return %z "z"
  })";
  EXPECT_EQ(op_names(continued(text)), "if relu neg");
}

}  // namespace
}  // namespace tenrec
