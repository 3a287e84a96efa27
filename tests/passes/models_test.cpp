// SPDX-License-Identifier: Apache-2.0
// The whole pipeline on real models, where they are at hand: the same numbers before and after.
#include <filesystem>
#include <map>

#include "base/error.h"
#include "import/import.h"
#include "onnx/reader.h"
#include "pass_check.h"
#include "passes/fuse.h"
#include "passes/pass.h"

namespace tenrec {
namespace {

std::unique_ptr<Graph> import_file(const std::string& path) {
  init_ops();
  return std::move(import_model(onnx::read_model(path)).graph);
}

// Symbolic sizes are 1; `given` replaces what must not be random.
void check_model(const std::string& file, const std::map<std::string, Tensor>& given = {}) {
  const std::string path = std::string(TENREC_SOURCE_DIR) + "/../shared/models/" + file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const auto graph = import_file(path);
  Data inputs = random_inputs(*graph, 1);
  for (const auto& input : graph->inputs()) {
    const auto found = given.find(input->name);
    if (found != given.end()) inputs[input->index()] = Datum(found->second);
  }
  const Data before = evaluate(*graph, inputs);
  const size_t nodes = graph->nodes().size();
  run_passes(*graph, symbolic_passes());
  expect_close(before, evaluate(*graph, inputs), 2e-5);
  const std::string once = print(*graph);
  run_passes(*graph, symbolic_passes());
  EXPECT_EQ(once, print(*graph)) << "not idempotent";
  run_passes(*graph, bound_passes());
  fuse(*graph);
  expect_close(before, evaluate(*graph, inputs), 2e-5);
  size_t kept = 0, transposes = 0;
  for (const auto& node : graph->nodes()) {
    kept += node->op().name() != "constant";
    transposes += node->op().name() == "transpose";
  }
  fmt::print("{}: {} nodes with constants before, {} without after, {} transposes\n", file, nodes,
             kept, transposes);
}

TEST(Models, Mnist) { check_model("mnist.onnx"); }
TEST(Models, Dtln) { check_model("dtln-1.onnx"); }
TEST(Models, Gtcrn) { check_model("gtcrn-stream.onnx"); }
TEST(Models, Silero) {
  for (const char* file : {"silero-vad.onnx", "silero-vad-op18-ifless.onnx"}) {
    const Type sound = Type::tensor(DType::f32, {1, 512});
    check_model(file, {{"input", random_tensor(sound, 1)}, {"sr", Tensor::scalar<int64_t>(16000)}});
  }
}
TEST(Models, Blazeface) { check_model("blazeface-front-128.onnx"); }

}  // namespace
}  // namespace tenrec
