// SPDX-License-Identifier: Apache-2.0
// Concat, Split and Slice without a copy: same numbers, no steps.
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "build/build_graph.h"
#include "ops/evaluate.h"
#include "ops/fused.h"
#include "plan/engine_file.h"
#include "runtime/device.h"
#include "tenrec/tenrec.h"

namespace tenrec {
namespace {

std::string families(const BuildResult& result) {
  std::string names;
  for (const plan::Step& step : plan::EngineFile::read(*result.bytes, result.bytes).plans[0].steps)
    names += (names.empty() ? "" : " ") + step.op;
  return names;
}

// Runs the graph on f32 inputs and compares with the interpreter; gives the operators that ran.
std::string run(const std::string& text, const Dims& dims) {
  init_ops();
  const auto graph = parse_graph(text);
  Data inputs;
  std::mt19937 random(1);
  HostTensor x(DType::f32, dims);
  for (size_t i = 0; i < element_count(dims); ++i)
    x.as<float>()[i] = static_cast<float>(random() % 1000) / 100 - 5;
  inputs.emplace_back(Tensor(DType::f32, dims, nullptr, x.data.data()));
  const Data expected = evaluate(*graph, inputs);
  BuildOptions options;
  options.no_tune = true;
  const BuildResult result = build_graph(*graph, "views", options);
  Context context = result.load().create_context();
  context.set_input("x", x);
  for (int round = 0; round < 2; ++round) {
    context.run();
    for (size_t i = 0; i < expected.size(); ++i) {
      const TensorRef y = context.output(graph->output_names()[i]);
      const std::vector<double> want = expected[i].tensor.to_doubles();
      const auto got = y.as<float>();
      EXPECT_EQ(got.size(), want.size());
      for (size_t k = 0; k < got.size(); ++k)
        EXPECT_NEAR(got[k], want[k], std::abs(want[k]) * 0x1p-21 + 1e-6)
            << "output " << i << ", element " << k;
    }
  }
  return families(result);
}

TEST(Views, ConcatOfResultsOfTheLeadingAxisIsFree) {
  EXPECT_EQ(run(R"(graph(%x: f32[1, 4, H, 5] "x") {
    %a = exp(%x) : f32[1, 4, H, 5]
    %b = neg(%x) : f32[1, 4, H, 5]
    %two = constant() (value=i64[1](2)) : i64[1]
    %c = concat(%a, %b) (axis=1) : f32[1, 8, H, 5]
    %y = reduce(%c, %two) (keepdims=true) : f32[1, 8, 1, 5]
    return %y "y"
  })",
                {1, 4, 3, 5}),
            "exp neg reduce");
}

TEST(Views, WhatIsReadElsewhereIsNotWrittenOver) {
  const std::string ran = run(R"(graph(%x: f32[2, 6] "x") {
    %a = exp(%x) : f32[2, 6]
    %b = sin(%x) : f32[2, 6]
    %c = concat(%a, %b) (axis=0) : f32[4, 6]
    %two = constant() (value=i64[1](1)) : i64[1]
    %d = softmax(%c) (axis=1) : f32[4, 6]
    %e = reduce(%a, %two) (keepdims=true) : f32[2, 1]
    return %d "d", %e "e"
  })",
                              {2, 6});
  EXPECT_EQ(ran.find("concat"), std::string::npos) << ran;
}

TEST(Views, SplitAndSliceOfTheLeadingAxisAreFree) {
  const std::string ran = run(R"(graph(%x: f32[6, 4] "x") {
    %h = exp(%x) : f32[6, 4]
    %p, %q = split(%h) (num_outputs=2) : f32[3, 4], f32[3, 4]
    %one = constant() (value=i64[1](1)) : i64[1]
    %three = constant() (value=i64[1](3)) : i64[1]
    %zero = constant() (value=i64[1](0)) : i64[1]
    %r = slice(%h, %one, %three, %zero, %one) : f32[2, 4]
    %s = softmax(%p) (axis=1) : f32[3, 4]
    %t = softmax(%q) (axis=1) : f32[3, 4]
    %u = softmax(%r) (axis=1) : f32[2, 4]
    return %s "s", %t "t", %u "u"
  })",
                              {6, 4});
  EXPECT_EQ(ran.find("split"), std::string::npos) << ran;
  EXPECT_EQ(ran.find("slice"), std::string::npos) << ran;
}

TEST(Work, IsThatOfTheWholeRegionAtTheOptPoint) {
  init_ops();
  const auto graph = parse_graph(R"(graph(%x: f32[N, 3, 4, 4] "x", %w: f32[5, 3, 3, 3] "w",
                                          %t: f32[100, 8] "t", %i: i64[2] "i") {
    %c = conv(%x, %w) (dilations=[1, 1], pads=[1, 1, 1, 1], strides=[1, 1]) : f32[N, 5, 4, 4]
    %r = relu(%c) : f32[N, 5, 4, 4]
    %g = gather(%t, %i) (axis=0) : f32[2, 8]
    return %r "r", %g "g"
  })");
  BuildOptions options;
  options.no_tune = true;
  const std::vector<int64_t> dims{2, 3, 4, 4};
  options.profiles.push_back({.dims = {{"x", {dims, dims, dims}}}});
  const BuildResult result = build_graph(*graph, "work", options);
  const plan::EngineFile file = plan::EngineFile::read(*result.bytes, result.bytes);
  int64_t flops = 0;
  for (const plan::Step& step : file.plans[0].steps) {
    flops += step.flops;
    // Both rows that it looks at, and where they go; two positions.
    if (step.op == "gather") {
      EXPECT_EQ(step.bytes, 2 * (2 * 8 * 4) + 2 * 8);
    }
  }
  constexpr int64_t outputs = 2 * 5 * 4 * 4;
  EXPECT_EQ(flops, outputs * 3 * 3 * 3 * 2 + outputs + 2 * 8);
}

TEST(Work, BytesCostWhatTheirDistanceSays) {
  DeviceLimits limits;
  limits.memory = {{1000, 1e9}, {3000, 1e8}};
  EXPECT_DOUBLE_EQ(limits.seconds_of_byte(10), 1e-9);
  EXPECT_DOUBLE_EQ(limits.seconds_of_byte(1000), 1e-9);
  EXPECT_DOUBLE_EQ(limits.seconds_of_byte(2000), 5.5e-9);
  EXPECT_DOUBLE_EQ(limits.seconds_of_byte(3000), 1e-8);
  EXPECT_DOUBLE_EQ(limits.seconds_of_byte(std::numeric_limits<double>::infinity()), 1e-8);
  EXPECT_DOUBLE_EQ(DeviceLimits{}.seconds_of_byte(500), 0);
}

TEST(Work, TheCpuMeasuresItsLimits) {
  const DeviceLimits limits = open_device("cpu", {.threads = 1})->limits();
  EXPECT_GT(limits.f32, 1e8);
  ASSERT_GE(limits.memory.size(), 4U);
  for (const DeviceLimits::Level& level : limits.memory) EXPECT_GT(level.rate, 1e7) << level.size;
  EXPECT_TRUE(std::is_sorted(limits.memory.begin(), limits.memory.end(),
                             [](const auto& a, const auto& b) { return a.size < b.size; }));
}

TEST(Views, ReformatsThatMoveNothing) {
  const Dim n = Dim::symbol(std::make_shared<Symbol>()),
            w = Dim::symbol(std::make_shared<Symbol>());
  const auto is_free = [](const Shape& shape, const Layout& from, const Layout& to) {
    Type in = Type::tensor(DType::f32, shape);
    in.layout = from;
    return Reformat{to.block_axis, to.block, to.channels_last}.moves_nothing(in);
  };
  const Layout plain, last{.channels_last = true}, blocks{.block_axis = 1, .block = 8};
  EXPECT_TRUE(is_free({n, 20, 1, 1}, last, plain));
  EXPECT_TRUE(is_free({n, 1, w, 3}, plain, last));
  EXPECT_FALSE(is_free({n, 20, 1, w}, last, plain));
  EXPECT_TRUE(is_free({n, 16, 1, 1}, blocks, plain));
  EXPECT_TRUE(is_free({n, 16, 1, 1}, plain, blocks));
  EXPECT_TRUE(is_free({n, 16, 1, 1}, last, blocks));
  EXPECT_FALSE(is_free({n, 12, 1, 1}, blocks, plain));
  EXPECT_FALSE(is_free({n, 16, 1, w}, blocks, plain));
  EXPECT_FALSE(is_free({n, w, 1, 1}, blocks, plain));
}

// What lies in a Concat's memory has to be written there, though its layout asks for nothing.
TEST(Views, AReformatIntoAConcatIsAStep) {
  std::string weights;
  for (int i = 0; i < 16 * 16 * 9; ++i)
    weights += fmt::format("{}{}", i ? ", " : "", (i % 7 - 3) / 64.0);
  const std::string ran = run(R"(graph(%x: f32[1, 16, 6, 6] "x") {
    %w = constant() (value=f32[16, 16, 3, 3]()" +
                                  weights + R"()) : f32[16, 16, 3, 3]
    %axes = constant() (value=i64[2](2, 3)) : i64[2]
    %a = conv(%x, %w) (dilations=[1, 1], pads=[1, 1, 1, 1], strides=[1, 1]) : f32[1, 16, 6, 6]
    %p = reduce(%a, %axes) (keepdims=true) : f32[1, 16, 1, 1]
    %q = reduce(%x, %axes) (keepdims=true) : f32[1, 16, 1, 1]
    %c = concat(%p, %q) (axis=1) : f32[1, 32, 1, 1]
    %y = softmax(%c) (axis=1) : f32[1, 32, 1, 1]
    return %y "y"
  })",
                              {1, 16, 6, 6});
  EXPECT_EQ(ran, "reformat conv reduce reduce reformat softmax");
}

TEST(Views, AnInnerAxisIsCopied) {
  EXPECT_NE(run(R"(graph(%x: f32[2, 6] "x") {
    %a = exp(%x) : f32[2, 6]
    %b = sin(%x) : f32[2, 6]
    %c = concat(%a, %b) (axis=1) : f32[2, 12]
    %d = softmax(%c) (axis=1) : f32[2, 12]
    return %d "d"
  })",
                {2, 6})
                .find("concat"),
            std::string::npos);
}

// `leaving`: what the graph returns.
std::string run_two_views(const std::string& leaving) {
  return run(R"(graph(%x: f32[2, H] "x") {
    %a = softmax(%x) (axis=1) : f32[2, H]
    %axes = constant() (value=i64[1](0)) : i64[1]
    %b = unsqueeze(%a, %axes) : f32[1, 2, H]
    %c = unsqueeze(%b, %axes) : f32[1, 1, 2, H]
    return )" + leaving +
                 "\n  }",
             {2, 6});
}

TEST(Views, WhatLeavesAsAViewIsWrittenWhereItIsWanted) {
  EXPECT_EQ(run_two_views("%c \"y\""), "softmax");
}

TEST(Views, WhatLeavesTwiceIsCopied) {
  EXPECT_EQ(run_two_views("%a \"a\", %c \"y\""), "softmax reshape");
}

TEST(Views, AConcatThatLeavesIsFree) {
  EXPECT_EQ(run(R"(graph(%x: f32[2, 6] "x") {
    %a = softmax(%x) (axis=1) : f32[2, 6]
    %b = softmax(%x) (axis=0) : f32[2, 6]
    %c = concat(%a, %b) (axis=0) : f32[4, 6]
    return %c "y"
  })",
                {2, 6}),
            "softmax softmax");
}

}  // namespace
}  // namespace tenrec
