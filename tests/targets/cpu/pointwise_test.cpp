// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "common/step_runner.h"
#include "ops/batch_normalization.h"
#include "ops/elementwise.h"
#include "ops/fused.h"
#include "ops/quantize.h"
#include "targets/cpu/run/tile_program.h"

namespace tenrec::test {
namespace {

constexpr Layout blocked8{1, 8, false};
constexpr Layout channels_last{-1, 0, true};

// One loop, whatever its constants were rounded to on the way.
TEST(Pointwise, gelu_is_one_instruction) {
  const Op gelu = Gelu{};
  const ExprProgram program = gelu.info().record(gelu.object(), {DType::f32});
  const cpu::TileProgram tile(program, cpu::best_isa());
  EXPECT_EQ(tile.instructions(), 1);
}

TEST(Pointwise, broadcasts_of_every_kind) {
  const std::vector<std::pair<Dims, Dims>> shapes{{{7}, {7}},
                                                  {{1000}, {1}},
                                                  {{3, 5, 7}, {7}},
                                                  {{3, 5, 7}, {5, 1}},
                                                  {{2, 3, 1}, {1, 1, 9}},
                                                  {{4, 600}, {4, 1}},
                                                  {{4, 600}, {600}},
                                                  {{2, 16, 9, 9}, {1, 16, 1, 1}},
                                                  {{1, 70, 1, 1}, {1, 70, 13, 13}},
                                                  {{2, 3, 4, 5}, {3, 1, 5}},
                                                  {{}, {}},
                                                  {{}, {130, 3}},
                                                  {{200, 129}, {200, 1}},
                                                  {{1, 4, 1, 300}, {6, 1, 5, 1}},
                                                  {{0, 3}, {3}},
                                                  {{100000}, {100000}},
                                                  {{130, 1}, {1, 140}}};
  for (const auto& [a, b] : shapes) {
    check_step({.op = Add{},
                .inputs = {random_tensor(DType::f32, a), random_tensor(DType::f32, b, -2, 2, 2)}},
               "pointwise");
    check_step({.op = Div{},
                .inputs = {random_tensor(DType::f32, b), random_tensor(DType::f32, a, 1, 2, 2)}},
               "pointwise");
  }
}

TEST(Pointwise, every_unary_function_near_the_oracle) {
  const Tensor wide = random_tensor(DType::f32, {2000}, -12, 12);
  const Tensor unit = random_tensor(DType::f32, {333}, -1, 1);
  const Tensor positive = random_tensor(DType::f32, {333}, 0, 50);
  for (const Op& op : std::vector<Op>{
           Exp{},   Sin{},   Cos{},         Tanh{},      Erf{},      Sigmoid{},        Abs{},
           Sign{},  Floor{}, Ceil{},        Round{},     Neg{},      Relu{},           LeakyRelu{},
           Elu{},   Selu{},  HardSigmoid{}, HardSwish{}, Softplus{}, Softsign{},       Mish{},
           Swish{}, Gelu{},  Gelu{"tanh"},  Atan{},      Sinh{},     Cosh{},           Asinh{},
           IsNaN{}, IsInf{}, Shrink{},      Clip{-1, 3}, Celu{},     ThresholdedRelu{}}) {
    check_step({.op = op, .inputs = {wide}}, "pointwise");
  }
  for (const Op& op :
       std::vector<Op>{Asin{}, Acos{}, Atanh{}, Tan{}, Exp{}, Tanh{}, Erf{}, Sigmoid{}}) {
    check_step({.op = op, .inputs = {unit}}, "pointwise");
  }
  for (const Op& op : std::vector<Op>{Log{}, Sqrt{}, Reciprocal{}})
    check_step({.op = op, .inputs = {positive}}, "pointwise");
}

TEST(Pointwise, special_values) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const Tensor x =
      Tensor::of({9}, std::vector<float>{0, -0.0F, inf, -inf, nan, 1e-40F, 200, -200, 1});
  for (const Op& op :
       std::vector<Op>{Exp{}, Log{}, Tanh{}, Erf{}, Sigmoid{}, Relu{}, Sqrt{}, Sign{}, Softplus{},
                       IsNaN{}, IsInf{}, Clip{-1, 1}, Abs{}, Elu{}}) {
    check_step({.op = op, .inputs = {x}}, "pointwise");
  }
  check_step({.op = Max{},
              .inputs = {x, Tensor::of({9}, std::vector<float>{nan, 1, 1, 1, 1, 1, nan, 1, 1})}},
             "pointwise");
  check_step({.op = Min{}, .inputs = {x, Tensor::of({1}, std::vector<float>{nan})}}, "pointwise");
}

TEST(Pointwise, every_type) {
  for (const DType dtype : {DType::f64, DType::f16, DType::bf16, DType::i32, DType::i64, DType::u8,
                            DType::i8, DType::i16, DType::u16, DType::u32, DType::u64}) {
    const Tensor a = random_tensor(dtype, {3, 211}, 0, 120),
                 b = random_tensor(dtype, {211}, 1, 120, 2);
    for (const Op& op : std::vector<Op>{Add{}, Sub{}, Mul{}, Div{}, Max{}, Less{}, Equal{}}) {
      check_step({.op = op, .inputs = {a, b}}, "pointwise");
    }
    for (const DType to :
         {DType::f32, DType::i64, DType::i8, DType::u8, DType::boolean, DType::f16, DType::f64}) {
      check_step({.op = Cast{to}, .inputs = {a}}, "pointwise");
    }
    check_step({.op = Where{}, .inputs = {random_tensor(DType::boolean, {3, 1}, 0, 2), a, b}},
               "pointwise");
  }
  const Tensor p = random_tensor(DType::boolean, {40, 50}, 0, 2),
               q = random_tensor(DType::boolean, {40, 50}, 0, 2, 5);
  for (const Op& op : std::vector<Op>{And{}, Or{}, Xor{}, Equal{}})
    check_step({.op = op, .inputs = {p, q}}, "pointwise");
  check_step({.op = Not{}, .inputs = {p}}, "pointwise");
}

TEST(Pointwise, integers_wrap_and_never_trap) {
  const Tensor a = Tensor::of({4}, std::vector<int32_t>{INT32_MIN, INT32_MAX, 7, -7});
  const Tensor b = Tensor::of({4}, std::vector<int32_t>{-1, 0, -2, 2});
  for (const Op& op : std::vector<Op>{Div{}, Mul{}, Sub{}, Mod{}})
    check_step({.op = op, .inputs = {a, b}}, "pointwise");
}

TEST(Pointwise, blocked_layouts_keep_pad_lanes_zero) {
  for (const Dims& dims :
       std::vector<Dims>{{2, 8, 3, 5}, {1, 13, 7, 7}, {3, 20, 1, 1}, {1, 35, 40, 40}}) {
    const Tensor x = random_tensor(DType::f32, dims), y = random_tensor(DType::f32, dims, -1, 1, 7);
    const Tensor channel = random_tensor(DType::f32, {dims[1], 1, 1});
    const Tensor scale = random_tensor(DType::f32, {dims[0], dims[1], 1, 1});
    check_step({.op = Sigmoid{},
                .inputs = {x},
                .layout = blocked8,
                .blocked = {0},
                .blocked_output = true},
               "pointwise");
    check_step({.op = Add{},
                .inputs = {x, y},
                .layout = blocked8,
                .blocked = {0, 1},
                .blocked_output = true},
               "pointwise");
    check_step({.op = Mul{},
                .inputs = {x, channel},
                .layout = blocked8,
                .blocked = {0},
                .blocked_output = true},
               "pointwise");
    check_step({.op = Mul{},
                .inputs = {x, scale},
                .layout = blocked8,
                .blocked = {0, 1},
                .blocked_output = true},
               "pointwise");
    check_step({.op = Mul{},
                .inputs = {x, scale},
                .layout = blocked8,
                .blocked = {0},
                .blocked_output = true},
               "pointwise");
    check_step(
        {.op = Add{}, .inputs = {x, y}, .layout = blocked8, .blocked = {0}, .blocked_output = true},
        "pointwise");
    check_step({.op = Add{},
                .inputs = {x, channel},
                .layout = channels_last,
                .blocked = {0},
                .blocked_output = true},
               "pointwise");
  }
}

// A region: (relu(a * b + c), sigmoid(a * b + c) - a).
std::vector<std::unique_ptr<Graph>> region(const Types& inputs) {
  auto body = std::make_unique<Graph>();
  Values in;
  for (const Type& type : inputs) in.push_back(body->add_input("", type));
  Value* product = body->insert(nullptr, Mul{}, {in[0], in[1]})->output();
  Value* sum = body->insert(nullptr, Add{}, {product, in[2]})->output();
  Value* relu = body->insert(nullptr, Relu{}, {sum})->output();
  Value* gate = body->insert(nullptr, Sigmoid{}, {sum})->output();
  body->add_output(relu);
  body->add_output(body->insert(nullptr, Sub{}, {gate, in[0]})->output());
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(std::move(body));
  return bodies;
}

TEST(Pointwise, fused_regions_with_several_outputs) {
  for (const Dims& dims : std::vector<Dims>{{5}, {4, 513}, {2, 3, 50, 50}}) {
    StepCase c{.op = Fused{},
               .inputs = {random_tensor(DType::f32, dims), random_tensor(DType::f32, {1}, 1, 2, 3),
                          random_tensor(DType::f32, dims, -1, 1, 4)}};
    c.bodies = region;
    c.constants = {1};
    check_step(c, "pointwise");
    check_step(c, "generic");
  }
}

TEST(Pointwise, quantisation_and_batch_normalization) {
  const Tensor x = random_tensor(DType::f32, {2, 3, 5, 7}, -20, 20),
               scales = Tensor::of<float>({3}, {0.1F, 0.2F, 0.3F});
  for (const DType to : {DType::u8, DType::i8}) {
    const Tensor zeros = Tensor::from_ints(to, {3}, std::vector<int64_t>{1, 2, 3}),
                 zero = Tensor::from_ints(to, {}, std::vector<int64_t>{4});
    check_step({.op = QuantizeLinear{}, .inputs = {x, scales, zeros}, .constants = {1, 2}},
               "pointwise");
    check_step({.op = QuantizeLinear{}, .inputs = {x, Tensor::scalar<float>(0.15F), zero}},
               "pointwise");
    const Tensor q = random_tensor(to, {2, 3, 5, 7}, 0, 120);
    check_step({.op = DequantizeLinear{}, .inputs = {q, scales, zeros}, .constants = {1, 2}},
               "pointwise");
    check_step({.op = DequantizeLinear{}, .inputs = {q, Tensor::scalar<float>(0.15F)}},
               "pointwise");
  }
  const Tensor mean = random_tensor(DType::f32, {3}),
               variance = random_tensor(DType::f32, {3}, 0.5, 2);
  check_step({.op = BatchNormalization{},
              .inputs = {x, scales, mean, mean, variance},
              .constants = {1, 2, 3, 4},
              .tolerance = 2e-6},
             "pointwise");
}

TEST(Pointwise, says_why_not) {
  EXPECT_EQ(reject_of({.op = Add{},
                       .inputs = {random_tensor(DType::f8e4m3fn, {2}),
                                  random_tensor(DType::f8e4m3fn, {2})}},
                      "pointwise"),
            "f8e4m3fn values");
}

}  // namespace
}  // namespace tenrec::test
