// SPDX-License-Identifier: Apache-2.0
// What `tenrec check` prints of a model with ten different problems, word for word.
#ifdef TENREC_TOOL
#include <array>
#include <cstdio>

#include "common/onnx_samples.h"
#include "common/onnx_writer.h"
#include "errors/errors.h"

namespace tenrec::test {
namespace {

std::string printed(const std::string& arguments) {
  FILE* pipe = popen((std::string(TENREC_TOOL) + " " + arguments + " 2>/dev/null").c_str(), "r");
  std::string text;
  std::array<char, 4096> part{};
  while (const size_t count = std::fread(part.data(), 1, part.size(), pipe))
    text.append(part.data(), count);
  pclose(pipe);
  return text;
}

// clang-format off
constexpr std::string_view wanted = R"(problem: node "unknown operator" (NoSuchOp, opset 17)
  inputs  x: f32[2, 3]
  reason  Tenrec has no operator NoSuchOp in domain "ai.onnx"; `tenrec ops` lists what there is
  next    express it by operators that `tenrec ops` lists, or ask for it in an issue
problem: node "unknown domain" (acme.ai::Foo, opset 1)
  inputs  x: f32[2, 3]
  reason  Tenrec has no operator Foo in domain "acme.ai"; `tenrec ops` lists what there is
  next    express it by operators that `tenrec ops` lists, or ask for it in an issue
problem: node "bad axis" (Softmax, opset 17)
  inputs  x: f32[2, 3]
  reason  "bad axis" (softmax): axis 9 is out of range for a tensor of rank 2: expected -2 to 1
  next    correct the node where the model is made, or export it again with a newer exporter
problem: node "sizes that do not fit" (MatMul, opset 17)
  inputs  x: f32[2, 3], w: f32[2, 2]
  reason  "sizes that do not fit" (matmul): inner sizes differ: f32[2, 3] times f32[2, 2] (3 and 2)
  next    correct the node where the model is made, or export it again with a newer exporter
problem: node "sizes that differ" (Concat, opset 17)
  inputs  x: f32[2, 3], w: f32[2, 2]
  reason  "sizes that differ" (concat): Concat axis 1: sizes 3 and 2 must be equal
  next    correct the node where the model is made, or export it again with a newer exporter
problem: node "missing input" (Conv, opset 17)
  inputs  x: f32[2, 3]
  reason  "missing input" (conv): the weight (input 1) is missing
  next    correct the node where the model is made, or export it again with a newer exporter
problem: node "wrong attribute type" (Transpose, opset 17)
  inputs  x: f32[2, 3]
  reason  attribute 'perm' has type floats, ints is needed
  next    correct the node where the model is made, or export it again with a newer exporter
problem: node "two types" (Add, opset 17)
  inputs  x: f32[2, 3], i: i64[2, 3]
  reason  "two types" (add): add of f32 and i64: both operands must have one type; insert a Cast
  next    correct the node where the model is made, or export it again with a newer exporter
problem: node "impossible shape" (Reshape, opset 17)
  inputs  x: f32[2, 3], seven: i64[1]
  reason  "impossible shape" (reshape): shape [2, 3] has 6 elements, shape [7] has 7
  next    correct the node where the model is made, or export it again with a newer exporter
problem: node "indices of floats" (Gather, opset 17)
  inputs  x: f32[2, 3], x: f32[2, 3]
  reason  "indices of floats" (gather): input 1 of Gather is f32[2, 3], integers are needed; insert a Cast to int64
  next    correct the node where the model is made, or export it again with a newer exporter
)";
// clang-format on

TEST(Check, ten_problems_are_all_told) {
  const TemporaryFolder folder;
  write_test_file(folder / "ten.onnx", ten_problems());
  EXPECT_EQ(printed("check " + (folder / "ten.onnx").string()), wanted);
}

}  // namespace
}  // namespace tenrec::test
#endif
