// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "common/step_runner.h"
#include "ops/normalization.h"
#include "ops/reduce.h"
#include "ops/softmax.h"

namespace tenrec::test {
namespace {

constexpr Layout blocked8{1, 8, false};
constexpr double tight = 2e-6;

TEST(Reduce, every_kind_over_every_choice_of_axes) {
  const Tensor x = random_tensor(DType::f32, {3, 5, 9, 70}, 0.2, 1.5);
  for (int kind = 0; kind <= 9; ++kind) {
    for (const std::vector<int64_t>& axes :
         std::vector<std::vector<int64_t>>{{3}, {2}, {0}, {1, 3}, {0, 2}, {2, 3}, {0, 1, 2, 3}}) {
      for (const bool keep : {false, true}) {
        if (kind == 4 && axes.size() > 2) continue;  // products leave float's range
        check_step({.op = Reduce{static_cast<ReduceKind>(kind), keep},
                    .inputs = {x, ints(axes)},
                    .constants = {1},
                    .tolerance = tight},
                   "reduce");
      }
    }
  }
  check_step({.op = Reduce{ReduceKind::mean}, .inputs = {x}, .tolerance = tight}, "reduce");
}

TEST(Reduce, columns_of_few_and_of_many_rows) {
  for (const int64_t rows : {1, 16, 17, 250, 256, 257}) {
    const Tensor x = random_tensor(DType::f32, {2, rows, 150}, 0.2, 1.5);
    for (const ReduceKind kind : {ReduceKind::mean, ReduceKind::l1, ReduceKind::sum_square}) {
      check_step(
          {.op = Reduce{kind}, .inputs = {x, ints({1})}, .constants = {1}, .tolerance = tight},
          "reduce");
    }
  }
}

TEST(Reduce, long_sums_stay_accurate) {
  const Tensor x = random_tensor(DType::f32, {2, 1000003}, 0, 1);
  check_step({.op = Reduce{ReduceKind::sum},
              .inputs = {x, ints({1})},
              .constants = {1},
              .tolerance = 3e-7},
             "reduce");
  const Tensor y = random_tensor(DType::f32, {100003, 9}, 0, 1);
  check_step({.op = Reduce{ReduceKind::sum},
              .inputs = {y, ints({0})},
              .constants = {1},
              .tolerance = 3e-7},
             "reduce");
}

TEST(Reduce, other_types_and_layouts) {
  for (const DType dtype : {DType::f64, DType::i32, DType::i64}) {
    for (const ReduceKind kind : {ReduceKind::sum, ReduceKind::max, ReduceKind::min,
                                  ReduceKind::prod, ReduceKind::sum_square, ReduceKind::l1}) {
      check_step({.op = Reduce{kind},
                  .inputs = {random_tensor(dtype, {4, 7, 3}, -3, 4), ints({1})},
                  .constants = {1}},
                 "reduce");
    }
  }
  for (const Dims& dims : std::vector<Dims>{{2, 16, 7, 7}, {1, 13, 30, 41}}) {
    for (const ReduceKind kind : {ReduceKind::mean, ReduceKind::max, ReduceKind::l2}) {
      check_step({.op = Reduce{kind},
                  .inputs = {random_tensor(DType::f32, dims), ints({2, 3})},
                  .constants = {1},
                  .layout = blocked8,
                  .blocked = {0},
                  .blocked_output = true,
                  .tolerance = tight},
                 "reduce");
    }
  }
}

TEST(Reduce, nan_wins) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> values(40, 1);
  values[7] = nan;
  for (const ReduceKind kind : {ReduceKind::max, ReduceKind::min}) {
    check_step(
        {.op = Reduce{kind}, .inputs = {Tensor::of({2, 20}, values), ints({1})}, .constants = {1}},
        "reduce");
    check_step(
        {.op = Reduce{kind}, .inputs = {Tensor::of({2, 20}, values), ints({0})}, .constants = {1}},
        "reduce");
  }
}

TEST(Normalise, softmax_along_every_axis) {
  for (const Dims& dims : std::vector<Dims>{{7},
                                            {3, 1000},
                                            {2, 5, 33},
                                            {2, 9, 4, 70},
                                            {1, 1},
                                            {4, 3},
                                            {70, 2},
                                            {70, 4},
                                            {35, 16},
                                            {100, 5}}) {
    for (int64_t axis = 0; axis < static_cast<int64_t>(dims.size()); ++axis) {
      const Tensor x = random_tensor(DType::f32, dims, -20, 20);
      check_step({.op = Softmax{axis}, .inputs = {x}, .tolerance = tight}, "normalise");
      check_step({.op = LogSoftmax{axis}, .inputs = {x}, .tolerance = tight}, "normalise");
    }
  }
  check_step({.op = Softmax{}, .inputs = {random_tensor(DType::f16, {3, 50})}}, "normalise");
  const float inf = std::numeric_limits<float>::infinity();
  check_step({.op = Softmax{},
              .inputs = {Tensor::of({1, 3}, std::vector<float>{-inf, 1, -inf})},
              .tolerance = tight},
             "normalise");
}

TEST(Normalise, layer_and_rms) {
  for (const int64_t size : {1, 7, 64, 769}) {
    const Tensor x = random_tensor(DType::f32, {3, 5, size}, -3, 5),
                 scale = random_tensor(DType::f32, {size}, 0, 2),
                 bias = random_tensor(DType::f32, {size});
    check_step({.op = LayerNormalization{}, .inputs = {x, scale, bias}, .tolerance = 5e-6},
               "normalise");
    check_step(
        {.op = LayerNormalization{.statistics = true}, .inputs = {x, scale}, .tolerance = 5e-6},
        "normalise");
    check_step({.op = RMSNormalization{}, .inputs = {x, scale}, .tolerance = 5e-6}, "normalise");
  }
  check_step({.op = LayerNormalization{1},
              .inputs = {random_tensor(DType::f32, {4, 3, 11}), random_tensor(DType::f32, {3, 11})},
              .tolerance = 5e-6},
             "normalise");
}

TEST(Normalise, instance_and_group) {
  const Tensor x = random_tensor(DType::f32, {2, 6, 9, 5}, -1, 4),
               scale = random_tensor(DType::f32, {6}),
               bias = random_tensor(DType::f32, {6}, -1, 1, 3);
  check_step({.op = InstanceNormalization{}, .inputs = {x, scale, bias}, .tolerance = 5e-6},
             "normalise");
  check_step({.op = GroupNormalization{1e-5F, 3}, .inputs = {x, scale, bias}, .tolerance = 5e-6},
             "normalise");
}

}  // namespace
}  // namespace tenrec::test
