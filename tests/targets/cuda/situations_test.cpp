// SPDX-License-Identifier: Apache-2.0
// What goes wrong around a GPU, without one: `tenrec` with libraries that pretend
// (fake_driver.cpp, fake_nvrtc.cpp), each situation a process.
#ifdef TENREC_TOOL
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "common/onnx_writer.h"

namespace tenrec::test {
namespace {

struct Outcome {
  int code = -1;
  std::string text;
};

void expect_contains(const Outcome& outcome, const std::string& part) {
  EXPECT_NE(outcome.text.find(part), std::string::npos)
      << "wanted: " << part << "\ngot: " << outcome.text;
}

class Situation : public ::testing::Test {
 protected:
  void SetUp() override {
    OnnxGraph graph("g");
    graph.input("x", 1, {"1", "8", "6", "6"}).output("y", 1, {"1", "8", "6", "6"});
    graph.node("Relu", {"x"}, {"a"}, {}, "first").node("Softmax", {"a"}, {"b"}, {}, "second");
    graph.node("Exp", {"b"}, {"y"}, {}, "third");
    write_test_file(folder_ / "model.onnx", OnnxModel(graph).opset(17).bytes());
  }

  // `environment` as in "FAKE_CUDA_MEMORY=1000"; $DIR is the test's folder.
  Outcome run(const std::string& environment, const std::string& arguments) const {
    std::string line = environment + " " TENREC_TOOL " " + arguments + " 2>&1";
    const std::string dir = folder_.path().string();
    for (size_t at; (at = line.find("$DIR")) != std::string::npos;) line.replace(at, 4, dir);
    Outcome outcome;
    FILE* pipe = popen(line.c_str(), "r");
    std::array<char, 4096> buffer{};
    while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe))
      outcome.text.append(buffer.data(), got);
    const int status = pclose(pipe);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }

  Outcome fake(const std::string& environment, const std::string& arguments) const {
    return run("TENREC_CUDA_LIBRARIES=" FAKE_CUDA_LIBRARIES " " + environment, arguments);
  }

  static constexpr const char* build =
      "build $DIR/model.onnx -o $DIR/model.engine --target cuda --no-tune -v ";
  TemporaryFolder folder_;
};

TEST_F(Situation, NoDriver) {
  const Outcome outcome = run("", build);
  if (outcome.code == 0) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_EQ(outcome.code, 11);
  expect_contains(
      outcome,
      "NVIDIA's driver (libcuda.so.1) is not on this machine; install the driver of the "
      "GPU, or run where there is one");
}

TEST_F(Situation, DriverTooOld) {
  Outcome outcome = run("TENREC_CUDA_LIBRARIES=" FAKE_CUDA_LIBRARIES "/old", build);
  EXPECT_EQ(outcome.code, 11);
  expect_contains(outcome, "/old/libcuda.so.1 is too old: it has no cuTensorMapEncodeTiled");
  outcome = fake("FAKE_CUDA_VERSION=11080", build);
  EXPECT_EQ(outcome.code, 11);
  expect_contains(outcome,
                  "the driver is of CUDA 11.8, Tenrec needs 12.0 or newer; install a newer driver");
}

TEST_F(Situation, VendorLibrariesMissing) {
  const Outcome outcome = fake("", build);
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  if (fake("", "doctor").text.find("cuDNN: libcudnn") != std::string::npos)
    GTEST_SKIP() << "this machine has cuDNN";
  // Not on this machine, or not in a build that was made without their headers.
  expect_contains(outcome, "note: cuDNN");
  expect_contains(outcome, "Tenrec's own kernels convolve");
  expect_contains(outcome, "note: cuBLASLt");
  EXPECT_EQ(fake("", std::string(build) + "--no-vendor").text.find("cuDNN"), std::string::npos);
}

TEST_F(Situation, OutOfDeviceMemory) {
  ASSERT_EQ(fake("", build).code, 0);
  EXPECT_EQ(fake("", "run --random $DIR/model.engine").code, 0);
  const Outcome outcome = fake("FAKE_CUDA_MEMORY=1000", "run --random $DIR/model.engine");
  EXPECT_EQ(outcome.code, 8);
  expect_contains(outcome,
                  "bytes of GPU memory for intermediate values: 999 of 1000 bytes are "
                  "free on Fake GPU; use smaller shapes or free memory there");
}

// Built again from its graph, unless it was built without.
TEST_F(Situation, EngineForAnotherGpu) {
  const std::string old = std::string(build) + "--device 'cuda sm_80' ";
  ASSERT_EQ(fake("", old).code, 0);
  Outcome outcome = fake("", "run --random $DIR/model.engine");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  // What is made for the same family runs on the newer ones of it as it is.
  EXPECT_EQ(fake("FAKE_CUDA_CAPABILITY=86", "run --random $DIR/model.engine").code, 0);
  ASSERT_EQ(fake("", old + "--lean").code, 0);
  EXPECT_EQ(fake("FAKE_CUDA_CAPABILITY=86", "run --random $DIR/model.engine").code, 0);
  outcome = fake("", "run --random $DIR/model.engine");
  EXPECT_EQ(outcome.code, 6);
  expect_contains(
      outcome,
      "this is made for \"cuda sm_80\", the GPU is Fake GPU (\"cuda sm_90a\"); build the "
      "engine again for it (it was built lean: without the graph it cannot be made again "
      "here)");
}

// A file for several targets runs on the first whose device is here.
TEST_F(Situation, EngineForSeveralTargets) {
  std::string both = build;
  both.replace(both.find("cuda "), 5, "cuda:sm_90,cpu ");
  Outcome outcome = fake("", both);
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  outcome = fake("", "run --random $DIR/model.engine");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_EQ(outcome.text.find("cpu runs"), std::string::npos) << outcome.text;
  outcome = fake("FAKE_CUDA_VERSION=11080", "run --random $DIR/model.engine");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  expect_contains(outcome, "made for cuda and cpu; cpu runs: the driver is of CUDA 11.8");
}

// Inputs that pass through pinned memory, and the last of them that finds no room there.
TEST_F(Situation, InputsOfMegabytes) {
  OnnxGraph graph("g");
  for (const std::string number : {"0", "1", "2", "3", "4", "5"}) {
    graph.input("x" + number, 1, {"1", "900", "256"}).output("y" + number, 1, {"1", "900", "256"});
    graph.node("Identity", {"x" + number}, {"y" + number}, {}, "n" + number);
  }
  write_test_file(folder_ / "many.onnx", OnnxModel(graph).opset(17).bytes());
  const Outcome outcome = fake("", "verify $DIR/many.onnx --target cuda --no-tune");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
}

// Nothing can be timed on a device that is elsewhere.
TEST_F(Situation, ADeviceThatIsElsewhere) {
  std::string tuned = build;
  tuned.replace(tuned.find("--no-tune"), std::string("--no-tune").size(), "");
  const Outcome outcome = fake("", tuned + "-v --device 'cuda sm_80' ");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  expect_contains(outcome, "nothing is timed, every node has its first tactic");
}

TEST_F(Situation, AGpuThatIsNotHere) {
  ASSERT_EQ(fake("", build).code, 0);
  const Outcome outcome = fake("", "run --random --device 1 $DIR/model.engine");
  EXPECT_EQ(outcome.code, 11);
  expect_contains(outcome, "there is no GPU 1; this machine has 1");
}

TEST_F(Situation, AKernelThatDoesNotCompile) {
  Outcome outcome = fake("FAKE_NVRTC_REFUSES=fn_exp", build);
  // Softmax and Exp need it, and no other kernel runs them: the host has to.
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  expect_contains(outcome, "does not compile for sm_90a");
  expect_contains(outcome, "another kernel is taken instead");
  expect_contains(outcome, "2 of the model's nodes run on the host");
  outcome = fake("FAKE_NVRTC_REFUSES=fn_exp", std::string(build) + "--no-fallback");
  EXPECT_EQ(outcome.code, 5);
}

// Texts compile behind the timing, and what fails there is said where it is wanted. The same
// timings give the same engine.
TEST_F(Situation, AKernelThatDoesNotCompileWhileOthersAreTimed) {
  constexpr const char* tuned = "build $DIR/model.onnx --target cuda -v ";
  Outcome outcome = fake("", std::string(tuned) + "--timing-cache $DIR/cache -o $DIR/a.engine");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  outcome = fake("", std::string(tuned) + "--timing-cache $DIR/cache -o $DIR/b.engine");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_EQ(run("cmp $DIR/a.engine $DIR/b.engine &&", "--version").code, 0);
  outcome = fake("FAKE_NVRTC_REFUSES=fn_exp", std::string(tuned) + "-o $DIR/c.engine");
  EXPECT_EQ(outcome.code, 5) << outcome.text;
  expect_contains(outcome, "kernel \"softmax\" does not compile for sm_90a");
}

// The second build takes its device code from the cache: a compiler that refuses is not asked.
TEST_F(Situation, DeviceCodeInTheTimingCache) {
  const std::string cached = std::string(build) + "--timing-cache $DIR/cache ";
  Outcome outcome = fake("", cached);
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  outcome = fake("FAKE_NVRTC_REFUSES=fn_exp", cached + "--no-fallback");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
}

TEST_F(Situation, NoDeviceCodeInTheTimingCache) {
  const std::string cached =
      std::string(build) + "--timing-cache $DIR/cache --no-compilation-cache ";
  Outcome outcome = fake("", cached);
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  outcome = fake("FAKE_NVRTC_REFUSES=fn_exp", cached + "--no-fallback");
  EXPECT_EQ(outcome.code, 5) << outcome.text;
}

}  // namespace
}  // namespace tenrec::test
#endif
