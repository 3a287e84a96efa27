// SPDX-License-Identifier: Apache-2.0
// Needs build/venv, which scripts/python_env.sh makes; without it the tests are skipped.
#include "ort.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

namespace tenrec {
namespace {

const std::filesystem::path kSource = TENREC_SOURCE_DIR;
const std::filesystem::path kModel = kSource / "samples/mnist/mnist.onnx";

class Ort : public testing::Test {
 protected:
  void SetUp() override {
    library = find_onnxruntime(kSource / "build/venv");
    if (library.empty()) GTEST_SKIP() << "no onnxruntime in build/venv";
  }
  std::filesystem::path library;
};

std::vector<float> digit(int number) {
  const auto path = kSource / "samples/mnist/digits" / (std::to_string(number) + ".pgm");
  std::ifstream file(path, std::ios::binary);
  file.seekg(-784, std::ios::end);
  std::vector<char> bytes(784);
  file.read(bytes.data(), 784);
  std::vector<float> pixels;
  for (const char byte : bytes) pixels.push_back(float(static_cast<unsigned char>(byte)) / 255);
  return pixels;
}

TEST_F(Ort, RunsAModel) {
  OrtSession session(library, kModel, 1);
  EXPECT_FALSE(session.version().empty());
  ASSERT_EQ(session.input_names(), std::vector<std::string>{"Input3"});
  ASSERT_EQ(session.output_names(), std::vector<std::string>{"Plus214_Output_0"});
  for (int number = 0; number < 10; ++number) {
    const std::vector<float> image = digit(number);
    session.set_input("Input3", 1, std::vector<int64_t>{1, 1, 28, 28}, image.data(), 784 * 4);
    session.run();
    const OrtTensor scores = session.output("Plus214_Output_0");
    ASSERT_EQ(scores.dtype, 1);
    ASSERT_EQ(scores.dims, (std::vector<int64_t>{1, 10}));
    std::vector<float> values(10);
    std::memcpy(values.data(), scores.data.data(), scores.data.size());
    EXPECT_EQ(std::max_element(values.begin(), values.end()) - values.begin(), number);
  }
}

TEST_F(Ort, PassesErrorsOn) {
  EXPECT_THROW(OrtSession(library, kSource / "no such model", 1), std::runtime_error);
  EXPECT_THROW(OrtSession("no such library", kModel, 1), std::runtime_error);
  OrtSession session(library, kModel, 1);
  EXPECT_THROW(session.output("Plus214_Output_0"), std::runtime_error);
  EXPECT_THROW(session.run(), std::runtime_error);  // no input set
  const std::vector<float> image(784);
  EXPECT_THROW(session.set_input("Input3", 1, std::vector<int64_t>{1, 28}, image.data(), 784 * 4),
               std::runtime_error);
  session.set_input("Input3", 1, std::vector<int64_t>{1, 1, 28, 28}, image.data(), 784 * 4);
  session.run();
  EXPECT_THROW(session.output("other"), std::runtime_error);
}

TEST_F(Ort, CanBeMoved) {
  OrtSession first(library, kModel, 1);
  OrtSession session = std::move(first);
  const std::vector<float> image(784);
  session.set_input("Input3", 1, std::vector<int64_t>{1, 1, 28, 28}, image.data(), 784 * 4);
  session.run();
  EXPECT_EQ(session.output("Plus214_Output_0").data.size(), 40u);
}

}  // namespace
}  // namespace tenrec
