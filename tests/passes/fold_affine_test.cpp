// SPDX-License-Identifier: Apache-2.0
#include "pass_check.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

std::string folded(const std::string& text) {
  return op_names(run_checked(
      text,
      [](Graph& graph) {
        simplify(graph);
        fold_affine(graph);
      },
      1e-5));
}

TEST(FoldAffine, BatchNormalizationIntoConv) {
  EXPECT_EQ(folded(R"(graph(%x: f32[1, 2, 3, 3] "x") {
    %w = constant() (value=f32[2, 2, 1, 1](1, 2, 3, 4)) : f32[2, 2, 1, 1]
    %s = constant() (value=f32[2](0.5, 2)) : f32[2]
    %b = constant() (value=f32[2](1, -1)) : f32[2]
    %m = constant() (value=f32[2](0.25, 3)) : f32[2]
    %v = constant() (value=f32[2](4, 0.5)) : f32[2]
    %c = conv(%x, %w) (dilations=[1, 1], pads=[1, 1, 1, 1], strides=[1, 1]) : f32[1, 2, 5, 5]
    %y = batch_normalization(%c, %s, %b, %m, %v) : f32[1, 2, 5, 5]
    return %y "y"
  })"),
            "conv");
}

TEST(FoldAffine, LoneBatchNormalizationIsProductAndSum) {
  EXPECT_EQ(folded(R"(graph(%x: f32[N, 2, 3] "x") {
    %s = constant() (value=f32[2](0.5, 2)) : f32[2]
    %b = constant() (value=f32[2](1, -1)) : f32[2]
    %m = constant() (value=f32[2](0.25, 3)) : f32[2]
    %v = constant() (value=f32[2](4, 0.5)) : f32[2]
    %y = batch_normalization(%x, %s, %b, %m, %v) : f32[N, 2, 3]
    return %y "y"
  })"),
            "mul add");
}

TEST(FoldAffine, GroupedTransposedConvScalesItsOwnChannels) {
  EXPECT_EQ(folded(R"(graph(%x: f32[1, 4, 3] "x") {
    %w = constant() (value=f32[4, 2, 2](1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)) : f32[4, 2, 2]
    %b = constant() (value=f32[4](1, -1, 2, -2)) : f32[4]
    %f = constant() (value=f32[1, 4, 1](1, 10, 100, 1000)) : f32[1, 4, 1]
    %g = constant() (value=f32[4, 1](3, 4, 5, 6)) : f32[4, 1]
    %c = conv_transpose(%x, %w, %b) (group=2, strides=[2]) : f32[1, 4, 6]
    %p = mul(%c, %f) : f32[1, 4, 6]
    %y = add(%p, %g) : f32[1, 4, 6]
    return %y "y"
  })"),
            "conv_transpose");
}

TEST(FoldAffine, BatchNormalizationBehindBiasedMatrixProduct) {
  EXPECT_EQ(folded(R"(graph(%x: f32[N, 2] "x") {
    %w = constant() (value=f32[2, 3](1, 2, 3, 4, 5, 6)) : f32[2, 3]
    %c = constant() (value=f32[3](1, 2, 3)) : f32[3]
    %s = constant() (value=f32[3](0.5, 2, 1)) : f32[3]
    %b = constant() (value=f32[3](1, -1, 0)) : f32[3]
    %m = constant() (value=f32[3](0.25, 3, 1)) : f32[3]
    %v = constant() (value=f32[3](4, 0.5, 1)) : f32[3]
    %p = matmul(%x, %w) : f32[N, 3]
    %a = add(%p, %c) : f32[N, 3]
    %y = batch_normalization(%a, %s, %b, %m, %v) : f32[N, 3]
    return %y "y"
  })"),
            "matmul add");
}

TEST(FoldAffine, ScalarFactorBeforeAProduct) {
  EXPECT_EQ(folded(R"(graph(%x: f32[N, 2] "x") {
    %w = constant() (value=f32[2, 3](1, 2, 3, 4, 5, 6)) : f32[2, 3]
    %f = constant() (value=f32[](0.125)) : f32[]
    %s = mul(%x, %f) : f32[N, 2]
    %y = matmul(%s, %w) : f32[N, 3]
    return %y "y"
  })"),
            "matmul");
}

TEST(FoldAffine, ResultReadTwiceStays) {
  EXPECT_EQ(folded(R"(graph(%x: f32[1, 1, 4] "x") {
    %w = constant() (value=f32[1, 1, 2](1, 2)) : f32[1, 1, 2]
    %f = constant() (value=f32[](3)) : f32[]
    %c = conv(%x, %w) : f32[1, 1, 3]
    %y = mul(%c, %f) : f32[1, 1, 3]
    return %y "y", %c "c"
  })"),
            "conv mul");
}

TEST(FoldAffine, PadOfZerosIntoConv) {
  EXPECT_EQ(folded(R"(graph(%x: f32[1, 1, H, 4] "x") {
    %w = constant() (value=f32[1, 1, 2, 2](1, 2, 3, 4)) : f32[1, 1, 2, 2]
    %p = constant() (value=i64[8](0, 0, 1, 0, 0, 0, 2, 1)) : i64[8]
    %q = pad(%x, %p) : f32[1, 1, H + 3, 5]
    %y = conv(%q, %w) (dilations=[1, 1], pads=[0, 1, 0, 0], strides=[2, 1]) : f32[1, 1, floordiv(H + 1, 2) + 1, 5]
    return %y "y"
  })"),
            "conv");
}

}  // namespace
}  // namespace tenrec
