// SPDX-License-Identifier: Apache-2.0
#include "pass_check.h"
#include "passes/passes.h"

namespace tenrec {
namespace {

std::string recognised(const std::string& text) {
  return run_checked(text, [](Graph& graph) {
    simplify(graph);
    recognise(graph);
  });
}

TEST(Recognise, SoftmaxWithMaximum) {
  const std::string text = recognised(R"(graph(%x: f32[2, 3, 4] "x") {
    %a = constant() (value=i64[1](1)) : i64[1]
    %m = reduce(%x, %a) (kind=2) : f32[2, 1, 4]
    %d = sub(%x, %m) : f32[2, 3, 4]
    %e = exp(%d) : f32[2, 3, 4]
    %s = reduce(%e, %a) : f32[2, 1, 4]
    %y = div(%e, %s) : f32[2, 3, 4]
    return %y "y"
  })");
  EXPECT_EQ(text, "  %1 = softmax(%0) (axis=1) : f32[2, 3, 4]\n");
}

TEST(Recognise, OneHotTimesTable) {
  const auto passes = [](Graph& graph) {
    simplify(graph);
    recognise(graph);
    simplify(graph);
  };
  const std::string names = op_names(run_checked(R"(graph(%x: i32[2, 5, 1] "x") {
    %n = constant() (value=i32[1, 1, 3](0, 1, 2)) : i32[1, 1, 3]
    %e = equal(%x, %n) : bool[2, 5, 3]
    %h = cast(%e) (to=f32) : f32[2, 5, 3]
    %w = constant() (value=f32[3, 2](1, 2, 3, 4, 5, 6)) : f32[3, 2]
    %y = matmul(%h, %w) : f32[2, 5, 2]
    return %y "y"
  })",
                                                 passes));
  EXPECT_EQ(names, "reshape max min gather");
}

std::string composed(const std::string& text) {
  return op_names(run_checked(text, [](Graph& graph) {
    recognise(graph);
    simplify(graph);
  }));
}

TEST(Recognise, EinsumIsProducts) {
  EXPECT_EQ(composed(R"(graph(%x: f32[2, 3, 4] "x", %y: f32[2, 5, 4] "y") {
    %z = einsum(%x, %y) (equation="bij,bkj->bik") : f32[2, 3, 5]
    return %z "z"
  })"),
            "transpose matmul");
  // Axes that only one has and nobody wants are summed first; those of both without a sum multiply.
  EXPECT_EQ(composed(R"(graph(%x: f32[2, 3, 4] "x", %y: f32[2, 5] "y") {
    %z = einsum(%x, %y) (equation="bij,bk->kbi") : f32[5, 2, 3]
    return %z "z"
  })"),
            "reduce dims reshape dims reshape mul transpose");
  EXPECT_EQ(composed(R"(graph(%x: f32[2, 3] "x", %y: f32[3, 4] "y", %w: f32[4, 2] "w") {
    %z = einsum(%x, %y, %w) (equation="ij,jk,ki->") : f32[]
    return %z "z"
  })")
                .find("einsum"),
            std::string::npos);
  EXPECT_EQ(composed(R"(graph(%x: f32[3, 3] "x") {
    %z = einsum(%x) (equation="ii->i") : f32[3]
    return %z "z"
  })"),
            "dims constant_of_shape eye_like where reduce");
  // A size that may be 1, and then is stretched, or may not.
  EXPECT_EQ(composed(R"(graph(%x: f32[2, N] "x", %y: f32[3, 4] "y") {
    %z = einsum(%x, %y) (equation="ij,jk->ik") : f32[2, 4]
    return %z "z"
  })"),
            "einsum");
}

TEST(Recognise, HardmaxAndComputedStatistics) {
  EXPECT_EQ(composed(R"(graph(%x: f32[2, 3, 4] "x") {
    %y = hardmax(%x) (axis=1) : f32[2, 3, 4]
    return %y "y"
  })"),
            "arg_reduce dims one_hot");
  // Nothing has no largest element, but a Hardmax.
  EXPECT_EQ(composed(R"(graph(%x: f32[1, 0] "x") {
    %y = hardmax(%x) (axis=1) : f32[1, 0]
    return %y "y"
  })"),
            "hardmax");
  EXPECT_EQ(
      composed(R"(graph(%x: f32[2, 3, 4] "x", %s: f32[3] "s", %b: f32[3] "b", %m: f32[3] "m") {
    %v = abs(%m) : f32[3]
    %y = batch_normalization(%x, %s, %b, %m, %v) : f32[2, 3, 4]
    return %y "y"
  })")
          .find("batch_normalization"),
      std::string::npos);
}

TEST(Recognise, DynamicQuantisation) {
  EXPECT_EQ(composed(R"(graph(%x: f32[2, 3] "x") {
    %y, %s, %z = dynamic_quantize_linear(%x) : u8[2, 3], f32[], u8[]
    return %y "y", %s "scale", %z "zero"
  })")
                .find("dynamic_quantize_linear"),
            std::string::npos);
}

TEST(Recognise, Scans) {
  EXPECT_EQ(composed(R"(graph(%s: f32[2] "s", %x: f32[2, 5] "x") {
    %l, %y = scan(%s, %x) (states=1, scanned=1, input_axes=[1], output_axes=[-1], collected=[(dtype=f32)]) graph(%a: f32[2] "a", %b: f32[2] "b") {
      %1 = add(%a, %b) : f32[2]
      return %1 "state", %1 "out"
    } : f32[2], f32[2, 5]
    return %l "l", %y "y"
  })"),
            "transpose scan add transpose");
  EXPECT_EQ(composed(R"(graph(%s: f32[3, 2] "s", %x: f32[3, 5, 2] "x") {
    %l, %y = scan(none, %s, %x) (states=1, scanned=1, batched=true, collected=[(dtype=f32)]) graph(%a: f32[2] "a", %b: f32[2] "b") {
      %1 = add(%a, %b) : f32[2]
      return %1 "state", %1 "out"
    } : f32[3, 2], f32[3, 5, 2]
    return %l "l", %y "y"
  })"),
            "scan scan add");
}

TEST(Recognise, LogOfSoftmax) {
  EXPECT_EQ(op_names(recognised(R"(graph(%x: f32[2, 3] "x") {
    %s = softmax(%x) : f32[2, 3]
    %y = log(%s) : f32[2, 3]
    return %y "y"
  })")),
            "log_softmax");
}

TEST(Recognise, LayerNormalization) {
  const std::string text = recognised(R"(graph(%x: f32[N, 2, 3] "x") {
    %a = constant() (value=i64[1](-1)) : i64[1]
    %two = constant() (value=f32[](2)) : f32[]
    %eps = constant() (value=f32[](0.001)) : f32[]
    %g = constant() (value=f32[3](1, 2, 3)) : f32[3]
    %b = constant() (value=f32[3](-1, 0, 1)) : f32[3]
    %m = reduce(%x, %a) (kind=1) : f32[N, 2, 1]
    %d = sub(%x, %m) : f32[N, 2, 3]
    %q = pow(%d, %two) : f32[N, 2, 3]
    %v = reduce(%q, %a) (kind=1) : f32[N, 2, 1]
    %w = add(%v, %eps) : f32[N, 2, 1]
    %r = sqrt(%w) : f32[N, 2, 1]
    %n = div(%d, %r) : f32[N, 2, 3]
    %s = mul(%n, %g) : f32[N, 2, 3]
    %y = add(%s, %b) : f32[N, 2, 3]
    return %y "y"
  })");
  EXPECT_EQ(op_names(text), "layer_normalization");
  EXPECT_NE(text.find("epsilon=0.001"), std::string::npos) << text;
}

TEST(Recognise, RmsNormalizationByReciprocal) {
  EXPECT_EQ(op_names(recognised(R"(graph(%x: f32[N, 3] "x") {
    %a = constant() (value=i64[1](-1)) : i64[1]
    %one = constant() (value=f32[](1)) : f32[]
    %eps = constant() (value=f32[](0.001)) : f32[]
    %g = constant() (value=f32[3](1, 2, 3)) : f32[3]
    %q = mul(%x, %x) : f32[N, 3]
    %v = reduce(%q, %a) (kind=1) : f32[N, 1]
    %w = add(%v, %eps) : f32[N, 1]
    %r = sqrt(%w) : f32[N, 1]
    %i = div(%one, %r) : f32[N, 1]
    %n = mul(%x, %i) : f32[N, 3]
    %y = mul(%g, %n) : f32[N, 3]
    return %y "y"
  })")),
            "rms_normalization");
}

TEST(Recognise, NormalizationOverOtherAxesStays) {
  EXPECT_EQ(op_names(recognised(R"(graph(%x: f32[2, 3] "x") {
    %a = constant() (value=i64[1](0)) : i64[1]
    %eps = constant() (value=f32[](0.001)) : f32[]
    %q = mul(%x, %x) : f32[2, 3]
    %v = reduce(%q, %a) (kind=1) : f32[1, 3]
    %w = add(%v, %eps) : f32[1, 3]
    %r = sqrt(%w) : f32[1, 3]
    %y = div(%x, %r) : f32[2, 3]
    return %y "y"
  })")),
            "mul reduce add sqrt div");
}

TEST(Recognise, GeluByErf) {
  EXPECT_EQ(op_names(recognised(R"(graph(%x: f32[7] "x") {
    %r = constant() (value=f32[](1.4142135381698608)) : f32[]
    %one = constant() (value=f32[](1)) : f32[]
    %half = constant() (value=f32[](0.5)) : f32[]
    %1 = div(%x, %r) : f32[7]
    %2 = erf(%1) : f32[7]
    %3 = add(%2, %one) : f32[7]
    %4 = mul(%x, %3) : f32[7]
    %5 = mul(%4, %half) : f32[7]
    return %5 "y"
  })")),
            "gelu");
}

TEST(Recognise, GeluByTanh) {
  const std::string text = recognised(R"(graph(%x: f32[7] "x") {
    %three = constant() (value=f32[](3)) : f32[]
    %c = constant() (value=f32[](0.044714998453855515)) : f32[]
    %r = constant() (value=f32[](0.7978845834732056)) : f32[]
    %one = constant() (value=f32[](1)) : f32[]
    %half = constant() (value=f32[](0.5)) : f32[]
    %h = mul(%x, %half) : f32[7]
    %1 = pow(%x, %three) : f32[7]
    %2 = mul(%1, %c) : f32[7]
    %3 = add(%x, %2) : f32[7]
    %4 = mul(%3, %r) : f32[7]
    %5 = tanh(%4) : f32[7]
    %6 = add(%5, %one) : f32[7]
    %y = mul(%h, %6) : f32[7]
    return %y "y"
  })");
  EXPECT_EQ(text, "  %1 = gelu(%0) (approximate=\"tanh\") : f32[7]\n");
}

TEST(Recognise, GatedActivations) {
  EXPECT_EQ(op_names(recognised(R"(graph(%x: f32[7] "x") {
    %sixth = constant() (value=f32[](6)) : f32[]
    %three = constant() (value=f32[](3)) : f32[]
    %a = constant() (value=f32[](1.702)) : f32[]
    %1 = sigmoid(%x) : f32[7]
    %2 = mul(%x, %1) : f32[7]
    %3 = mul(%x, %a) : f32[7]
    %4 = sigmoid(%3) : f32[7]
    %5 = mul(%4, %x) : f32[7]
    %6 = hard_sigmoid(%x) (alpha=0.16666667) : f32[7]
    %7 = mul(%x, %6) : f32[7]
    %8 = add(%x, %three) : f32[7]
    %9 = clip(%8) (min=0, max=6) : f32[7]
    %10 = mul(%x, %9) : f32[7]
    %11 = div(%10, %sixth) : f32[7]
    return %2 "a", %5 "b", %7 "c", %11 "d"
  })")),
            "swish swish hard_swish hard_swish");
}

}  // namespace
}  // namespace tenrec
