// SPDX-License-Identifier: Apache-2.0
#include "pass_check.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

std::string simplified(const std::string& text) { return run_checked(text, simplify); }

TEST(Simplify, ViewChainIsOneReshape) {
  EXPECT_EQ(simplified(R"(graph(%x: f32[N, 4, 1] "x") {
    %a = constant() (value=i64[1](2)) : i64[1]
    %b = constant() (value=i64[1](0)) : i64[1]
    %1 = squeeze(%x, %a) : f32[N, 4]
    %2 = unsqueeze(%1, %b) : f32[1, N, 4]
    %3 = flatten(%2) (axis=2) : f32[N, 4]
    %4 = relu(%3) : f32[N, 4]
    return %4 "y"
  })"),
            "  %1 = constant() (value=i64[2](0, 4)) : i64[2]\n"
            "  %2 = reshape(%0, %1) : f32[N, 4]\n"
            "  %3 = relu(%2) : f32[N, 4]\n");
}

TEST(Simplify, ReshapeThereAndBackGoes) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[2, 6] "x") {
    %a = constant() (value=i64[2](3, 4)) : i64[2]
    %b = constant() (value=i64[2](2, -1)) : i64[2]
    %1 = reshape(%x, %a) : f32[3, 4]
    %2 = reshape(%1, %b) : f32[2, 6]
    %3 = relu(%2) : f32[2, 6]
    return %3 "y"
  })")),
            "relu");
}

// Joined and taken apart at the same places, or the other way round.
TEST(Simplify, PartsThereAndBackGo) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[N, 4, 2] "x", %y: f32[N, 1, 2] "y") {
    %s = constant() (value=i64[2](3, 1)) : i64[2]
    %a, %b = split(%x, %s) (axis=1, num_outputs=2) : f32[N, 3, 2], f32[N, 1, 2]
    %c = concat(%a, %b) (axis=-2) : f32[N, 4, 2]
    %d = relu(%c) : f32[N, 4, 2]
    %e = concat(%d, %y) (axis=1) : f32[N, 5, 2]
    %t = constant() (value=i64[2](4, 1)) : i64[2]
    %f, %g = split(%e, %t) (axis=-2, num_outputs=2) : f32[N, 4, 2], f32[N, 1, 2]
    %h = tanh(%f) : f32[N, 4, 2]
    %i = exp(%g) : f32[N, 1, 2]
    return %h "h", %i "i"
  })")),
            "relu tanh exp");
}

TEST(Simplify, PartsInAnotherOrderStay) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[4, 2] "x", %y: f32[3, 2] "y") {
    %a, %b = split(%x) (axis=0, num_outputs=2) : f32[2, 2], f32[2, 2]
    %c = concat(%b, %a) (axis=0) : f32[4, 2]
    %d, %e = split(%x) (axis=1, num_outputs=2) : f32[4, 1], f32[4, 1]
    %f = concat(%d, %e) (axis=0) : f32[8, 1]
    %g = concat(%y, %c) (axis=0) : f32[7, 2]
    %s = constant() (value=i64[2](4, 3)) : i64[2]
    %h, %i = split(%g, %s) (axis=0, num_outputs=2) : f32[4, 2], f32[3, 2]
    return %f "f", %h "h", %i "i"
  })")),
            "split concat split concat concat split");
}

TEST(Simplify, BiasAndActivationComeBeforeADroppedAxis) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[1, 2, 5, 1] "x") {
    %w = constant() (value=f32[2, 2, 2, 1](1, 2, 3, 4, 5, 6, 7, 8)) : f32[2, 2, 2, 1]
    %c = conv(%x, %w) (dilations=[1, 1], pads=[0, 0, 0, 0], strides=[1, 1]) : f32[1, 2, 4, 1]
    %s = constant() (value=i64[3](1, 2, 4)) : i64[3]
    %r = reshape(%c, %s) : f32[1, 2, 4]
    %b = constant() (value=f32[2, 1](1, -2)) : f32[2, 1]
    %a = add(%r, %b) : f32[1, 2, 4]
    %y = relu(%a) : f32[1, 2, 4]
    return %y "y"
  })")),
            "conv add relu reshape");
}

TEST(Simplify, TransposesFoldAndGo) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[2, 3, 4] "x") {
    %1 = transpose(%x) (perm=[1, 2, 0]) : f32[3, 4, 2]
    %2 = transpose(%1) (perm=[1, 2, 0]) : f32[4, 2, 3]
    %3 = transpose(%2) (perm=[1, 2, 0]) : f32[2, 3, 4]
    %4 = relu(%3) : f32[2, 3, 4]
    return %4 "y"
  })")),
            "relu");
}

TEST(Simplify, NeutralOperandsGo) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[2, 3] "x") {
    %one = constant() (value=f32[3](1, 1, 1)) : f32[3]
    %zero = constant() (value=f32[](0)) : f32[]
    %1 = mul(%one, %x) : f32[2, 3]
    %2 = add(%1, %zero) : f32[2, 3]
    %3 = sub(%2, %zero) : f32[2, 3]
    %4 = div(%3, %one) : f32[2, 3]
    %5 = cast(%4) : f32[2, 3]
    %6 = identity(%5) : f32[2, 3]
    %7 = relu(%6) : f32[2, 3]
    return %7 "y"
  })")),
            "relu");
}

TEST(Simplify, NeutralOperandThatBroadcastsStays) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[3] "x") {
    %one = constant() (value=f32[2, 1](1, 1)) : f32[2, 1]
    %1 = mul(%x, %one) : f32[2, 3]
    return %1 "y"
  })")),
            "mul");
}

TEST(Simplify, SubtractionAndExactDivisionByConstants) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[3] "x") {
    %a = constant() (value=f32[](0.3)) : f32[]
    %b = constant() (value=f32[](8)) : f32[]
    %c = constant() (value=f32[](3)) : f32[]
    %1 = sub(%x, %a) : f32[3]
    %2 = div(%1, %b) : f32[3]
    %3 = div(%2, %c) : f32[3]
    return %3 "y"
  })")),
            "add mul div");
}

TEST(Simplify, IntegerDivisionStays) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: i32[3] "x") {
    %b = constant() (value=i32[](2)) : i32[]
    %2 = div(%x, %b) : i32[3]
    return %2 "y"
  })")),
            "div");
}

TEST(Simplify, SquareIsAProduct) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[3] "x") {
    %b = constant() (value=f32[](2)) : f32[]
    %2 = pow(%x, %b) : f32[3]
    return %2 "y"
  })")),
            "mul");
}

TEST(Simplify, MovesThatMoveNothingGo) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[2, 3] "x") {
    %p = constant() (value=i64[4](0, 0, 0, 0)) : i64[4]
    %s = constant() (value=i64[1](0)) : i64[1]
    %e = constant() (value=i64[1](9223372036854775807)) : i64[1]
    %t = constant() (value=i64[2](2, 3)) : i64[2]
    %o = constant() (value=i64[2](1, 1)) : i64[2]
    %1 = pad(%x, %p) : f32[2, 3]
    %2 = slice(%1, %s, %e) : f32[2, 3]
    %3 = expand(%2, %t) : f32[2, 3]
    %4 = tile(%3, %o) : f32[2, 3]
    %5 = concat(%4) (axis=1) : f32[2, 3]
    %6 = relu(%5) : f32[2, 3]
    return %6 "y"
  })")),
            "relu");
}

TEST(Simplify, ReversingSliceStays) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[3] "x") {
    %s = constant() (value=i64[1](-1)) : i64[1]
    %e = constant() (value=i64[1](-9223372036854775807)) : i64[1]
    %a = constant() (value=i64[1](0)) : i64[1]
    %2 = slice(%x, %s, %e, %a, %s) : f32[3]
    return %2 "y"
  })")),
            "slice");
}

TEST(Simplify, PointwiseReadsThroughExpand) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[2, 3] "x", %b: f32[3] "b") {
    %t = constant() (value=i64[2](2, 3)) : i64[2]
    %1 = expand(%b, %t) : f32[2, 3]
    %2 = add(%x, %1) : f32[2, 3]
    return %2 "y"
  })")),
            "add");
}

// How PyTorch writes x[i] = u: positions stretched to every element of the rows.
TEST(Simplify, StretchedPositionsAreThoseOfRows) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[N, 3, 4] "x", %i: i64[2, 1, 1] "i",
                                         %u: f32[2, 3, 4] "u") {
    %t = constant() (value=i64[3](2, 3, 4)) : i64[3]
    %1 = expand(%i, %t) : i64[2, 3, 4]
    %2 = scatter_elements(%x, %1, %u) : f32[N, 3, 4]
    return %2 "y"
  })")),
            "reshape scatter_nd");
  // Stretched along the axis of the positions as well: every row to one place, the last one stays.
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[5, 3] "x", %i: i64[1, 1] "i", %u: f32[2, 3] "u") {
    %t = constant() (value=i64[2](2, 3)) : i64[2]
    %1 = expand(%i, %t) : i64[2, 3]
    %2 = scatter_elements(%x, %1, %u) : f32[5, 3]
    return %2 "y"
  })")),
            "expand scatter_elements");
  EXPECT_EQ(op_names(simplified(R"(graph(%x: f32[5, 7, 3] "x", %i: i64[1, 2, 1] "i") {
    %t = constant() (value=i64[3](5, 2, 3)) : i64[3]
    %1 = expand(%i, %t) : i64[5, 2, 3]
    %2 = gather_elements(%x, %1) (axis=1) : f32[5, 2, 3]
    return %2 "y"
  })")),
            "reshape gather");
}

// How PyTorch writes x[:, 1] = u: a coordinate for every element.
TEST(Simplify, CoordinatesOfWholeRowsAreThoseOfRows) {
  const auto written = [](std::string_view coordinates, int64_t rows, int64_t last) {
    return simplified(fmt::format(R"(graph(%x: f32[2, 3, {2}] "x", %u: f32[{1}, 2] "u") {{
    %1 = constant() (value=i64[{1}, 2, 3]({0})) : i64[{1}, 2, 3]
    %2 = scatter_nd(%x, %1, %u) : f32[2, 3, {2}]
    return %2 "y"
  }})",
                                  coordinates, rows, last));
  };
  EXPECT_EQ(written("0, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1", 2, 2),
            "  %2 = constant() (value=i64[2, 2](0, 1, 1, 1)) : i64[2, 2]\n"
            "  %3 = scatter_nd(%0, %2, %1) : f32[2, 3, 2]\n");
  // One row twice: the last one stays.
  EXPECT_EQ(written("1, 2, 0, 1, 2, 1, 1, 2, 0, 1, 2, 1", 2, 2),
            "  %2 = constant() (value=i64[2, 2](1, 2, 1, 2)) : i64[2, 2]\n"
            "  %3 = scatter_nd(%0, %2, %1) : f32[2, 3, 2]\n");
  for (const std::string_view other : {"0, 1, 1, 0, 1, 0",   // backwards
                                       "0, 1, 0, 0, 1, 0",   // one element twice
                                       "0, 1, 0, 0, 1, -1",  // the same place, from behind
                                       "0, 1, 0, 0, 2, 1"})  // two rows
    EXPECT_NE(written(other, 1, 2).find("i64[1, 2, 3]"), std::string::npos) << other;
  // A part of the row.
  EXPECT_NE(written("0, 1, 0, 0, 1, 1", 1, 4).find("i64[1, 2, 3]"), std::string::npos);
}

TEST(Simplify, WideningCastsFoldNarrowingOnesStay) {
  EXPECT_EQ(op_names(simplified(R"(graph(%x: i32[3] "x", %z: f32[3] "z") {
    %1 = cast(%x) (to=i64) : i64[3]
    %2 = cast(%1) (to=f32) : f32[3]
    %3 = cast(%z) (to=i32) : i32[3]
    %4 = cast(%3) : f32[3]
    return %2 "y", %4 "w"
  })")),
            "cast cast cast");
}

TEST(CommonSubexpressions, EqualNodesAndConstantsMerge) {
  EXPECT_EQ(op_names(run_checked(R"(graph(%x: f32[3] "x") {
    %a = constant() (value=f32[](2)) : f32[]
    %b = constant() (value=f32[](2)) : f32[]
    %1 = mul(%x, %a) : f32[3]
    %2 = mul(%x, %b) : f32[3]
    %3 = add(%1, %2) : f32[3]
    return %3 "y"
  })",
                                 common_subexpressions)),
            "mul add");
}

TEST(FoldConstants, SizesOfInputsBecomeData) {
  EXPECT_EQ(op_names(run_checked(R"(graph(%x: f32[N, 3] "x") {
    %1 = shape(%x) : i64[2]
    return %1 "y"
  })",
                                 fold_constants)),
            "dims");
}

TEST(FoldConstants, SizesThatOnlyRunningDefinesKeepTheirSource) {
  init_ops();
  const auto graph = parse_graph(R"(graph(%x: f32[3] "x") {
    %1 = non_zero(%x) : i64[1, K]
    %2 = shape(%1) : i64[2]
    return %2 "y"
  })");
  fold_constants(*graph);
  EXPECT_EQ(op_names(nodes_text(*graph)), "non_zero shape");
}

}  // namespace
}  // namespace tenrec
