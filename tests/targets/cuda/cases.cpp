// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/cases.h"

#include "ops/arg_reduce.h"
#include "ops/attention.h"
#include "ops/batch_normalization.h"
#include "ops/concat.h"
#include "ops/constant_of_shape.h"
#include "ops/conv.h"
#include "ops/conv_transpose.h"
#include "ops/convert.h"
#include "ops/cum_sum.h"
#include "ops/depth_space.h"
#include "ops/elementwise.h"
#include "ops/expand.h"
#include "ops/gather.h"
#include "ops/gather_elements.h"
#include "ops/grid_sample.h"
#include "ops/matmul.h"
#include "ops/non_max_suppression.h"
#include "ops/non_zero.h"
#include "ops/normalization.h"
#include "ops/one_hot.h"
#include "ops/pad.h"
#include "ops/pool.h"
#include "ops/range.h"
#include "ops/recurrent.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/resize.h"
#include "ops/roi.h"
#include "ops/scatter.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/split.h"
#include "ops/tile.h"
#include "ops/topk.h"
#include "ops/transpose.h"
#include "ops/trilu.h"
#include "targets/cuda/case_values.h"

namespace tenrec::test {
namespace {

void pointwise(Cases& cases) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i8, DType::i32,
                            DType::i64, DType::u8}) {
    const std::string type(name(dtype));
    cases.push_back(
        {"add " + type, Add{}, {random(dtype, {3, 5, 7}), random(dtype, {3, 5, 7}, -2, 2, 2)}});
    cases.push_back({"mul by channel " + type,
                     Mul{},
                     {random(dtype, {2, 3, 8, 8}), random(dtype, {3, 1, 1}, -2, 2, 2)}});
    cases.push_back(
        {"div " + type, Div{}, {random(dtype, {4, 6}, -9, 9), random(dtype, {1, 6}, -3, 3, 2)}});
    cases.push_back({"less " + type, Less{}, {random(dtype, {33}), random(dtype, {33}, -2, 2, 3)}});
  }
  cases.push_back({"add scalar", Add{}, {f32({1000}), f32({}, 2)}});
  cases.push_back({"add outer", Add{}, {f32({17, 1}), f32({1, 19}, 2)}});
  cases.push_back({"add large", Add{}, {f32({64, 1027}), f32({1027}, 2)}});
  for (Op op : std::initializer_list<Op>{Exp{}, Tanh{}, Sigmoid{}, Erf{}, Abs{}, Neg{}, Floor{},
                                         Ceil{}, Sin{}, Cos{}})
    cases.push_back({std::string(op.name()), op, {f32({5, 13})}});
  for (Op op : std::initializer_list<Op>{Sqrt{}, Log{}, Reciprocal{}})
    cases.push_back({std::string(op.name()), op, {random(DType::f32, {5, 13}, 0.1, 4)}});
  cases.push_back({"relu f16", Relu{}, {random(DType::f16, {2, 3, 5, 5})}});
  cases.push_back(
      {"cast f32 to i32", Cast{.to = DType::i32}, {random(DType::f32, {50}, -1000, 1000)}});
  cases.push_back(
      {"cast f32 to f16", Cast{.to = DType::f16}, {random(DType::f32, {50}, -1000, 1000)}});
  cases.push_back(
      {"cast i64 to bool", Cast{.to = DType::boolean}, {random(DType::i64, {50}, -2, 2)}});
  cases.push_back({"cast u8 to f32", Cast{.to = DType::f32}, {random(DType::u8, {50}, 0, 255)}});
  cases.push_back(
      {"where", Where{}, {random(DType::boolean, {4, 5}, 0, 2), f32({4, 5}), f32({5}, 2)}});
  cases.push_back({"batch_normalization",
                   BatchNormalization{},
                   {f32({2, 3, 4, 5}), random(DType::f32, {3}, 0.5, 1.5), f32({3}, 3), f32({3}, 4),
                    random(DType::f32, {3}, 0.5, 2, 5)},
                   {1, 2, 3, 4},
                   1e-6});
}

void movement(Cases& cases) {
  for (const DType dtype : {DType::f32, DType::f16, DType::i64, DType::u8}) {
    const std::string type(name(dtype));
    cases.push_back(
        {"transpose 2-D " + type, Transpose{.perm = {1, 0}}, {random(dtype, {37, 45}, 0, 9)}});
    cases.push_back({"transpose to NHWC " + type,
                     Transpose{.perm = {0, 2, 3, 1}},
                     {random(dtype, {2, 19, 5, 7}, 0, 9)}});
    cases.push_back({"transpose outer " + type,
                     Transpose{.perm = {1, 0, 2}},
                     {random(dtype, {3, 5, 16}, 0, 9)}});
    cases.push_back({"concat " + type,
                     Concat{.axis = 1},
                     {random(dtype, {2, 3, 4}, 0, 9), random(dtype, {2, 5, 4}, 0, 9, 2)}});
    cases.push_back({"concat last " + type,
                     Concat{.axis = -1},
                     {random(dtype, {6, 3}, 0, 9), random(dtype, {6, 4}, 0, 9, 2)}});
    cases.push_back(
        {"slice " + type,
         Slice{},
         {random(dtype, {7, 9}, 0, 9), ints({1, -2}), ints({6, -9}), ints({0, 1}), ints({2, -3})},
         {1, 2, 3, 4}});
    cases.push_back(
        {"expand " + type, Expand{}, {random(dtype, {3, 1}, 0, 9), ints({2, 3, 4})}, {1}});
    cases.push_back({"tile " + type, Tile{}, {random(dtype, {3, 2}, 0, 9), ints({2, 3})}, {1}});
    cases.push_back(
        {"gather " + type, Gather{.axis = 1}, {random(dtype, {2, 6, 8}, 0, 9), ints({5, -1, 0})}});
    cases.push_back({"gather_elements " + type,
                     GatherElements{.axis = 1},
                     {random(dtype, {3, 6}, 0, 9), random(DType::i64, {3, 4}, -6, 6)}});
    cases.push_back({"gather_nd " + type,
                     GatherND{.batch_dims = 1},
                     {random(dtype, {2, 4, 5, 3}, 0, 9), random(DType::i64, {2, 3, 2}, -4, 4)}});
    cases.push_back(
        {"pad " + type, Pad{}, {random(dtype, {3, 5}, 0, 9), ints({1, -1, 2, 3})}, {1}});
  }
  for (const char* mode : {"edge", "reflect", "wrap"})
    cases.push_back({std::string("pad ") + mode,
                     Pad{.mode = mode},
                     {f32({2, 5, 6}), ints({0, 2, 3, 0, 1, 4})},
                     {1}});
  cases.push_back(
      {"split", Split{.axis = 1, .num_outputs = 3}, {f32({2, 9, 4}), ints({2, 3, 4})}, {1}});
  cases.push_back({"depth_to_space", DepthToSpace{.blocksize = 2}, {f32({2, 12, 3, 5})}});
  cases.push_back({"space_to_depth", SpaceToDepth{.blocksize = 2}, {f32({2, 3, 4, 6})}});
  cases.push_back({"space_to_depth_crd",
                   SpaceToDepth{.blocksize = 2, .column_row_depth = true},
                   {f32({2, 3, 4, 6})}});
  cases.push_back(
      {"trilu", Trilu{.upper = false}, {f32({2, 5, 6}), Tensor::of<int64_t>({}, {1})}, {1}});
  cases.push_back(
      {"range",
       Range{},
       {Tensor::of<int64_t>({}, {3}), Tensor::of<int64_t>({}, {40}), Tensor::of<int64_t>({}, {5})},
       {0, 1, 2}});
  cases.push_back(
      {"one_hot",
       OneHot{.axis = 1},
       {random(DType::i64, {3, 4}, -5, 6), Tensor::of<int64_t>({}, {5}), floats({-1, 2})},
       {1}});
  cases.push_back(
      {"scatter_elements",
       ScatterElements{.axis = 1},
       {f32({3, 6}), Tensor::of<int64_t>({3, 2}, {0, 5, -2, 1, 3, 2}), f32({3, 2}, 2)}});
  cases.push_back({"scatter_elements add",
                   ScatterElements{.axis = 0, .reduction = "add"},
                   {f32({4, 3}), random(DType::i64, {6, 3}, -4, 4), f32({6, 3}, 2)},
                   {},
                   1e-6});
  cases.push_back({"scatter_nd",
                   ScatterND{},
                   {f32({5, 4}), Tensor::of<int64_t>({3, 1}, {4, 0, -2}), f32({3, 4}, 2)}});
  cases.push_back({"scatter_nd max",
                   ScatterND{.reduction = "max"},
                   {f32({5, 4}), Tensor::of<int64_t>({3, 1}, {4, 0, 4}), f32({3, 4}, 2)}});
  cases.push_back({"non_zero", NonZero{}, {random(DType::f32, {7, 93}, -1, 1)}});
  cases.push_back({"non_max_suppression",
                   NonMaxSuppression{},
                   {random(DType::f32, {2, 300, 4}, 0, 1), random(DType::f32, {2, 3, 300}, 0, 1, 2),
                    ints({20}), floats({0.3F}), floats({0.2F})},
                   {2}});
  cases.push_back({"non_max_suppression centred",
                   NonMaxSuppression{.center_point_box = true},
                   {random(DType::f32, {1, 200, 4}, 0.1, 1),
                    random(DType::f32, {1, 2, 200}, 0, 1, 2), ints({300}), floats({0.5F})},
                   {2}});
  cases.push_back({"non_zero of bools", NonZero{}, {random(DType::boolean, {3, 4, 50}, 0, 2)}});
}

void windows(Cases& cases) {
  const auto conv = [](std::vector<int64_t> pads, std::vector<int64_t> strides, int64_t group) {
    return Conv{.group = group, .pads = std::move(pads), .strides = std::move(strides)};
  };
  for (const DType dtype : {DType::f32, DType::f16}) {
    const std::string type(name(dtype));
    const double tolerance = dtype == DType::f32 ? sum_tolerance(72) : 0x1p-9;
    cases.push_back({"conv 3x3 " + type,
                     conv({1, 1, 1, 1}, {1, 1}, 1),
                     {random(dtype, {2, 8, 9, 11}), random(dtype, {5, 8, 3, 3}, -1, 1, 2),
                      random(dtype, {5}, -1, 1, 3)},
                     {1, 2},
                     tolerance});
    cases.push_back({"conv strided " + type,
                     conv({0, 1, 2, 1}, {2, 3}, 2),
                     {random(dtype, {1, 4, 10, 12}), random(dtype, {6, 2, 3, 2}, -1, 1, 2)},
                     {1},
                     tolerance});
    cases.push_back({"conv depthwise " + type,
                     conv({1, 1, 1, 1}, {1, 1}, 6),
                     {random(dtype, {2, 6, 8, 8}), random(dtype, {6, 1, 3, 3}, -1, 1, 2),
                      random(dtype, {6}, -1, 1, 3)},
                     {1, 2},
                     tolerance});
    cases.push_back(
        {"conv_transpose " + type,
         ConvTranspose{.output_padding = {1, 0}, .pads = {1, 0, 1, 1}, .strides = {2, 2}},
         {random(dtype, {2, 4, 5, 6}), random(dtype, {4, 3, 3, 3}, -1, 1, 2),
          random(dtype, {3}, -1, 1, 3)},
         {1, 2},
         tolerance});
    cases.push_back({"max_pool " + type,
                     MaxPool{.kernel_shape = {3, 3}, .pads = {1, 1, 1, 1}, .strides = {2, 2}},
                     {random(dtype, {2, 3, 9, 10})}});
    cases.push_back(
        {"average_pool " + type,
         AveragePool{
             .ceil_mode = true, .kernel_shape = {3, 2}, .pads = {1, 0, 0, 1}, .strides = {2, 2}},
         {random(dtype, {2, 3, 8, 9})},
         {},
         tolerance});
  }
  cases.push_back({"conv 1-D",
                   Conv{.auto_pad = AutoPad::same_upper, .dilations = {2}, .strides = {2}},
                   {f32({2, 3, 17}), f32({4, 3, 4}, 2)},
                   {1},
                   sum_tolerance(12)});
  cases.push_back({"conv 3-D",
                   Conv{.pads = {1, 0, 1, 1, 0, 1}},
                   {f32({1, 2, 4, 5, 6}), f32({3, 2, 3, 2, 3}, 2)},
                   {1},
                   sum_tolerance(36)});
  cases.push_back({"conv_transpose grouped",
                   ConvTranspose{.auto_pad = AutoPad::same_lower, .group = 2, .strides = {2, 1}},
                   {f32({1, 4, 5, 6}), f32({4, 3, 3, 2}, 2)},
                   {1},
                   sum_tolerance(24)});
  cases.push_back({"max_pool indices",
                   MaxPool{.kernel_shape = {2, 2}, .strides = {2, 2}, .indices = true},
                   {f32({2, 3, 6, 8})}});
  cases.push_back(
      {"average_pool with padding",
       AveragePool{.count_include_pad = true, .kernel_shape = {3, 3}, .pads = {1, 1, 1, 1}},
       {f32({1, 2, 5, 5})},
       {},
       1e-6});
  cases.push_back(
      {"lp_pool", LpPool{.kernel_shape = {2, 2}, .p = 2}, {f32({1, 2, 5, 5})}, {}, 1e-6});
  const auto resize = [&](std::string text, Resize op, Tensor scales) {
    const double tolerance = op.mode == ResizeMode::nearest ? 0 : 2e-6;
    cases.push_back({"resize " + text,
                     std::move(op),
                     {f32({1, 2, 7, 9}), {}, std::move(scales)},
                     {2},
                     tolerance});
  };
  for (const auto coordinate : {ResizeCoordinate::half_pixel, ResizeCoordinate::pytorch_half_pixel,
                                ResizeCoordinate::align_corners, ResizeCoordinate::asymmetric,
                                ResizeCoordinate::half_pixel_symmetric}) {
    const std::string number = std::to_string(static_cast<int>(coordinate));
    for (const auto mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic}) {
      resize(fmt::format("mode {} coordinate {} up", static_cast<int>(mode), number),
             {.coordinate = coordinate, .mode = mode}, floats({1, 1, 2.5F, 1.7F}));
      resize(fmt::format("mode {} coordinate {} down", static_cast<int>(mode), number),
             {.coordinate = coordinate, .mode = mode}, floats({1, 1, 0.6F, 0.45F}));
    }
  }
  for (const auto nearest : {ResizeNearest::round_prefer_ceil, ResizeNearest::floor,
                             ResizeNearest::ceil, ResizeNearest::legacy})
    resize(fmt::format("nearest {}", static_cast<int>(nearest)),
           {.coordinate = ResizeCoordinate::asymmetric, .nearest = nearest},
           floats({1, 1, 2, 0.5F}));
  resize("antialias linear", {.antialias = true, .mode = ResizeMode::linear},
         floats({1, 1, 0.6F, 0.3F}));
  resize("antialias cubic", {.antialias = true, .mode = ResizeMode::cubic},
         floats({1, 1, 0.6F, 1.5F}));
  resize("exclude outside", {.exclude_outside = true, .mode = ResizeMode::cubic},
         floats({1, 1, 0.8F, 1.5F}));
  cases.push_back({"resize to sizes",
                   Resize{.axes = {2, 3}, .mode = ResizeMode::linear},
                   {f32({1, 2, 7, 9}), {}, {}, ints({3, 20})},
                   {3},
                   2e-6});
  cases.push_back(
      {"resize crop",
       Resize{.coordinate = ResizeCoordinate::tf_crop_and_resize,
              .extrapolation_value = 7,
              .mode = ResizeMode::linear},
       {f32({1, 1, 6, 6}), floats({0, 0, 0.2F, 0.1F, 1, 1, 0.9F, 1.3F}), {}, ints({1, 1, 4, 5})},
       {1, 3},
       2e-6});
}

void rows(Cases& cases) {
  for (const auto kind :
       {ReduceKind::sum, ReduceKind::mean, ReduceKind::max, ReduceKind::min, ReduceKind::l1,
        ReduceKind::l2, ReduceKind::sum_square, ReduceKind::log_sum_exp, ReduceKind::prod}) {
    const std::string number = std::to_string(static_cast<int>(kind));
    cases.push_back(
        {"reduce rows " + number, Reduce{.kind = kind}, {f32({5, 37}), ints({1})}, {1}, 4e-6});
    cases.push_back({"reduce columns " + number,
                     Reduce{.kind = kind, .keepdims = false},
                     {f32({3, 40, 9}), ints({0, 1})},
                     {1},
                     4e-6});
  }
  for (const DType dtype : {DType::i32, DType::i64, DType::u8})
    for (const auto kind :
         {ReduceKind::sum, ReduceKind::max, ReduceKind::min, ReduceKind::prod, ReduceKind::mean})
      cases.push_back({fmt::format("reduce {} {}", name(dtype), static_cast<int>(kind)),
                       Reduce{.kind = kind},
                       {random(dtype, {4, 23}, dtype == DType::u8 ? 0 : -20, 20), ints({1})},
                       {1}});
  cases.push_back({"reduce spatial f16",
                   Reduce{.kind = ReduceKind::mean},
                   {random(DType::f16, {2, 33, 7, 7}), ints({2, 3})},
                   {1},
                   0x1p-9});
  cases.push_back(
      {"reduce long", Reduce{.kind = ReduceKind::sum}, {f32({2, 5000}), ints({1})}, {1}, 1e-5});
  for (const auto kind : {ReduceKind::sum, ReduceKind::max, ReduceKind::log_sum_exp}) {
    const std::string number = std::to_string(static_cast<int>(kind));
    cases.push_back({"reduce in parts " + number,
                     Reduce{.kind = kind},
                     {f32({3, 20000}), ints({1})},
                     {1},
                     1e-5});
    cases.push_back({"reduce columns in parts " + number,
                     Reduce{.kind = kind, .keepdims = false},
                     {random(DType::i32, {17000, 2}, -20, 20), ints({0})},
                     {1}});
  }
  for (const DType dtype : {DType::f32, DType::f16}) {
    const std::string type(name(dtype));
    const double tolerance = dtype == DType::f32 ? 4e-6 : 0x1p-9;
    cases.push_back({"softmax " + type, Softmax{}, {random(dtype, {3, 4, 77})}, {}, tolerance});
    cases.push_back(
        {"softmax across " + type, Softmax{.axis = 1}, {random(dtype, {3, 10, 9})}, {}, tolerance});
    cases.push_back(
        {"log_softmax " + type, LogSoftmax{}, {random(dtype, {3, 300})}, {}, tolerance});
    cases.push_back(
        {"layer_normalization " + type,
         LayerNormalization{},
         {random(dtype, {4, 96}), random(dtype, {96}, 0.5, 1.5, 2), random(dtype, {96}, -1, 1, 3)},
         {},
         tolerance});
  }
  cases.push_back({"layer_normalization statistics",
                   LayerNormalization{.axis = 1, .statistics = true},
                   {f32({3, 4, 5}), f32({4, 5}, 2), f32({4, 5}, 3)},
                   {},
                   1e-5});
  cases.push_back(
      {"rms_normalization", RMSNormalization{}, {f32({3, 50}), f32({50}, 2)}, {}, 4e-6});
  cases.push_back({"instance_normalization",
                   InstanceNormalization{},
                   {f32({2, 3, 5, 6}), f32({3}, 2), f32({3}, 3)},
                   {},
                   1e-5});
  cases.push_back({"group_normalization",
                   GroupNormalization{.num_groups = 2},
                   {f32({2, 6, 5, 6}), f32({6}, 2), f32({6}, 3)},
                   {},
                   1e-5});
  cases.push_back({"arg_max", ArgReduce{.axis = 1}, {random(DType::i32, {3, 50, 4}, -5, 5)}});
  cases.push_back(
      {"arg_min last",
       ArgReduce{.largest = false, .axis = -1, .keepdims = false, .select_last_index = true},
       {random(DType::f16, {6, 300}, -9, 9)}});
  cases.push_back({"topk", TopK{}, {f32({3, 400}), ints({7})}, {1}});
  cases.push_back({"topk smallest",
                   TopK{.axis = 0, .largest = false},
                   {random(DType::i64, {50, 3}, -9, 9), ints({11})},
                   {1}});
  for (const char* mode : {"constant", "reflect"})
    cases.push_back({fmt::format("pad {} of late sizes", mode),
                     Pad{.mode = mode},
                     {f32({3, 5, 4}), ints({1, -1, 0, 2, 0, -1})}});
  cases.push_back({"topk of long lines", TopK{}, {f32({2, 9000}), ints({60})}, {1}});
  cases.push_back({"cum_prod of a late axis",
                   CumProd{.reverse = true},
                   {f32({3, 5, 4}), Tensor::of<int64_t>({}, {-2})},
                   {},
                   1e-6});
  cases.push_back({"cum_sum",
                   CumSum{.exclusive = true, .reverse = true},
                   {f32({3, 20, 4}), Tensor::of<int64_t>({}, {1})},
                   {1},
                   1e-6});
}

void narrow(Cases& cases) {
  for (const DType to : {DType::i4, DType::u2, DType::f4e2m1, DType::f8e4m3fn, DType::f8e5m2fnuz}) {
    const std::string type(name(to));
    cases.push_back({"cast f32 to " + type, Cast{.to = to}, {f32({3, 7})}});
    cases.push_back(
        {"cast " + type + " to f16", Cast{.to = DType::f16}, {random(to, {3, 7}, 0, 2)}});
  }
  cases.push_back({"convert f32 to f8e5m2",
                   Convert{.to = DType::f8e5m2, .saturate = false},
                   {random(DType::f32, {50}, -1e5, 1e5)}});
  cases.push_back({"attention with everything",
                   Attention{.is_causal = true, .softcap = 3, .outputs = 3},
                   {f32({2, 4, 3, 8}), f32({2, 2, 5, 8}, 2), f32({2, 2, 5, 6}, 3), f32({3, 7}, 4),
                    f32({2, 2, 2, 8}, 5), f32({2, 2, 2, 6}, 6)},
                   {},
                   1e-5});
}

void products(Cases& cases) {
  const auto add = [&](std::string text, Tensor a, Tensor b, int64_t k) {
    const double tolerance = a.dtype() == DType::f32   ? sum_tolerance(k)
                             : a.dtype() == DType::f64 ? 1e-13
                                                       : 0x1p-8;
    cases.push_back({"matmul " + text, MatMul{}, {std::move(a), std::move(b)}, {}, tolerance});
  };
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    const std::string type(name(dtype));
    add(type, random(dtype, {70, 33}), random(dtype, {33, 130}, -2, 2, 2), 33);
    add("batch " + type, random(dtype, {3, 2, 20, 16}), random(dtype, {2, 16, 24}, -2, 2, 2), 16);
  }
  add("vector", f32({40}), f32({40, 30}, 2), 40);
  add("by vector", f32({3, 30, 40}), f32({40}, 2), 40);
  add("dot", f32({40}), f32({40}, 2), 40);
  add("row", f32({1, 300}), f32({300, 10}, 2), 300);
}

void samples(Cases& cases) {
  const Tensor regions =
      Tensor::of<float>({4, 4}, {0, 0, 7, 7, 1.5F, 2.25F, 5, 6.5F, -3, -2, 20, 4, 6, 6, 6, 6});
  for (const bool maximum : {false, true})
    for (const bool half_pixel : {false, true})
      cases.push_back({fmt::format("roi align {} {}", maximum ? "max" : "mean", half_pixel),
                       RoiAlign{.half_pixel = half_pixel,
                                .maximum = maximum,
                                .output_height = 2,
                                .output_width = 3,
                                .sampling_ratio = maximum ? 0 : 2,
                                .spatial_scale = 0.75F},
                       {f32({2, 3, 8, 9}), regions, ints({0, 1, 1, 0})}});
  for (const SampleMode mode : {SampleMode::nearest, SampleMode::linear, SampleMode::cubic})
    for (const SamplePadding padding :
         {SamplePadding::zeros, SamplePadding::border, SamplePadding::reflection})
      cases.push_back(
          {fmt::format("grid sample {} {}", static_cast<int>(mode), static_cast<int>(padding)),
           GridSample{
               .align_corners = padding == SamplePadding::border, .mode = mode, .padding = padding},
           {f32({2, 3, 6, 5}), f32({2, 4, 7, 2}, 2)}});
  cases.push_back(
      {"grid sample of volumes", GridSample{}, {f32({1, 2, 3, 4, 5}), f32({1, 2, 3, 2, 3}, 2)}});
}

void networks(Cases& cases) {
  cases.push_back({"lstm",
                   LSTM{.hidden_size = 8},
                   {f32({5, 2, 6}), f32({1, 32, 6}, 2), f32({1, 32, 8}, 3), f32({1, 64}, 4)},
                   {1, 2, 3},
                   1e-5});
  cases.push_back(
      {"lstm both ways",
       LSTM{.clip = 1.5F, .direction = "bidirectional", .hidden_size = 8},
       {f32({5, 2, 6}), f32({2, 32, 6}, 2), f32({2, 32, 8}, 3), f32({2, 64}, 4),
        Tensor::of<int32_t>({2}, {3, 5}), f32({2, 2, 8}, 5), f32({2, 2, 8}, 6), f32({2, 24}, 7)},
       {1, 2, 3},
       1e-5});
  cases.push_back({"gru",
                   GRU{.hidden_size = 8},
                   {f32({5, 2, 6}), f32({1, 24, 6}, 2), f32({1, 24, 8}, 3), f32({1, 48}, 4)},
                   {1, 2, 3},
                   1e-5});
  cases.push_back({"gru linear reverse",
                   GRU{.direction = "reverse", .hidden_size = 8, .linear_before_reset = true},
                   {f32({5, 2, 6}),
                    f32({1, 24, 6}, 2),
                    f32({1, 24, 8}, 3),
                    f32({1, 48}, 4),
                    {},
                    f32({1, 2, 8}, 5)},
                   {1, 2, 3},
                   1e-5});
  cases.push_back({"rnn",
                   RNN{.activations = {"LeakyRelu"}, .hidden_size = 8},
                   {f32({5, 2, 6}), f32({1, 8, 6}, 2), f32({1, 8, 8}, 3)},
                   {1, 2},
                   1e-5});
}

// Kernels that read and write runs of channels.
void channels_last(Cases& cases) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const std::string type(name(dtype));
    const double tolerance = dtype == DType::f32   ? sum_tolerance(25)
                             : dtype == DType::f16 ? 0x1p-10
                                                   : 0x1p-7;
    const auto add = [&](std::string text, Op op, Tensors inputs, std::set<size_t> constants) {
      cases.push_back({fmt::format("{} channels last {}", text, type), std::move(op),
                       std::move(inputs), std::move(constants), tolerance, true});
    };
    for (const int64_t channels : {24, 6}) {
      add(fmt::format("conv depthwise {}", channels),
          Conv{.group = channels, .pads = {2, 1, 2, 2}, .strides = {2, 1}},
          {random(dtype, {2, channels, 9, 7}), random(dtype, {channels, 1, 5, 3}, -1, 1, 2),
           random(dtype, {channels}, -1, 1, 3)},
          {1, 2});
      add(fmt::format("max_pool {}", channels),
          MaxPool{.kernel_shape = {3, 3}, .pads = {1, 1, 1, 1}, .strides = {2, 2}},
          {random(dtype, {2, channels, 9, 10})}, {});
      add(fmt::format("average_pool {}", channels),
          AveragePool{.kernel_shape = {3, 2}, .pads = {1, 0, 0, 1}, .strides = {2, 2}},
          {random(dtype, {2, channels, 8, 9})}, {});
      for (const auto mode : {ResizeMode::linear, ResizeMode::cubic})
        add(fmt::format("resize mode {} {}", static_cast<int>(mode), channels),
            Resize{.mode = mode},
            {random(dtype, {1, channels, 7, 9}), {}, floats({1, 1, 2.5F, 0.45F})}, {2});
      add(fmt::format("conv few results {}", channels), Conv{},
          {random(dtype, {1, channels, 7, 6}), random(dtype, {5, channels, 5, 5}, -1, 1, 2)}, {1});
    }
    cases.push_back({"resize planes " + type,
                     Resize{.mode = ResizeMode::linear},
                     {random(dtype, {1, 21, 5, 6}), {}, floats({1, 1, 8, 3})},
                     {2},
                     tolerance});
    cases.push_back({"conv few results " + type,
                     Conv{.pads = {1, 1, 1, 1}},
                     {random(dtype, {1, 20, 9, 8}), random(dtype, {7, 20, 5, 5}, -1, 1, 2)},
                     {1},
                     tolerance});
  }
}

// What the target's passes make of several nodes: a step of a ConvGRU, whose halves are slices, and
// whose Concat has an odd number of channels.
void regions(Cases& cases) {
  for (const DType dtype : {DType::f32, DType::f16}) {
    const Tensor first = random(dtype, {12, 12, 1, 1}, -1, 1, 5);
    const Tensor second = random(dtype, {8, 15, 3, 3}, -1, 1, 6);
    // Six roundings of the type on the way, sums of 12 and 135 products.
    const double tolerance = dtype == DType::f32 ? 2 * sum_tolerance(135) : 6 * 0x1p-10;
    const auto grow = [=](Graph& graph, const Values& in) {
      const auto add = [&](Op op, Values inputs) {
        return graph.insert(nullptr, std::move(op), std::move(inputs));
      };
      Value* gates = add(Conv{}, {in[0], graph.constant(nullptr, first)})->output();
      Node* halves = add(Split{.axis = 1, .num_outputs = 2, .even = true}, {gates});
      Value* state = add(Cast{.to = dtype}, {in[1]})->output();
      Value* reset = add(Mul{}, {halves->output(0), state})->output();
      Value* all = add(Concat{.axis = 1}, {halves->output(1), reset, in[2]})->output();
      Value* next =
          add(Conv{.pads = {1, 1, 1, 1}}, {all, graph.constant(nullptr, second)})->output();
      return add(Cast{.to = DType::f32}, {next})->output();
    };
    cases.push_back({fmt::format("woven {}", name(dtype)),
                     Conv{},
                     {random(dtype, {1, 12, 5, 7}), f32({1, 6, 5, 7}, 2),
                      random(dtype, {1, 3, 5, 7}, -1, 1, 3)},
                     {},
                     tolerance,
                     false,
                     grow});
  }
}

}  // namespace

const std::vector<CudaCase>& cuda_cases() {
  static const std::vector<CudaCase> all = [] {
    init_ops();
    Cases cases;
    pointwise(cases);
    movement(cases);
    windows(cases);
    rows(cases);
    narrow(cases);
    products(cases);
    networks(cases);
    channels_last(cases);
    regions(cases);
    samples(cases);
    conv_cases(cases);
    index_cases(cases);
    quantised_cases(cases);
    signal_cases(cases);
    squeeze_cases(cases);
    return cases;
  }();
  return all;
}

}  // namespace tenrec::test
