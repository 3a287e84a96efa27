// SPDX-License-Identifier: Apache-2.0
// The exit codes of `tenrec` are those of tenrec/error.h.
#ifdef TENREC_TOOL
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "common/onnx_writer.h"
#include "errors/errors.h"

namespace tenrec::test {
namespace {

int exit_code(const std::string& arguments) {
  const std::string command = std::string(TENREC_TOOL) + " " + arguments + " >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string model_with(const std::string& op) {
  OnnxGraph graph("g");
  graph.input("x", 1, {"2", "3"}).output("y", 1, {"2", "3"}).node(op, {"x"}, {"y"});
  return OnnxModel(graph).opset(17).bytes();
}

TEST(ExitCodes, are_the_documented_ones) {
  const TemporaryFolder folder;
  const std::string dir = folder.path().string() + "/";
  write_test_file(folder / "good.onnx", model_with("Relu"));
  write_test_file(folder / "unknown.onnx", model_with("Frobnicate"));
  write_test_file(folder / "text.onnx", "no model");
  const std::string build = "build --no-tune -o " + dir + "good.engine " + dir;
  EXPECT_EQ(exit_code("--help"), 0);
  EXPECT_EQ(exit_code(build + "good.onnx"), 0);
  EXPECT_EQ(exit_code("run --random " + dir + "good.engine"), 0);
  EXPECT_EQ(exit_code("frobnicate"), 2);
  EXPECT_EQ(exit_code(build + "good.onnx --no-such-flag"), 2);
  EXPECT_EQ(exit_code(build + "none.onnx"), 3);
  EXPECT_EQ(exit_code("build --no-tune -o /no/such/folder/x.engine " + dir + "good.onnx"), 3);
  EXPECT_EQ(exit_code(build + "text.onnx"), 4);
  EXPECT_EQ(exit_code(build + "unknown.onnx"), 5);
  EXPECT_EQ(exit_code("check " + dir + "unknown.onnx"), 5);
  EXPECT_EQ(exit_code("run --random --input-shape x=4x3 " + dir + "good.engine"), 7);
  EXPECT_EQ(exit_code("run --random --memory-limit 1 " + dir + "good.engine"), 8);
  std::filesystem::resize_file(dir + "good.engine", 5000);
  EXPECT_EQ(exit_code("run --random " + dir + "good.engine"), 6);
}

}  // namespace
}  // namespace tenrec::test
#endif
