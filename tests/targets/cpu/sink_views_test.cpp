// SPDX-License-Identifier: Apache-2.0
#include "targets/common/sink_views.h"

#include "passes/pass_check.h"

namespace tenrec {
namespace {

std::string sunk(const std::string& text) { return op_names(run_checked(text, sink_views)); }

// The multi-head attention of torch: one product for query, key and value, whose parts are chosen
// behind a transposition.
TEST(SinkViews, PartsAreChosenBeforeATransposition) {
  EXPECT_EQ(sunk(R"(graph(%x: f32[5, 1, 48] "x") {
    %five = constant() (value=i64[5](1, 5, 1, 3, 16)) : i64[5]
    %four = constant() (value=i64[4](3, 5, 1, 16)) : i64[4]
    %0 = constant() (value=i64[](0)) : i64[]
    %2 = constant() (value=i64[](2)) : i64[]
    %a = reshape(%x, %five) : f32[1, 5, 1, 3, 16]
    %b = transpose(%a) (perm=[3, 1, 2, 0, 4]) : f32[3, 5, 1, 1, 16]
    %c = reshape(%b, %four) : f32[3, 5, 1, 16]
    %first = gather(%c, %0) : f32[5, 1, 16]
    %last = gather(%c, %2) : f32[5, 1, 16]
    return %first "first", %last "last"
  })"),
            "reshape gather reshape gather reshape");
}

// With several images the parts are transposed, each for itself; single elements stay behind.
TEST(SinkViews, PartsKeepTheirOrder) {
  const char* const graph = R"(graph(%x: f32[5, 2, 3, {}] "x") {{
    %1 = constant() (value=i64[](1)) : i64[]
    %a = transpose(%x) (perm=[2, 1, 0, 3]) : f32[3, 2, 5, {}]
    %b = gather(%a, %1) : f32[2, 5, {}]
    return %b "b"
  }})";
  EXPECT_EQ(sunk(fmt::format(fmt::runtime(graph), 16, 16, 16)), "gather transpose");
  EXPECT_EQ(sunk(fmt::format(fmt::runtime(graph), 2, 2, 2)), "transpose gather");
}

TEST(SinkViews, ProductsReadThroughViews) {
  EXPECT_EQ(sunk(R"(graph(%x: f32[1, 3, 2] "x") {
    %w = constant() (value=f32[2, 2](1, 2, 3, 4)) : f32[2, 2]
    %lines = constant() (value=i64[2](3, 2)) : i64[2]
    %a = transpose(%x) (perm=[1, 0, 2]) : f32[3, 1, 2]
    %b = reshape(%a, %lines) : f32[3, 2]
    %c = matmul(%b, %w) : f32[3, 2]
    %back = constant() (value=i64[3](1, 3, 2)) : i64[3]
    %d = reshape(%c, %back) : f32[1, 3, 2]
    %e = add(%d, %x) : f32[1, 3, 2]
    return %e "e"
  })"),
            "matmul add");
}

TEST(SinkViews, WhatMovesStays) {
  EXPECT_EQ(sunk(R"(graph(%x: f32[2, 3, 4] "x", %y: f32[N, 1, 4] "y") {
    %a = transpose(%x) (perm=[1, 0, 2]) : f32[3, 2, 4]
    %b = transpose(%y) (perm=[1, 0, 2]) : f32[1, N, 4]
    return %a "a", %b "b"
  })"),
            "transpose transpose");
}

}  // namespace
}  // namespace tenrec
