// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse.h"

#include "pass_check.h"

namespace tenrec {
namespace {

std::string fused(const std::string& text, FuseOptions options = {}) {
  return run_checked(text, [&](Graph& graph) { fuse(graph, options); });
}

TEST(Fuse, ChainWithScalarInside) {
  EXPECT_EQ(fused(R"(graph(%x: f32[2, 3] "x", %b: f32[3] "b") {
    %c = constant() (value=f32[](2)) : f32[]
    %1 = mul(%x, %c) : f32[2, 3]
    %2 = add(%1, %b) : f32[2, 3]
    %3 = relu(%2) : f32[2, 3]
    return %3 "y"
  })"),
            "  %8 = fused(%0, %1) graph(%2: f32[2, 3] \"x\", %3: f32[3] \"b\") {\n"
            "    %4 = constant() (value=f32[](2)) : f32[]\n"
            "    %5 = mul(%2, %4) : f32[2, 3]\n"
            "    %6 = add(%5, %3) : f32[2, 3]\n"
            "    %7 = relu(%6) : f32[2, 3]\n"
            "    return %7 \"\"\n"
            "  } : f32[2, 3]\n");
}

TEST(Fuse, ConvWithActivationAndResidual) {
  const std::string text = fused(R"(graph(%x: f32[1, 2, 4] "x") {
    %w = constant() (value=f32[2, 2, 1](1, 2, 3, 4)) : f32[2, 2, 1]
    %f = constant() (value=f32[2, 1](1, 3)) : f32[2, 1]
    %c = conv(%x, %w) : f32[1, 2, 4]
    %s = sigmoid(%c) : f32[1, 2, 4]
    %m = mul(%c, %s) : f32[1, 2, 4]
    %p = mul(%m, %f) : f32[1, 2, 4]
    %y = add(%x, %p) : f32[1, 2, 4]
    return %y "y"
  })");
  EXPECT_NE(text.find("(anchor=\"conv\")"), std::string::npos) << text;
  EXPECT_EQ(op_names(text), "fused conv sigmoid mul mul add");
}

TEST(Fuse, AnchorStopsWhereTwoValuesLeave) {
  const std::string text = fused(R"(graph(%x: f32[2, 4] "x") {
    %w = constant() (value=f32[4, 1](1, 2, 3, 4)) : f32[4, 1]
    %c = matmul(%x, %w) : f32[2, 1]
    %s = sigmoid(%c) : f32[2, 1]
    %r = relu(%s) : f32[2, 1]
    %e = exp(%r) : f32[2, 1]
    return %r "r", %e "e"
  })");
  EXPECT_EQ(op_names(text), "fused matmul sigmoid relu exp");
}

TEST(Fuse, NoCycleThroughAnotherNode) {
  // add reads relu and a softmax of it: relu and add cannot be one region.
  EXPECT_EQ(op_names(fused(R"(graph(%x: f32[2, 4] "x") {
    %r = relu(%x) : f32[2, 4]
    %s = softmax(%r) : f32[2, 4]
    %y = add(%r, %s) : f32[2, 4]
    return %y "y"
  })")),
            "relu softmax add");
}

TEST(Fuse, ReaderOfAnEarlyResultMovesBehind) {
  const std::string text = fused(R"(graph(%x: f32[2, 4] "x") {
    %r = relu(%x) : f32[2, 4]
    %s = softmax(%r) : f32[2, 4]
    %y = exp(%r) : f32[2, 4]
    return %y "y", %s "s"
  })");
  EXPECT_EQ(op_names(text), "fused relu exp softmax");
}

TEST(Fuse, NoCycleBetweenTwoRegions) {
  // a1, a2 around b's softmax and b1, b2 around a's: merging both would make each wait for the
  // other.
  EXPECT_EQ(op_names(fused(R"(graph(%x: f32[2, 4] "x", %z: f32[3, 4] "z") {
    %t = constant() (value=f32[3, 2](1, 2, 3, 4, 5, 6)) : f32[3, 2]
    %u = constant() (value=f32[2, 3](1, 2, 3, 4, 5, 6)) : f32[2, 3]
    %a1 = relu(%x) : f32[2, 4]
    %b1 = relu(%z) : f32[3, 4]
    %fb = matmul(%u, %b1) : f32[2, 4]
    %a2 = add(%a1, %fb) : f32[2, 4]
    %fa = matmul(%t, %a1) : f32[3, 4]
    %b2 = add(%b1, %fa) : f32[3, 4]
    return %a2 "a", %b2 "b"
  })",
                           {.anchors = {}})),
            "relu matmul fused relu add matmul add");
}

TEST(Fuse, CapOnNodes) {
  EXPECT_EQ(op_names(fused(R"(graph(%x: f32[4] "x") {
    %1 = relu(%x) : f32[4]
    %2 = exp(%1) : f32[4]
    %3 = abs(%2) : f32[4]
    %4 = sqrt(%3) : f32[4]
    return %4 "y"
  })",
                           {.max_nodes = 2})),
            "fused relu exp fused abs sqrt");
}

TEST(Fuse, LayoutsStayAndMustAgree) {
  const std::string text = fused(R"(graph(%x: f32[1, 8, 4, 4] "x") {
    %p = reformat(%x) (block_axis=1, block=8) : f32[1, 8, 4, 4]:b1x8
    %a = relu(%p) : f32[1, 8, 4, 4]:b1x8
    %b = exp(%a) : f32[1, 8, 4, 4]:b1x8
    %q = reformat(%b) : f32[1, 8, 4, 4]
    %y = add(%q, %x) : f32[1, 8, 4, 4]
    return %y "y"
  })");
  EXPECT_EQ(op_names(text), "reformat fused relu exp reformat add");
  EXPECT_NE(text.find("} : f32[1, 8, 4, 4]:b1x8"), std::string::npos) << text;
}

}  // namespace
}  // namespace tenrec
