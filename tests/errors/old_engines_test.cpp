// SPDX-License-Identifier: Apache-2.0
// Engines of every released format load and run: tests/old_engines holds one of each, built for the
// plainest instruction set. TENREC_TEST_WRITE=1 writes the one of today, once for each new major or
// minor number; what is there already is never written again.
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "common/onnx_writer.h"
#include "errors/errors.h"
#include "plan/format.h"
#include "tenrec/builder.h"

namespace tenrec::test {
namespace {

const std::string folder = std::string(TENREC_SOURCE_DIR) + "/tests/old_engines/";

// relu(x w + b), and how many rows there are
BuildResult engine_of_today() {
  OnnxGraph graph("old");
  graph.input("x", 1, {"N", "3"}).output("y", 1, {"N", "2"}).output("n", 7, {"2"});
  graph.initializer(OnnxTensor("w", {3, 2}).floats({1, 2, 3, -1, 0, 1}));
  graph.initializer(OnnxTensor("b", {2}).floats({0.5F, -1}));
  graph.node("Gemm", {"x", "w", "b"}, {"1"}).node("Relu", {"1"}, {"y"});
  graph.node("Shape", {"y"}, {"n"});
  const std::string bytes = OnnxModel(graph).opset(17).bytes();
  BuildOptions options;
  options.device = "cpu baseline";
  options.no_tune = true;
  ProfileOptions profile;
  profile.dims["x"] = {{1, 3}, {2, 3}, {8, 3}};
  options.profiles = {profile, {}};
  return build(std::as_bytes(std::span(bytes)), options);
}

void check(const Engine& engine, int64_t rows) {
  Context context = engine.create_context();
  std::vector<float> x(static_cast<size_t>(rows) * 3), expected;
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) - 3;
  for (size_t row = 0; row < x.size(); row += 3) {
    const float a = x[row], b = x[row + 1], c = x[row + 2];
    expected.push_back(std::max(a + 3 * b + 0.5F, 0.0F));
    expected.push_back(std::max(2 * a - b + c - 1, 0.0F));
  }
  context.set_input("x", HostTensor::of<float>({rows, 3}, x));
  context.run();
  EXPECT_EQ(context.output_tensor("n").as<int64_t>()[0], rows);
  const HostTensor y = context.output_tensor("y");
  ASSERT_EQ(y.dims, (std::vector<int64_t>{rows, 2}));
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(y.as<float>()[i], expected[i]) << i;
}

TEST(OldEngines, run) {
  const std::string today =
      folder + fmt::format("format_{}_{}.engine", plan::format_major, plan::format_minor);
  if (std::getenv("TENREC_TEST_WRITE") && !std::filesystem::exists(today))
    engine_of_today().save(today);
  EXPECT_TRUE(std::filesystem::exists(today)) << "TENREC_TEST_WRITE=1 writes it";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".engine") continue;
    SCOPED_TRACE(entry.path().filename());
    const Engine engine = Engine::load(entry.path().string());
    check(engine, 2);    // inside the first profile
    check(engine, 100);  // in the open one
  }
}

}  // namespace
}  // namespace tenrec::test
