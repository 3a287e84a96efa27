// SPDX-License-Identifier: Apache-2.0
// Convolutions and matrix products as steps of a plan: every family, every tactic, with epilogues.
#include <gtest/gtest.h>

#include "common/step_runner.h"
#include "ops/conv.h"
#include "ops/conv_transpose.h"
#include "ops/elementwise.h"
#include "ops/fused.h"
#include "ops/matmul.h"
#include "targets/cpu/run/isa.h"

namespace tenrec::test {
namespace {

const Layout blocked{1, cpu::block_of(cpu::best_isa()), false};

// Sums of `length` products of values that are spread evenly: `length` units of rounding, relative
// to the largest sum.
double tolerance_for(int64_t length) { return static_cast<double>(length) * 0x1p-24; }

struct Layer {
  int64_t images, in, out, groups;
  Dims size, kernel;
  std::vector<int64_t> strides, dilations, pads;
};

Conv conv_of(const Layer& l) {
  return {.dilations = l.dilations, .group = l.groups, .pads = l.pads, .strides = l.strides};
}

StepCase case_of(const Layer& l) {
  Dims x{l.images, l.in}, w{l.out, l.in / l.groups};
  x.insert(x.end(), l.size.begin(), l.size.end());
  w.insert(w.end(), l.kernel.begin(), l.kernel.end());
  int64_t length = w[1];
  for (const int64_t k : l.kernel) length *= k;
  StepCase c{.op = conv_of(l),
             .inputs = {random_tensor(DType::f32, x), random_tensor(DType::f32, w, -2, 2, 2),
                        random_tensor(DType::f32, {l.out}, -2, 2, 3)},
             .constants = {1, 2},
             .tolerance = tolerance_for(length + 1)};
  return c;
}

void set_blocked(StepCase& c, bool input, bool output) {
  c.layout = blocked;
  c.blocked = input ? std::set<size_t>{0} : std::set<size_t>{};
  c.blocked_output = output;
}

TEST(Convolution, direct) {
  for (const Layer& l :
       std::vector<Layer>{{1, 16, 24, 1, {7, 9}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
                          {2, 19, 13, 1, {8, 6}, {3, 3}, {2, 1}, {1, 1}, {1, 0, 2, 1}},
                          {1, 8, 16, 1, {12, 12}, {3, 3}, {1, 1}, {2, 2}, {2, 2, 2, 2}},
                          {1, 32, 32, 2, {5, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}}}) {
    StepCase c = case_of(l);
    set_blocked(c, true, true);
    if (l.groups > 1 && (l.in / l.groups) % blocked.block != 0) continue;
    check_every_tactic(c, "conv_direct");
  }
}

TEST(Convolution, winograd) {
  StepCase c = case_of({1, 19, 24, 1, {9, 11}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}});
  set_blocked(c, true, true);
  check_every_tactic(c, "conv_winograd");
}

TEST(Convolution, depthwise) {
  for (const int64_t stride : {1, 2}) {
    StepCase c = case_of({2, 19, 19, 19, {11, 9}, {5, 3}, {stride, stride}, {1, 2}, {2, 2, 2, 2}});
    set_blocked(c, true, true);
    check_every_tactic(c, "conv_depthwise");
  }
}

TEST(Convolution, depthwise_by_rows) {
  check_every_tactic(case_of({2, 3, 3, 3, {11, 39}, {5, 3}, {2, 1}, {1, 2}, {2, 2, 2, 2}}),
                     "conv_rows");
  check_every_tactic(case_of({1, 5, 5, 5, {70}, {9}, {1}, {1}, {4, 4}}), "conv_rows");
  EXPECT_EQ(
      reject_of(case_of({1, 3, 3, 3, {9, 9}, {3, 3}, {1, 2}, {1, 1}, {1, 1, 1, 1}}), "conv_rows"),
      "a stride along rows");
}

TEST(Convolution, stem) {
  StepCase c = case_of({1, 3, 20, 1, {15, 17}, {7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}});
  set_blocked(c, false, true);
  check_every_tactic(c, "conv_stem");
}

TEST(Convolution, plain_of_every_rank) {
  for (const Layer& l : std::vector<Layer>{
           {2, 6, 9, 3, {21}, {4}, {2}, {1}, {1, 2}},
           {1, 5, 7, 1, {9, 8}, {3, 2}, {1, 2}, {2, 1}, {1, 0, 1, 1}},
           {1, 4, 6, 2, {4, 5, 6}, {2, 3, 2}, {1, 1, 2}, {1, 1, 1}, {0, 1, 0, 1, 1, 1}}}) {
    check_every_tactic(case_of(l), "conv_plain");
  }
}

// As in a short-time Fourier transform: zeros at the ends, the rest the same from both ends, or
// negated. One weight that differs stops it.
TEST(Convolution, mirrored_filters) {
  for (const float sign : {1.0f, -1.0f, 0.0f}) {
    StepCase c = case_of({1, 2, 9, 1, {130}, {40}, {7}, {1}, {3, 1}});
    const std::span<float> weights = c.inputs[1].as_mutable<float>();
    for (size_t row = 0; row < weights.size(); row += 40) {
      for (size_t k = 0; k < 40; ++k) {
        if (k < 5 || k > 36) weights[row + k] = 0;
        else if (k > 20 && sign != 0) weights[row + k] = sign * weights[row + 41 - k];
        else if (k > 20) weights[row + k] = weights[row + 41 - k] + (k == 30 ? 0.001f : 0);
      }
    }
    check_every_tactic(c, "conv_plain");
  }
}

TEST(Convolution, transposed) {
  for (const int64_t groups : {1, 2}) {
    const ConvTranspose op{
        .group = groups, .output_padding = {1, 0}, .pads = {1, 0, 0, 1}, .strides = {2, 3}};
    const StepCase c{.op = op,
                     .inputs = {random_tensor(DType::f32, {2, 4, 5, 6}),
                                random_tensor(DType::f32, {4, 3, 3, 2}, -2, 2, 2)},
                     .constants = {1},
                     .tolerance = tolerance_for(4 * 6)};
    check_every_tactic(c, "conv_plain");
  }
}

// Kernels as large as their strides, the usual way to make a picture larger.
TEST(Convolution, transposed_without_overlap) {
  for (const auto& [out_channels, kernel, dims] :
       std::vector<std::tuple<int64_t, Dims, Dims>>{{3, {2, 2}, {2, 4, 5, 6}},
                                                    {1, {2, 2}, {1, 24, 7, 33}},
                                                    {24, {2, 2}, {1, 24, 9, 40}},
                                                    {2, {3, 4}, {1, 5, 3, 70}},
                                                    {5, {1, 2}, {2, 3, 8, 8}}}) {
    const ConvTranspose op{.dilations = {1, 1}, .pads = {0, 0, 0, 0}, .strides = kernel};
    const StepCase c{
        .op = op,
        .inputs = {random_tensor(DType::f32, dims),
                   random_tensor(DType::f32, {dims[1], out_channels, kernel[0], kernel[1]}, -2, 2,
                                 2),
                   random_tensor(DType::f32, {out_channels}, -2, 2, 3)},
        .constants = {1, 2},
        .tolerance = tolerance_for(dims[1])};
    check_every_tactic(c, "conv_plain");
  }
}

std::unique_ptr<Graph> residual_region(const Types& in, const Op& last) {
  auto body = std::make_unique<Graph>();
  Values v;
  for (const Type& type : in) v.push_back(body->add_input("", type));
  const Conv conv{.dilations = {1, 1}, .pads = {1, 1, 1, 1}, .strides = {1, 1}};
  Value* y = body->insert(nullptr, conv, {v[0], v[1], v[2]})->output();
  y->type.layout = in[3].layout;
  Value* sum = body->insert(nullptr, Add{}, {y, v[3]})->output();
  sum->type.layout = in[3].layout;
  Value* result = body->insert(nullptr, last, {sum})->output();
  result->type.layout = in[3].layout;
  body->add_output(result, "y");
  return body;
}

template <class Last>
std::vector<std::unique_ptr<Graph>> region_of(const Types& in) {
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(residual_region(in, Last{}));
  return bodies;
}

// A convolution and a gate of it, scaled and shifted: what the kernels have built in.
std::vector<std::unique_ptr<Graph>> scaled_gate(const Types& in) {
  auto body = std::make_unique<Graph>();
  Values v;
  for (const Type& type : in) v.push_back(body->add_input("", type));
  const auto number = [&](float x) { return body->constant(nullptr, Tensor::of<float>({1}, {x})); };
  const auto add = [&](const Op& op, Values inputs) {
    Value* y = body->insert(nullptr, op, std::move(inputs))->output();
    y->type.layout = in[0].layout;
    return y;
  };
  const Conv conv{.dilations = {1, 1}, .pads = {1, 1, 1, 1}, .strides = {1, 1}};
  Value* gated = add(HardSwish{}, {add(conv, {v[0], v[1], v[2]})});
  Value* scaled = add(Mul{}, {gated, number(0.625f)});
  body->add_output(add(Add{}, {scaled, number(-0.375f)}), "y");
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(std::move(body));
  return bodies;
}

TEST(Convolution, scaled_gate_in_the_epilogue) {
  StepCase c = case_of({1, 16, 12, 1, {9, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}});
  c.op = Fused{.anchor = "conv"};
  c.bodies = scaled_gate;
  check_every_tactic(c, "conv_plain");
  set_blocked(c, true, true);
  for (const char* kernel : {"conv_direct", "conv_winograd"}) check_every_tactic(c, kernel);
#ifdef TENREC_ONEDNN
  check_every_tactic(c, "onednn_conv");
#endif
}

TEST(Convolution, residual_and_activation_in_the_epilogue) {
  for (const auto bodies : {region_of<Relu>, region_of<HardSwish>}) {
    StepCase c = case_of({1, 16, 16, 1, {9, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}});
    c.op = Fused{.anchor = "conv"};
    c.inputs.push_back(random_tensor(DType::f32, {1, 16, 9, 7}, -2, 2, 4));
    c.bodies = bodies;
    check_every_tactic(c, "conv_plain");
    set_blocked(c, true, true);
    c.blocked = {0, 3};
    for (const char* kernel : {"conv_direct", "conv_winograd"}) check_every_tactic(c, kernel);
#ifdef TENREC_ONEDNN
    check_every_tactic(c, "onednn_conv");
#endif
  }
}

TEST(MatMul, constant_and_run_time_operands) {
  const std::vector<std::pair<Dims, Dims>> shapes{{{1, 33}, {33, 20}},
                                                  {{17, 40}, {40, 50}},
                                                  {{2, 3, 9, 16}, {16, 24}},
                                                  {{2, 3, 9, 16}, {2, 3, 16, 7}},
                                                  {{2, 3, 9, 16}, {2, 1, 16, 7}},
                                                  {{9, 16}, {4, 16, 7}}};
  for (const auto& [a, b] : shapes) {
    StepCase c{.op = MatMul{},
               .inputs = {random_tensor(DType::f32, a), random_tensor(DType::f32, b, -2, 2, 2)},
               .tolerance = tolerance_for(a.back())};
    check_every_tactic(c, "gemm");
    c.constants = {1};
    check_every_tactic(c, "gemm");
#ifdef TENREC_ONEDNN
    check_every_tactic(c, "onednn_matmul");
#endif
  }
}

TEST(Convolution, rejects_what_it_cannot_run) {
  StepCase c = case_of({1, 16, 16, 1, {9, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}});
  EXPECT_EQ(reject_of(c, "conv_direct"), "the layout is not blocked");
  EXPECT_EQ(reject_of(c, "gemm"), "is no matmul");
  set_blocked(c, true, true);
  EXPECT_EQ(reject_of(c, "conv_depthwise"), "not one filter for each channel");
  EXPECT_EQ(reject_of(c, "conv_plain"), "the layout is not row-major");
}

}  // namespace
}  // namespace tenrec::test
