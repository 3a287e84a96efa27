// SPDX-License-Identifier: Apache-2.0
#include "ir/expr.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "ir/tensor.h"

namespace tenrec {
namespace {

ExprProgram record(const std::vector<DType>& types,
                   const std::function<Expr(std::vector<Expr>&)>& body) {
  ExprProgram program;
  program.inputs = static_cast<int32_t>(types.size());
  std::vector<Expr> x;
  for (size_t i = 0; i < types.size(); ++i) {
    ExprNode node;
    node.fn = Fn::input;
    node.dtype = types[i];
    node.input = static_cast<int32_t>(i);
    x.emplace_back(program, program.add(node));
  }
  program.outputs = {body(x).node()};
  validate(program);
  return program;
}

TEST(Expr, EqualNodesAreShared) {
  const ExprProgram program = record({DType::f32}, [](auto& x) { return (x[0] + 1) * (x[0] + 1); });
  EXPECT_EQ(program.nodes.size(), 4U);  // input, constant, sum, product
}

TEST(Expr, IntegersWrapAndDivideLikeOnnx) {
  const ExprProgram sum = record({DType::i8, DType::i8}, [](auto& x) { return x[0] + x[1]; });
  EXPECT_EQ(evaluate(sum, {Tensor::of<int8_t>({1}, {127}), Tensor::of<int8_t>({1}, {1})})[0],
            Tensor::of<int8_t>({1}, {-128}));
  const ExprProgram quotient =
      record({DType::i64, DType::i64}, [](auto& x) { return x[0] / x[1]; });
  const int64_t lowest = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(evaluate(quotient, {Tensor::of<int64_t>({3}, {-7, lowest, 5}),
                                Tensor::of<int64_t>({3}, {2, -1, 0})})[0],
            Tensor::of<int64_t>({3}, {-3, lowest, 0}));
}

TEST(Expr, UnsignedComparesAsUnsigned) {
  const ExprProgram less = record({DType::u64, DType::u64}, [](auto& x) { return x[0] < x[1]; });
  EXPECT_EQ(evaluate(less, {Tensor::of<uint64_t>({1}, {1}),
                            Tensor::of<uint64_t>({1}, {~uint64_t{0}})})[0],
            Tensor::of<bool>({1}, {true}));
}

TEST(Expr, MinAndMaxPropagateNan) {
  const float nan = std::nanf("");
  const ExprProgram relu = record({DType::f32}, [](auto& x) { return max(x[0], 0); });
  EXPECT_TRUE(std::isnan(evaluate(relu, {Tensor::of<float>({1}, {nan})})[0].as<float>()[0]));
}

TEST(Expr, BroadcastsLikeNumpy) {
  const ExprProgram sum = record({DType::f32, DType::f32}, [](auto& x) { return x[0] + x[1]; });
  EXPECT_EQ(
      evaluate(sum, {Tensor::of<float>({2, 1}, {1, 2}), Tensor::of<float>({3}, {10, 20, 30})})[0],
      Tensor::of<float>({2, 3}, {11, 21, 31, 12, 22, 32}));
}

TEST(Expr, MixedTypesAreRefused) {
  EXPECT_THROW(record({DType::f32, DType::i64}, [](auto& x) { return x[0] + x[1]; }), Error);
}

TEST(Expr, UntrustedProgramsAreChecked) {
  ExprProgram program = record({DType::f32}, [](auto& x) { return x[0] + 1; });
  program.nodes[2].a = 2;  // its own argument
  EXPECT_THROW(validate(program), Error);
  program = record({DType::f32}, [](auto& x) { return x[0] + 1; });
  program.outputs = {9};
  EXPECT_THROW(validate(program), Error);
}

}  // namespace
}  // namespace tenrec
