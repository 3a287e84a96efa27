// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "common/step_runner.h"
#include "ops/pool.h"
#include "ops/resize.h"
#include "targets/cpu/run/isa.h"

namespace tenrec::test {
namespace {

const Layout blocked{1, cpu::block_of(cpu::best_isa()), false};
constexpr Layout channels_last{-1, 0, true};

MaxPool max_pool(std::vector<int64_t> kernel, std::vector<int64_t> strides = {}) {
  MaxPool op;
  op.kernel_shape = std::move(kernel);
  op.strides = std::move(strides);
  return op;
}
AveragePool average_pool(std::vector<int64_t> kernel) {
  AveragePool op;
  op.kernel_shape = std::move(kernel);
  return op;
}

void in_every_layout(StepCase c, std::string_view kernel) {
  check_step(c, kernel);
  c.blocked = {0};
  c.blocked_output = true;
  c.layout = blocked;
  check_step(c, kernel);
  c.layout = channels_last;
  check_step(c, kernel);
}

TEST(Pool, windows_of_every_kind) {
  for (const Dims& dims : std::vector<Dims>{{2, 8, 11, 13}, {1, 19, 7, 30}, {1, 3, 5, 150}}) {
    const Tensor x = random_tensor(DType::f32, dims);
    for (const int64_t kernel : {2, 3}) {
      for (const int64_t stride : {1, 2, 3}) {
        for (const int64_t dilation : {1, 2}) {
          for (const bool ceil : {false, true}) {
            MaxPool max{.ceil_mode = ceil,
                        .dilations = {dilation, dilation},
                        .kernel_shape = {kernel, kernel},
                        .pads = {1, 0, 1, 1},
                        .strides = {stride, stride}};
            in_every_layout({.op = max, .inputs = {x}}, "pool");
            for (const bool include : {false, true}) {
              AveragePool mean{.ceil_mode = ceil,
                               .count_include_pad = include,
                               .dilations = {dilation, dilation},
                               .kernel_shape = {kernel, kernel},
                               .pads = {0, 1, 1, 1},
                               .strides = {stride, stride}};
              in_every_layout({.op = mean, .inputs = {x}, .tolerance = 1e-6}, "pool");
            }
          }
        }
      }
    }
    MaxPool same = max_pool({3, 3}, {2, 2});
    same.auto_pad = AutoPad::same_upper;
    in_every_layout({.op = same, .inputs = {x}}, "pool");
  }
  check_step({.op = max_pool({3}, {2}), .inputs = {random_tensor(DType::f32, {2, 3, 50})}}, "pool");
  check_step({.op = average_pool({2, 3, 2}),
              .inputs = {random_tensor(DType::f32, {1, 3, 5, 6, 7})},
              .tolerance = 1e-6},
             "pool");
  in_every_layout({.op = average_pool({2, 3, 2}),
                   .inputs = {random_tensor(DType::f32, {1, 3, 5, 6, 7})},
                   .tolerance = 1e-6},
                  "pool");
}

TEST(Resize, every_mode_and_coordinate) {
  const Tensor x = random_tensor(DType::f32, {2, 11, 7, 9});
  for (const ResizeMode mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic}) {
    for (int coordinate = 0; coordinate <= 6; ++coordinate) {
      if (coordinate == 4) continue;
      for (const std::vector<int64_t>& sizes : std::vector<std::vector<int64_t>>{
               {2, 11, 14, 18}, {2, 11, 3, 5}, {2, 11, 10, 9}, {2, 11, 7, 20}}) {
        Resize op;
        op.mode = mode;
        op.coordinate = static_cast<ResizeCoordinate>(coordinate);
        in_every_layout(
            {.op = op, .inputs = {x, {}, {}, ints(sizes)}, .constants = {3}, .tolerance = 2e-6},
            "resize");
      }
    }
  }
}

// Rows too long for the first-level cache are resized in strips.
TEST(Resize, long_rows) {
  for (const int64_t width : {1200, 2700}) {
    Resize op;
    op.mode = ResizeMode::linear;
    const Dims dims{2, 3, 3, width};
    in_every_layout({.op = op,
                     .inputs = {random_tensor(DType::f32, dims), {}, {}, ints({2, 3, 7, 2401})},
                     .constants = {3},
                     .tolerance = 2e-6},
                    "resize");
  }
}

// Outputs that leave the caches are written past them.
TEST(Resize, large_outputs) {
  Resize op;
  op.mode = ResizeMode::linear;
  in_every_layout(
      {.op = op,
       .inputs = {random_tensor(DType::f32, {1, 16, 150, 200}), {}, {}, ints({1, 16, 450, 600})},
       .constants = {3},
       .tolerance = 2e-6},
      "resize");
}

TEST(Resize, scales_antialias_crop_and_other_axes) {
  const Tensor x = random_tensor(DType::f32, {1, 3, 8, 8});
  Resize op;
  op.mode = ResizeMode::linear;
  op.antialias = true;
  check_step({.op = op,
              .inputs = {x, {}, Tensor::of<float>({4}, {1, 1, 0.35F, 0.6F})},
              .constants = {2},
              .tolerance = 2e-6},
             "resize");
  Resize crop;
  crop.coordinate = ResizeCoordinate::tf_crop_and_resize;
  crop.extrapolation_value = 10;
  for (const ResizeMode mode : {ResizeMode::nearest, ResizeMode::linear}) {
    crop.mode = mode;
    check_step({.op = crop,
                .inputs = {x,
                           Tensor::of<float>({8}, {0, 0, 0.4F, 0.6F, 1, 1, 1.2F, 1.7F}),
                           {},
                           ints({1, 3, 5, 6})},
                .constants = {1, 3},
                .tolerance = 2e-6},
               "resize");
  }
  Resize volume;
  volume.mode = ResizeMode::linear;
  check_step(
      {.op = volume,
       .inputs = {random_tensor(DType::f32, {1, 2, 3, 4, 5}), {}, {}, ints({1, 2, 6, 8, 10})},
       .constants = {3},
       .tolerance = 2e-6},
      "resize");
  check_step({.op = Resize{},
              .inputs = {random_tensor(DType::u8, {1, 2, 30}), {}, {}, ints({1, 2, 60})},
              .constants = {3}},
             "resize");
}

}  // namespace
}  // namespace tenrec::test
