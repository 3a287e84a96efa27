// SPDX-License-Identifier: Apache-2.0
// Models from bytes to results through the whole chain.
#include <gtest/gtest.h>

#include "base/error.h"
#include "common/onnx_writer.h"
#include "tenrec/tenrec.h"

namespace tenrec {
namespace {

using namespace test;

constexpr int f32 = 1, i64 = 7;

BuildResult build_bytes(const std::string& bytes, BuildOptions options = {}) {
  options.no_tune = true;
  return build(std::as_bytes(std::span(bytes)), options);
}

std::string sum_model() {
  OnnxGraph graph;
  graph.input("x", f32, {"n", "3"}).output("y", f32, {"n", "3"});
  graph.initializer(OnnxTensor("w", {3}).floats({1, 2, 3}));
  graph.node("Add", {"x", "w"}, {"s"}).node("Relu", {"s"}, {"y"});
  return OnnxModel(graph).opset(17).bytes();
}

TEST(Build, RunsAtAnyShapeWithoutRanges) {
  const Engine engine = build_bytes(sum_model()).load();
  Context context = engine.create_context();
  for (const int64_t n : {1, 4, 2}) {
    std::vector<float> x(static_cast<size_t>(n * 3), -1.5F);
    context.set_input("x", HostTensor::of<float>({n, 3}, x));
    context.run();
    const auto y = context.output("y").as<float>();
    ASSERT_EQ(y.size(), x.size());
    for (size_t i = 0; i < y.size(); ++i)
      EXPECT_EQ(y[i], std::max(0.0F, static_cast<float>(i % 3) - 0.5F));
  }
}

TEST(Build, SameInputsGiveTheSameBytes) {
  EXPECT_EQ(*build_bytes(sum_model()).bytes, *build_bytes(sum_model()).bytes);
}

// The CPU has no kernels for narrow types: permission changes nothing there, and is answered.
TEST(Build, ANarrowPrecisionIsPermissionOnly) {
  for (const DType precision : {DType::f16, DType::bf16}) {
    BuildOptions options;
    options.precision = precision;
    options.tf32 = true;
    const BuildResult result = build_bytes(sum_model(), options);
    ASSERT_EQ(result.notes.size(), 2U);
    EXPECT_NE(result.notes[0].find("every layer stays wide"), std::string::npos);
    EXPECT_NE(result.notes[1].find("they stay float32"), std::string::npos);
    for (const StepInfo& step : result.load().steps(0)) {
      for (const StepValue& output : step.outputs) EXPECT_EQ(output.dtype, DType::f32);
    }
  }
}

TEST(Build, ProfilesBoundTheInputs) {
  BuildOptions options;
  ProfileOptions profile;
  profile.dims["x"] = {.min = {1, 3}, .opt = {2, 3}, .max = {4, 3}};
  options.profiles = {profile};
  Context context = build_bytes(sum_model(), options).load().create_context();
  const HostTensor fits(DType::f32, {4, 3}), too_big(DType::f32, {5, 3});
  context.set_input("x", fits);
  context.run();
  context.set_input("x", too_big);
  EXPECT_THROW(context.run(), Error);
}

TEST(Build, ResizeByARunTimeScale) {
  OnnxGraph graph;
  graph.input("x", f32, {"1", "1", "h", "w"}).input("ratio", f32, {"1"}).output("y", f32, {});
  graph.initializer(OnnxTensor("ones", {2}).floats({1, 1}));
  graph.node("Concat", {"ones", "ratio", "ratio"}, {"scales"}, {OnnxAttribute("axis", 0)});
  graph.node("Resize", {"x", "", "scales"}, {"y"}, {OnnxAttribute("mode", "nearest")});
  const Engine engine = build_bytes(OnnxModel(graph).opset(17).bytes()).load();
  EXPECT_TRUE(engine.inputs()[1].is_shape_input);
  Context context = engine.create_context();
  const HostTensor x(DType::f32, {1, 1, 1080, 10});
  context.set_input("x", x);
  const HostTensor ratio = HostTensor::of<float>({1}, {0.35F});
  context.set_input("ratio", ratio);
  context.run();
  EXPECT_EQ(context.output("y").dims[2], 378);  // 1080 x 0.35 in float32, as onnxruntime sizes it
}

TEST(Build, DataDependentOutputsHaveTheirTrueSize) {
  OnnxGraph graph;
  graph.input("x", f32, {"n"}).output("y", i64, {}).node("NonZero", {"x"}, {"y"});
  Context context = build_bytes(OnnxModel(graph).opset(17).bytes()).load().create_context();
  const HostTensor x = HostTensor::of<float>({5}, {0, 3, 0, 4, 5});
  context.set_input("x", x);
  context.run();
  const TensorRef y = context.output("y");
  ASSERT_EQ(std::vector<int64_t>(y.dims.begin(), y.dims.end()), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(y.as<int64_t>()[2], 4);
}

TEST(Build, TuningEndsWithItsBudget) {
  OnnxGraph graph;
  graph.input("x", f32, {"8", "4"}).output("y", f32, {"8", "2"});
  graph.initializer(OnnxTensor("w", {4, 2}).floats({1, 2, 3, 4, 5, 6, 7, 8}));
  graph.node("MatMul", {"x", "w"}, {"y"});
  const std::string bytes = OnnxModel(graph).opset(17).bytes();
  BuildOptions options;
  options.tune_budget = 1e-9;
  const BuildResult result = build(std::as_bytes(std::span(bytes)), options);
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_NE(result.notes[0].find("have their first tactic"), std::string::npos) << result.notes[0];
}

TEST(Build, ADeviceOfSeveralTargetsIsWrittenWithItsTarget) {
  BuildOptions options;
  options.target = "cpu,cpu:baseline";
  EXPECT_NO_THROW(build_bytes(sum_model(), options).load().create_context());
  options.device = "cpu baseline";
  EXPECT_THROW(build_bytes(sum_model(), options), Error);
  options = {.target = ""};
  EXPECT_THROW(build_bytes(sum_model(), options), Error);
}

TEST(Build, StopsWhereAsked) {
  BuildOptions options;
  options.stop_after = "import";
  const BuildResult result = build_bytes(sum_model(), options);
  EXPECT_FALSE(result.bytes);
  EXPECT_NE(result.text.find("relu"), std::string::npos);
}

TEST(Build, CancelledFromTheProgressCallback) {
  BuildOptions options;
  options.progress = [](const BuildProgress&) { return false; };
  try {
    build_bytes(sum_model(), options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
}

TEST(Build, AWrongNameInAProfileListsTheInputs) {
  BuildOptions options;
  ProfileOptions profile;
  profile.dims["image"] = {.min = {1}, .opt = {1}, .max = {1}};
  options.profiles = {profile};
  try {
    build_bytes(sum_model(), options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "building a model in memory: shape range for \"image\": the model has no such input; "
              "it has x");
  }
}

TEST(Build, AnUnknownPassToSkipIsAnError) {
  BuildOptions options;
  options.skip_passes = {"no_such_pass"};
  EXPECT_THROW(build_bytes(sum_model(), options), Error);
}

}  // namespace
}  // namespace tenrec
