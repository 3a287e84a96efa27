// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "common/step_runner.h"
#include "ops/concat.h"
#include "ops/constant_of_shape.h"
#include "ops/depth_space.h"
#include "ops/expand.h"
#include "ops/fused.h"
#include "ops/gather.h"
#include "ops/gather_elements.h"
#include "ops/pad.h"
#include "ops/reshape.h"
#include "ops/scatter.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/tile.h"
#include "ops/transpose.h"
#include "ops/trilu.h"
#include "targets/cpu/run/cpu_device.h"

namespace tenrec::test {
namespace {

constexpr Layout blocked8{1, 8, false};
constexpr Layout channels_last{-1, 0, true};

Tensor data(Dims dims, DType dtype = DType::f32) {
  return random_tensor(dtype, std::move(dims), -100, 100);
}

TEST(Copy, transposes) {
  const std::vector<std::pair<Dims, std::vector<int64_t>>> cases{{{5, 7}, {1, 0}},
                                                                 {{130, 67}, {1, 0}},
                                                                 {{2, 3, 37, 41}, {0, 2, 3, 1}},
                                                                 {{2, 37, 41, 3}, {0, 3, 1, 2}},
                                                                 {{2, 12, 50, 64}, {0, 2, 1, 3}},
                                                                 {{2, 12, 50, 64}, {0, 2, 3, 1}},
                                                                 {{3, 4, 5, 6, 7}, {4, 2, 0, 3, 1}},
                                                                 {{300, 1, 200}, {2, 1, 0}},
                                                                 {{0, 4}, {1, 0}},
                                                                 {{6}, {0}}};
  for (const auto& [dims, perm] : cases) {
    for (const DType dtype : {DType::f32, DType::i64, DType::u8, DType::f16}) {
      check_step({.op = Transpose{perm}, .inputs = {data(dims, dtype)}}, "copy");
    }
  }
}

TEST(Copy, slices_of_any_step) {
  const Tensor x = data({4, 9, 33});
  const auto slice = [&](std::vector<int64_t> starts, std::vector<int64_t> ends,
                         std::vector<int64_t> axes, std::vector<int64_t> steps) {
    check_step({.op = Slice{},
                .inputs = {x, ints(starts), ints(ends), ints(axes), ints(steps)},
                .constants = {1, 2, 3, 4}},
               "copy");
  };
  slice({1}, {3}, {0}, {1});
  slice({-5, 2}, {INT64_MAX, 30}, {1, 2}, {2, 3});
  slice({-1}, {INT64_MIN}, {2}, {-1});
  slice({8, 20}, {-100, 3}, {1, 2}, {-3, -2});
  slice({5}, {2}, {1}, {1});
  check_step({.op = Slice{}, .inputs = {x, ints({1, 2}), ints({3, 5})}, .constants = {1, 2}},
             "copy");
}

TEST(Copy, joins_and_parts) {
  for (const int64_t axis : {0, 1, -1}) {
    Dims a{3, 4, 5}, b{3, 4, 5}, c{3, 4, 5};
    const auto at = static_cast<size_t>(axis < 0 ? axis + 3 : axis);
    b[at] = 1;
    c[at] = 17;
    check_step({.op = Concat{axis}, .inputs = {data(a), data(b), data(c)}}, "copy");
    check_step({.op = Split{axis, 2, false}, .inputs = {data(c)}}, "copy");
    check_step(
        {.op = Split{axis, 3, false}, .inputs = {data(c), ints({2, 0, 15})}, .constants = {1}},
        "copy");
  }
  check_step({.op = Concat{1}, .inputs = {data({2, 200000}), data({2, 3})}}, "copy");
}

TEST(Copy, repeats) {
  check_step({.op = Expand{}, .inputs = {data({3, 1, 5}), ints({2, 1, 7, 5})}, .constants = {1}},
             "copy");
  check_step({.op = Expand{}, .inputs = {data({1}), ints({100, 300})}, .constants = {1}}, "copy");
  check_step({.op = Tile{}, .inputs = {data({2, 3}, DType::i64), ints({3, 2})}, .constants = {1}},
             "copy");
  check_step({.op = ConstantOfShape{Tensor::of<float>({1}, {7})},
              .inputs = {ints({3, 5})},
              .constants = {0}},
             "copy");
  check_step({.op = Reshape{}, .inputs = {data({4, 6}), ints({3, -1})}, .constants = {1}}, "copy");
}

TEST(Copy, depth_and_space) {
  for (const bool crd : {false, true}) {
    check_step({.op = DepthToSpace{2, crd}, .inputs = {data({2, 12, 5, 7})}}, "copy");
    check_step({.op = DepthToSpace{3, crd}, .inputs = {data({1, 27, 5, 7})}}, "copy");
  }
  check_step({.op = SpaceToDepth{3}, .inputs = {data({2, 2, 6, 9})}}, "copy");
  check_step({.op = SpaceToDepth{3, true}, .inputs = {data({2, 2, 6, 9})}}, "copy");
}

TEST(Copy, pads_of_every_mode) {
  for (const char* mode : {"constant", "reflect", "edge", "wrap"}) {
    for (const std::vector<int64_t>& pads : {std::vector<int64_t>{0, 0, 1, 2, 0, 0, 2, 1},
                                             {1, 0, 0, 3, 0, 2, 0, 0},
                                             {0, 0, -1, 1, 0, 0, 2, -2}}) {
      if (std::string(mode) == "reflect" && pads[0] != 0) continue;
      check_step({.op = Pad{mode}, .inputs = {data({2, 3, 5, 6}), ints(pads)}, .constants = {1}},
                 "copy");
    }
  }
  check_step({.op = Pad{},
              .inputs = {data({3, 4}), ints({1, 1}), Tensor::scalar<float>(9), ints({-1})},
              .constants = {1, 2, 3}},
             "copy");
  check_step({.op = Pad{"edge"},
              .inputs = {data({2, 11, 5, 6}), ints({0, 0, 1, 2, 0, 0, 2, 1})},
              .constants = {1},
              .layout = blocked8,
              .blocked = {0},
              .blocked_output = true},
             "copy");
}

TEST(Copy, blocked_layouts) {
  for (const Dims& dims : std::vector<Dims>{{2, 16, 5, 7},
                                            {1, 3, 40, 50},
                                            {2, 21, 9, 9},
                                            {1, 1, 9, 9},
                                            {3, 10, 40, 6},
                                            {2, 3, 4, 6}}) {
    check_step({.op = Reformat{1, 8, false},
                .inputs = {data(dims)},
                .layout = blocked8,
                .blocked_output = true},
               "copy");
    check_step({.op = Reformat{}, .inputs = {data(dims)}, .layout = blocked8, .blocked = {0}},
               "copy");
    check_step({.op = Reformat{-1, 0, true},
                .inputs = {data(dims)},
                .layout = channels_last,
                .blocked_output = true},
               "copy");
    check_step({.op = Reformat{}, .inputs = {data(dims)}, .layout = channels_last, .blocked = {0}},
               "copy");
    check_step({.op = Reformat{1, 8, false},
                .inputs = {data(dims)},
                .layout = blocked8,
                .blocked_output = true},
               "generic");
    check_step({.op = Slice{},
                .inputs = {data(dims), ints({1, 2}), ints({4, 6}), ints({2, 3})},
                .constants = {1, 2, 3},
                .layout = blocked8,
                .blocked = {0},
                .blocked_output = true},
               "copy");
    check_step({.op = Concat{2},
                .inputs = {data(dims), data(dims)},
                .layout = blocked8,
                .blocked = {0, 1},
                .blocked_output = true},
               "copy");
  }
  check_step({.op = Reformat{1, 8, false},
              .inputs = {data({2, 3, 1, 1})},
              .layout = blocked8,
              .blocked_output = true},
             "copy");
  for (const std::vector<int64_t>& perm :
       std::vector<std::vector<int64_t>>{{0, 2, 3, 1}, {3, 1, 0, 2}, {1, 0, 2, 3}}) {
    check_step({.op = Transpose{perm},
                .inputs = {data({2, 21, 9, 5})},
                .layout = blocked8,
                .blocked = {0}},
               "copy");
  }
}

TEST(Copy, concats_in_blocks) {
  check_step({.op = Concat{1},
              .inputs = {data({2, 16, 3, 3}), data({2, 8, 3, 3}), data({2, 5, 3, 3})},
              .layout = blocked8,
              .blocked = {0, 1, 2},
              .blocked_output = true},
             "copy");
  // Joints in the middle of a block: lanes shift, and the last block's others are zero.
  for (const auto& [a, b, c] : std::vector<std::array<int64_t, 3>>{
           {5, 8, 3}, {28, 4, 1}, {1, 1, 1}, {3, 21, 17}, {8, 12, 12}, {7, 9, 8}}) {
    check_step({.op = Concat{1},
                .inputs = {data({2, a, 3, 3}), data({2, b, 3, 3}), data({2, c, 3, 3})},
                .layout = blocked8,
                .blocked = {0, 1, 2},
                .blocked_output = true},
               "copy");
  }
}

TEST(Copy, cuts_channels_in_blocks) {
  for (const Layout layout : {blocked8, Layout{1, 16, false}}) {
    const auto in_blocks = [&](Op op, Tensors inputs, std::set<size_t> constants) {
      check_step({.op = std::move(op),
                  .inputs = std::move(inputs),
                  .constants = std::move(constants),
                  .layout = layout,
                  .blocked = {0},
                  .blocked_output = true},
                 "copy");
    };
    for (const std::vector<int64_t>& sizes : std::vector<std::vector<int64_t>>{{16, 16},
                                                                               {20, 20},
                                                                               {8, 16, 5},
                                                                               {1, 1, 1},
                                                                               {3, 21, 17},
                                                                               {8, 12, 12},
                                                                               {5},
                                                                               {4, 0, 40}}) {
      int64_t all = 0;
      for (const int64_t size : sizes) all += size;
      const auto parts = static_cast<int64_t>(sizes.size());
      in_blocks(Split{.axis = 1, .num_outputs = parts}, {data({2, all, 3, 5}), ints(sizes)}, {1});
    }
    in_blocks(Split{.axis = -3, .num_outputs = 2}, {data({1, 40, 120, 60})}, {});
    in_blocks(Split{.axis = 2, .num_outputs = 2}, {data({2, 11, 6, 5})}, {});
    for (const auto& [first, last] : std::vector<std::pair<int64_t, int64_t>>{
             {0, 8}, {0, 20}, {8, 40}, {16, 40}, {3, 9}, {7, 39}, {-20, 40}, {12, 12}}) {
      in_blocks(Slice{}, {data({2, 40, 5, 7}), ints({first}), ints({last}), ints({1})}, {1, 2, 3});
      in_blocks(Slice{}, {data({2, 40, 5, 7}), ints({1, first}), ints({5, last}), ints({2, 1})},
                {1, 2, 3});
    }
    in_blocks(Slice{},
              {data({2, 21, 9, 7}), ints({1, 0}), ints({9, 21}), ints({2, 1}), ints({3, 1})},
              {1, 2, 3, 4});
  }
}

// Words of four bytes have loops of their own on every instruction set, in its own block.
TEST(Copy, words_on_every_instruction_set) {
  for (const cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (!cpu::supported(isa)) continue;
    const int block = cpu::block_of(isa);
    const auto check = [&](StepCase c) {
      c.layout = {1, block, false};
      c.device = cpu::fingerprint_of(isa);
      check_step(c, "copy");
    };
    for (const Dims& dims : std::vector<Dims>{
             {130, 67}, {16, 160}, {3, 50}, {50, 3}, {4, 40}, {40, 4}, {2, 37}, {37, 2}, {9, 33}})
      check({.op = Transpose{{1, 0}}, .inputs = {data(dims)}});
    for (const int64_t times : {2, 3, 4})
      check({.op = DepthToSpace{times}, .inputs = {data({1, times * times, 5, 37})}});
    for (const int64_t channels : {1, 3, 4, 6, 8, 9, 16, 21, 40}) {
      for (const auto& [n, height, width] :
           std::vector<std::array<int64_t, 3>>{{1, 40, 50}, {2, 5, 7}, {1, 1, 3}, {3, 1, 1}}) {
        const Tensor x = data({n, channels, height, width});
        check({.op = Reformat{1, block, false}, .inputs = {x}, .blocked_output = true});
        check({.op = Reformat{}, .inputs = {x}, .blocked = {0}});
        check({.op = Transpose{{0, 2, 3, 1}}, .inputs = {x}, .blocked = {0}});
        check({.op = Concat{1},
               .inputs = {x, data({n, 20, height, width}), x, data({n, 1, height, width}), x},
               .blocked = {0, 1, 2, 3, 4},
               .blocked_output = true});
        check({.op = Split{.axis = 1, .num_outputs = 3},
               .inputs = {data({n, channels + 21, height, width}), ints({20, channels, 1})},
               .constants = {1},
               .blocked = {0},
               .blocked_output = true});
      }
    }
    check({.op = Concat{1},
           .inputs = {data({3, 20}), data({3, 5})},
           .blocked = {0, 1},
           .blocked_output = true});
    check({.op = Slice{},
           .inputs = {data({2, 40, 9, 7}), ints({3, 1, 2}), ints({33, 8, 7}), ints({1, 2, 3})},
           .constants = {1, 2, 3},
           .blocked = {0},
           .blocked_output = true});
  }
}

TEST(Copy, triangles) {
  for (const bool upper : {false, true}) {
    for (const int64_t k : {-3, 0, 2, 100}) {
      check_step({.op = Trilu{upper},
                  .inputs = {data({2, 5, 7}), Tensor::scalar<int64_t>(k)},
                  .constants = {1}},
                 "copy");
    }
    check_step({.op = Trilu{upper}, .inputs = {data({6, 4})}}, "copy");
  }
}

TEST(Gather, by_index_tensors) {
  const Tensor x = data({5, 6, 7});
  check_step({.op = Gather{0}, .inputs = {x, ints({0, -1, 3, 3})}}, "gather");
  check_step({.op = Gather{1}, .inputs = {x, Tensor::of<int32_t>({2, 2}, {5, 0, -6, 1})}},
             "gather");
  check_step({.op = Gather{-1}, .inputs = {x, Tensor::scalar<int64_t>(4)}}, "gather");
  check_step({.op = Gather{0},
              .inputs = {data({1000, 256}), random_tensor(DType::i64, {3, 100}, 0, 1000)}},
             "gather");
  for (const int64_t axis : {0, 1, 2}) {
    check_step(
        {.op = GatherElements{axis}, .inputs = {x, random_tensor(DType::i64, {4, 5, 6}, -5, 5)}},
        "gather");
  }
  check_step({.op = GatherND{0}, .inputs = {x, Tensor::of<int64_t>({3, 2}, {0, 1, 4, -1, 2, 5})}},
             "gather");
  check_step({.op = GatherND{1}, .inputs = {x, random_tensor(DType::i64, {5, 4, 1}, 0, 6)}},
             "gather");
  check_step({.op = ScatterElements{1},
              .inputs = {x, Tensor::of<int64_t>({1, 2, 2}, {0, 1, 2, 3}), data({1, 2, 2})}},
             "gather");
  check_step(
      {.op = ScatterND{}, .inputs = {x, Tensor::of<int64_t>({2, 1}, {4, 0}), data({2, 6, 7})}},
      "gather");
}

}  // namespace
}  // namespace tenrec::test
