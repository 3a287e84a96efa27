// SPDX-License-Identifier: Apache-2.0
#include "conformance_case.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "common/onnx_writer.h"
#include "ir/op.h"

namespace tenrec {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using Outcome = CaseResult::Outcome;
namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  write_file_atomic(path, std::as_bytes(std::span(bytes)));
}

// y = -x for x = [1, -2].
fs::path add_case(const TemporaryFolder& folder, const std::string& op, const OnnxTensor& wanted) {
  OnnxGraph graph("g");
  graph.input("x", 1, {"2"}).output("y", 1, {"2"}).node(op, {"x"}, {"y"});
  write(folder.path() / "model.onnx", OnnxModel(graph).opset(17).bytes());
  write(folder.path() / "test_data_set_0" / "input_0.pb",
        OnnxTensor("x", {2}).floats({1, -2}).bytes());
  write(folder.path() / "test_data_set_0" / "output_0.pb", wanted.bytes());
  return folder.path();
}

void expect_outcome(const std::string& op, const OnnxTensor& wanted, Outcome outcome,
                    std::string_view message) {
  init_ops();
  const TemporaryFolder folder;
  add_case(folder, op, wanted);
  for (const char* target : {"interpreter", "cpu"}) {
    const CaseResult result = run_case(folder.path(), target, {});
    EXPECT_EQ(name(result.outcome), name(outcome)) << target << ": " << result.message;
    EXPECT_NE(result.message.find(message), std::string::npos) << target << ": " << result.message;
  }
}

TEST(Conformance, RightResult) {
  expect_outcome("Neg", OnnxTensor("y", {2}).floats({-1, 2}), Outcome::passed, "");
}

TEST(Conformance, ToleranceIsOnnxs) {
  expect_outcome("Neg", OnnxTensor("y", {2}).floats({-1, 2.0019F}), Outcome::passed, "");
  expect_outcome("Neg", OnnxTensor("y", {2}).floats({-1, 2.0021F}), Outcome::values,
                 "1 of 2 elements differ, first element 1: 2, expected 2.00");
}

TEST(Conformance, WrongShape) {
  expect_outcome("Neg", OnnxTensor("y", {2, 1}).floats({-1, 2}), Outcome::type,
                 "is f32[2], expected f32[2, 1]");
}

TEST(Conformance, Errors) {
  expect_outcome("NoSuchOperator", OnnxTensor("y", {2}).floats({-1, 2}), Outcome::error,
                 "Tenrec has no operator NoSuchOperator");
}

}  // namespace
}  // namespace tenrec
