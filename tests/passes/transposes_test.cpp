// SPDX-License-Identifier: Apache-2.0
#include "pass_check.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

std::string moved(const std::string& text) { return run_checked(text, transposes); }

TEST(Transposes, CancelThroughPointwiseResidualAndPad) {
  EXPECT_EQ(op_names(moved(R"(graph(%x: f32[1, 2, 4, 5] "x", %z: f32[1, 2, 4, 5] "z") {
    %b = constant() (value=f32[2](1, 2)) : f32[2]
    %p = constant() (value=i64[8](0, 1, 0, 0, 0, 0, 2, 3)) : i64[8]
    %1 = transpose(%x) (perm=[0, 2, 3, 1]) : f32[1, 4, 5, 2]
    %2 = transpose(%z) (perm=[0, 2, 3, 1]) : f32[1, 4, 5, 2]
    %3 = add(%1, %b) : f32[1, 4, 5, 2]
    %4 = add(%3, %2) : f32[1, 4, 5, 2]
    %5 = relu(%4) : f32[1, 4, 5, 2]
    %6 = pad(%5, %p) : f32[1, 5, 7, 5]
    %7 = transpose(%6) (perm=[0, 3, 1, 2]) : f32[1, 5, 5, 7]
    return %7 "y"
  })")),
            "add add relu pad");
}

TEST(Transposes, CancelThroughConcatSplitSliceSoftmaxReduceResize) {
  EXPECT_EQ(op_names(moved(R"(graph(%x: f32[1, 2, 4, 6] "x") {
    %a = constant() (value=i64[1](-1)) : i64[1]
    %s = constant() (value=i64[1](1)) : i64[1]
    %e = constant() (value=i64[1](3)) : i64[1]
    %c = constant() (value=f32[4](1, 2, 3, 1)) : f32[4]
    %1 = transpose(%x) (perm=[0, 2, 3, 1]) : f32[1, 4, 6, 2]
    %2, %3 = split(%1) (axis=2, num_outputs=2, even=true) : f32[1, 4, 3, 2], f32[1, 4, 3, 2]
    %4 = softmax(%2) : f32[1, 4, 3, 2]
    %5 = concat(%4, %3) (axis=1) : f32[1, 8, 3, 2]
    %6 = slice(%5, %s, %e, %s) : f32[1, 2, 3, 2]
    %7 = reduce(%6, %a) : f32[1, 2, 3, 1]
    %8 = mul(%6, %7) : f32[1, 2, 3, 2]
    %9 = resize(%8, none, %c) : f32[1, 4, 9, 2]
    %10 = transpose(%9) (perm=[0, 3, 1, 2]) : f32[1, 2, 4, 9]
    return %10 "y"
  })")),
            "split softmax concat slice reduce mul resize");
}

TEST(Transposes, WhatDoesNotPayStays) {
  const std::string text = R"(graph(%x: f32[1, 2, 4, 5] "x") {
    %1 = transpose(%x) (perm=[0, 2, 3, 1]) : f32[1, 4, 5, 2]
    %2 = relu(%1) : f32[1, 4, 5, 2]
    return %2 "y"
  })";
  EXPECT_EQ(op_names(moved(text)), "transpose relu");
}

TEST(Transposes, BranchThatWantsTheOuterOrderKeepsOne) {
  EXPECT_EQ(op_names(moved(R"(graph(%x: f32[1, 2, 4, 5] "x") {
    %1 = transpose(%x) (perm=[0, 2, 3, 1]) : f32[1, 4, 5, 2]
    %2 = relu(%1) : f32[1, 4, 5, 2]
    %3 = transpose(%2) (perm=[0, 3, 1, 2]) : f32[1, 2, 4, 5]
    return %3 "y", %2 "z"
  })")),
            "relu transpose");
}

TEST(Transposes, ReductionForgetsTheOrder) {
  EXPECT_EQ(op_names(moved(R"(graph(%x: f32[2, 3, 4, 5] "x") {
    %a = constant() (value=i64[2](1, 2)) : i64[2]
    %1 = transpose(%x) (perm=[0, 2, 3, 1]) : f32[2, 4, 5, 3]
    %2 = reduce(%1, %a) (kind=1, keepdims=false) : f32[2, 3]
    return %2 "y"
  })")),
            "reduce");
}

}  // namespace
}  // namespace tenrec
