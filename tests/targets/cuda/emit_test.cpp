// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/emit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "targets/cuda/loops.h"

namespace tenrec::cuda {
namespace {

Expr input(ExprProgram& program, DType dtype) {
  ExprNode node;
  node.fn = Fn::input;
  node.dtype = dtype;
  node.input = program.inputs++;
  return {program, program.add(node)};
}

TEST(Emit, FloatsAreInfixAndExact) {
  ExprProgram program;
  const Expr x = input(program, DType::f32);
  const Expr scaled = x * 0.1;  // named: operands are evaluated in any order
  program.outputs = {(scaled + exp(x)).node()};
  EXPECT_EQ(emit_function(program, "f"),
            "__device__ __forceinline__ void f(float x0, float& y0) {\n"
            "  const float v0 = x0;\n"
            "  const float v1 = 0x1.99999ap-4f;\n"
            "  const float v2 = __fmul_rn(v0, v1);\n"
            "  const float v3 = fn_exp<float>(v0);\n"
            "  const float v4 = v2 + v3;\n"
            "  y0 = v4;\n"
            "}\n");
}

TEST(Emit, IntegersWrap) {
  ExprProgram program;
  const Expr x = input(program, DType::i32), y = input(program, DType::i32);
  program.outputs = {(x * y).node(), (x < y).node()};
  EXPECT_EQ(emit_function(program, "f"),
            "__device__ __forceinline__ void f(int x0, int x1, int& y0, bool& y1) {\n"
            "  const int v0 = x0;\n"
            "  const int v1 = x1;\n"
            "  const int v2 = fn_mul<int>(v0, v1);\n"
            "  const bool v3 = fn_less<int>(v0, v1);\n"
            "  y0 = v2;\n"
            "  y1 = v3;\n"
            "}\n");
}

TEST(Emit, ACastToShortFloatsRounds) {
  ExprProgram program;
  program.outputs = {input(program, DType::f32).cast(DType::f16).node()};
  EXPECT_NE(emit_function(program, "f").find("load_f16(store_f16((float)v0))"), std::string::npos);
}

TEST(Emit, Literals) {
  EXPECT_EQ(literal(DType::f32, std::numeric_limits<double>::infinity(), 0), "inf32()");
  EXPECT_EQ(literal(DType::f64, -std::numeric_limits<double>::infinity(), 0), "-inf64()");
  EXPECT_EQ(literal(DType::f32, std::nan(""), 0), "nan32()");
  EXPECT_EQ(literal(DType::i64, 0, INT64_MIN), "(-0x7fffffffffffffffLL - 1)");
  EXPECT_EQ(literal(DType::boolean, 0, 1), "true");
}

TEST(Loops, NeighboursThatEveryWalkRunsThroughMerge) {
  const Dim n = Dim::fresh("n", 1);
  Loops loops = broadcast_loops(Type::tensor(DType::f32, {n, 3, 4, 5}),
                                {Type::tensor(DType::f32, {n, 3, 4, 5})});
  loops.collapse();
  EXPECT_EQ(loops.sizes, (Shape{n * 60}));
  Loops by_channel = broadcast_loops(Type::tensor(DType::f32, {n, 3, 4, 5}),
                                     {Type::tensor(DType::f32, {3, 1, 1})});
  by_channel.collapse();
  EXPECT_EQ(by_channel.sizes, (Shape{n, 3, 20}));
  EXPECT_EQ(by_channel.walks[1].strides, (Shape{0, 1, 0}));
}

TEST(Loops, ASizeThatMayBeOneGetsItsStrideAtRunTime) {
  const Dim m = Dim::fresh("m", 1, 9), n = Dim::fresh("n", 1, 9);
  const Shape strides = broadcast_strides(Type::tensor(DType::f32, {m}), {n});
  EXPECT_EQ(strides[0], min(m - Dim(1), Dim(1)));
}

TEST(Loops, ChannelsLastIsWalkedAsItLies) {
  Type type = Type::tensor(DType::f32, {2, 3, 4, 5});
  type.layout.channels_last = true;
  EXPECT_EQ(memory_strides(type), (Shape{60, 1, 15, 3}));
  EXPECT_EQ(memory_order(type), (std::vector<size_t>{0, 2, 3, 1}));
}

}  // namespace
}  // namespace tenrec::cuda
