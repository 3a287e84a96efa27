// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <gtest/gtest.h>

#include "common/onnx_writer.h"
#include "tenrec/tenrec.h"

namespace tenrec {
namespace {

using Dims = std::vector<int64_t>;

template <class Body>
void expect_usage(std::string_view part, Body&& body) {
  try {
    body();
    ADD_FAILURE() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
  }
}

TEST(Tool, ParsesDims) {
  EXPECT_EQ(parse_dims("1x3x224x224"), (Dims{1, 3, 224, 224}));
  EXPECT_EQ(parse_dims("1,3,224"), (Dims{1, 3, 224}));
  EXPECT_EQ(parse_dims("7"), (Dims{7}));
  EXPECT_EQ(parse_dims("0x2"), (Dims{0, 2}));
  EXPECT_EQ(parse_dims("1x-1"), (Dims{1, -1}));
  EXPECT_EQ(parse_dims(""), Dims{});
  EXPECT_EQ(parse_dims("scalar"), Dims{});
  for (const char* text :
       {"1xx2", "x", "1x", "1x3 x4", "-2", "1x2.5", "abc", "99999999999999999999"}) {
    expect_usage("is not a shape", [&] { parse_dims(text); });
  }
}

TEST(Tool, SplitsNames) {
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(split_named("x=1x2"), Pair("x", "1x2"));
  EXPECT_EQ(split_named("x:1x2"), Pair("x", "1x2"));
  EXPECT_EQ(split_named("input:0=1x2"), Pair("input:0", "1x2"));
  EXPECT_EQ(split_named("x=a=b"), Pair("x", "a=b"));
  EXPECT_EQ(split_named("x="), Pair("x", ""));
  for (const char* text : {"x", "", "=1", ":1"})
    expect_usage("expected name=", [&] { split_named(text); });
}

TEST(Tool, KnowsModels) {
  EXPECT_TRUE(is_onnx("a/b.onnx"));
  EXPECT_FALSE(is_onnx("b.engine"));
  EXPECT_FALSE(is_onnx("onnx"));
}

TEST(BuildFlags, ProfilesHaveThreeShapesEach) {
  BuildFlags flags;
  flags.profiles = {"x=1x3:2x3:4x3,ids:0=1x8", "x=8x3"};
  const BuildOptions options = flags.finish();
  ASSERT_EQ(options.profiles.size(), 2U);
  const DimsRange& x = options.profiles[0].dims.at("x");
  EXPECT_EQ(x.min, (Dims{1, 3}));
  EXPECT_EQ(x.opt, (Dims{2, 3}));
  EXPECT_EQ(x.max, (Dims{4, 3}));
  EXPECT_EQ(options.profiles[0].dims.at("ids:0").max, (Dims{1, 8}));
  EXPECT_EQ(options.profiles[1].dims.at("x").min, (Dims{8, 3}));
  EXPECT_EQ(options.profiles[1].dims.at("x").max, (Dims{8, 3}));
}

TEST(BuildFlags, SeparateShapesAreOneProfile) {
  BuildFlags flags;
  flags.min_shapes = {"x:1x3,y:1"};
  flags.opt_shapes = {"x:2x3"};
  flags.max_shapes = {"x:4x3"};
  flags.shapes = {"z=5"};
  const BuildOptions options = flags.finish();
  ASSERT_EQ(options.profiles.size(), 1U);
  const auto& dims = options.profiles[0].dims;
  EXPECT_EQ(dims.at("x").min, (Dims{1, 3}));
  EXPECT_EQ(dims.at("x").opt, (Dims{2, 3}));
  EXPECT_EQ(dims.at("x").max, (Dims{4, 3}));
  EXPECT_EQ(dims.at("y").opt, (Dims{1}));  // what is not given follows from what is
  EXPECT_EQ(dims.at("y").max, (Dims{1}));
  EXPECT_EQ(dims.at("z").min, (Dims{5}));
  flags.min_shapes = {};
  flags.opt_shapes = {};
  const DimsRange only_max = flags.finish().profiles.at(0).dims.at("x");
  EXPECT_EQ(only_max.min, (Dims{4, 3}));
  EXPECT_EQ(only_max.opt, (Dims{4, 3}));
}

TEST(BuildFlags, ValuesAndTactics) {
  BuildFlags flags;
  flags.values = {"ratio=0.1:0.25:1", "sizes=2,3"};
  flags.tactics = {"conv_1=gemm tile=6x2", "conv_2=conv_direct"};
  const BuildOptions options = flags.finish();
  ASSERT_EQ(options.profiles.size(), 1U);
  const ValueRange& ratio = options.profiles[0].values.at("ratio");
  EXPECT_EQ(ratio.min, std::vector<double>{0.1});
  EXPECT_EQ(ratio.opt, std::vector<double>{0.25});
  EXPECT_EQ(ratio.max, std::vector<double>{1});
  EXPECT_EQ(options.profiles[0].values.at("sizes").opt, (std::vector<double>{2, 3}));
  EXPECT_EQ(options.tactics.at("conv_1"), "gemm tile=6x2");
  EXPECT_EQ(options.tactics.at("conv_2"), "conv_direct");
}

// A network that reshapes by an input, as exporters leave sizes and sample rates.
TEST(Tool, InputsThatDecideShapesAreWhatTheEngineWasBuiltFor) {
  constexpr int f32 = 1, i64 = 7;
  test::OnnxGraph graph;
  graph.input("x", f32, {"6"}).input("n", i64, {"2"}).output("y", f32, {});
  graph.node("Reshape", {"x", "n"}, {"y"});
  const std::string bytes = test::OnnxModel(graph).opset(17).bytes();
  BuildFlags flags;
  flags.values = {"n=3,2"};
  const Engine engine = build(std::as_bytes(std::span(bytes)), flags.finish()).load();
  const NamedTensors inputs = complete_inputs(engine, {}, {}, 1);
  EXPECT_EQ(inputs.at("n").as<int64_t>()[0], 3);
  EXPECT_EQ(inputs.at("n").as<int64_t>()[1], 2);
}

TEST(BuildFlags, NothingGivenIsNoProfile) { EXPECT_TRUE(BuildFlags().finish().profiles.empty()); }

TEST(BuildFlags, RefusesNonsense) {
  const auto refuse = [](std::string_view part, auto&& set) {
    BuildFlags flags;
    set(flags);
    expect_usage(part, [&] { flags.finish(); });
  };
  refuse("MIN:OPT:MAX", [](BuildFlags& flags) { flags.profiles = {"x=1:2"}; });
  refuse("MIN:OPT:MAX", [](BuildFlags& flags) { flags.shapes = {"x=1:2:3:4"}; });
  refuse("MIN:OPT:MAX", [](BuildFlags& flags) { flags.shapes = {"x=1:"}; });
  refuse("is not a shape", [](BuildFlags& flags) { flags.profiles = {"x=1xa"}; });
  refuse("expected name=", [](BuildFlags& flags) { flags.shapes = {"1x3"}; });
  refuse("is not a number", [](BuildFlags& flags) { flags.values = {"ratio=much"}; });
  refuse("is not a number", [](BuildFlags& flags) { flags.values = {"ratio=0.5,"}; });
  refuse("is not a number", [](BuildFlags& flags) { flags.values = {"ratio=0.5x"}; });
  refuse("expected name=", [](BuildFlags& flags) { flags.tactics = {"gemm"}; });
}

}  // namespace
}  // namespace tenrec
