// SPDX-License-Identifier: Apache-2.0
// The exit codes of `tenrec` are those of tenrec/error.h.
#ifdef TENREC_TOOL
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

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

// Products of so many sizes that tuning them takes seconds.
std::string slow_to_tune() {
  OnnxGraph graph("g");
  graph.input("x", 1, {"64", "200"});
  for (int i = 0; i < 60; ++i) {
    const std::string number = std::to_string(i);
    const int64_t columns = 201 + 3 * i;
    graph.initializer(OnnxTensor("w" + number, {200, columns})
                          .raw(std::string(static_cast<size_t>(200 * columns * 4), '\0')));
    graph.node("MatMul", {"x", "w" + number}, {"y" + number});
    graph.output("y" + number, 1, {"64", std::to_string(columns)});
  }
  return OnnxModel(graph).opset(17).bytes();
}

// Starts `tenrec build`, interrupts it after a while and gives its status; its words are in `log`.
int interrupted_build(const std::string& dir, std::chrono::milliseconds wait) {
  const pid_t child = fork();
  if (child == 0) {
    const int log = open((dir + "log").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(log, STDERR_FILENO);
    std::signal(SIGINT, SIG_DFL);
    const std::string model = dir + "slow.onnx", engine = dir + "x.engine";
    execl(TENREC_TOOL, "tenrec", "build", model.c_str(), "-o", engine.c_str(), nullptr);
    _exit(127);
  }
  std::this_thread::sleep_for(wait);
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(ExitCodes, ctrl_c_while_tuning_leaves_the_old_engine) {
  const TemporaryFolder folder;
  const std::string dir = folder.path().string() + "/";
  write_test_file(folder / "slow.onnx", slow_to_tune());
  write_test_file(folder / "x.engine", "the old engine");
  int status = 0;
  auto wait = std::chrono::milliseconds(150);
  do {  // before the program has come to its senses a signal simply ends it
    status = interrupted_build(dir, wait);
    wait *= 2;
  } while (WIFSIGNALED(status) && wait < std::chrono::seconds(10));
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 9);
  EXPECT_NE(read_test_file(folder / "log").find("the build was cancelled while in phase"),
            std::string::npos);
  EXPECT_EQ(read_test_file(folder / "x.engine"), "the old engine");
  const std::filesystem::directory_iterator files(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 3);
}

}  // namespace
}  // namespace tenrec::test
#endif
