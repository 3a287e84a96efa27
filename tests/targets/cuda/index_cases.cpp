// SPDX-License-Identifier: Apache-2.0
// Cases of what indices, lists and late values direct: moves, choices, windows turned round.
#include "ops/center_crop_pad.h"
#include "ops/col2im.h"
#include "ops/compress.h"
#include "ops/constant_of_shape.h"
#include "ops/deform_conv.h"
#include "ops/eye_like.h"
#include "ops/grid_sample.h"
#include "ops/matmul.h"
#include "ops/max_unpool.h"
#include "ops/non_zero.h"
#include "ops/normalization.h"
#include "ops/pad.h"
#include "ops/reduce.h"
#include "ops/resize.h"
#include "ops/reverse_sequence.h"
#include "ops/roi.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/tensor_scatter.h"
#include "ops/tf_idf_vectorizer.h"
#include "ops/transpose.h"
#include "ops/unique.h"
#include "targets/cuda/case_values.h"

namespace tenrec::test {
namespace {

Tensor bools(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Tensor::from_ints(DType::boolean, {count}, values);
}
Tensor narrow_ints(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Tensor::from_ints(DType::i32, {count}, values);
}

void choices(Cases& cases) {
  for (const DType dtype : {DType::f32, DType::f16, DType::u8}) {
    const std::string type(name(dtype));
    const Tensor x = random(dtype, {3, 5, 4}, 0, 9);
    cases.push_back(
        {"compress flat " + type, Compress{}, {x, random(DType::boolean, {60}, 0, 2, 2)}});
    cases.push_back({"compress axis 1 " + type, Compress{.axis = 1}, {x, bools({0, 1, 1, 0, 1})}});
    cases.push_back({"compress last axis, few " + type, Compress{.axis = -1}, {x, bools({1, 0})}});
  }
  cases.push_back({"compress nothing", Compress{.axis = 0}, {f32({4, 3}), bools({0, 0, 0, 0})}});
  cases.push_back({"compress of nothing", Compress{.axis = 0}, {f32({3, 0}), bools({1, 0, 1})}});
  for (const float x : {0.0F, 2.0F})
    cases.push_back({fmt::format("non_zero of a scalar {}", x), NonZero{}, {Tensor::scalar(x)}});
  cases.push_back({"compress many",
                   Compress{.axis = 0},
                   {f32({1000, 3}), random(DType::boolean, {1000}, 0, 2, 2)}});

  for (const DType dtype : {DType::f32, DType::f16, DType::f64, DType::bf16, DType::i8, DType::i64,
                            DType::u64, DType::u8, DType::boolean}) {
    const std::string type(name(dtype));
    cases.push_back(
        {"unique " + type,
         Unique{},
         {Tensor::from_ints(dtype, {9}, std::vector<int64_t>{3, 1, 0, 3, 2, 1, 1, 0, 5})}});
  }
  for (const bool sorted : {true, false})
    cases.push_back(
        {sorted ? "unique rows" : "unique rows, as they come",
         Unique{.axis = 0, .sorted = sorted},
         {Tensor::from_ints(DType::f32, {4, 2}, std::vector<int64_t>{2, 1, 0, 1, 2, 1, 0, 0})}});
  for (const bool sorted : {true, false})
    for (const int64_t count : {5000, 70000})
      cases.push_back({fmt::format("unique of {}{}", count, sorted ? "" : ", as they come"),
                       Unique{.axis = {}, .sorted = sorted},
                       {random(DType::i32, {count}, -900, 900)}});
  const float nan = std::nanf("");
  cases.push_back(
      {"unique NaN", Unique{}, {floats({nan, 1, -0.0F, 0, nan, -INFINITY, 1, INFINITY})}});
  cases.push_back(
      {"unique middle axis", Unique{.axis = -2}, {random(DType::i32, {2, 40, 2}, 0, 2)}});
  cases.push_back({"unique one", Unique{}, {f32({1})}});
  cases.push_back({"unique of nothing", Unique{}, {f32({0})}});
}

void moves(Cases& cases) {
  for (const DType dtype : {DType::f32, DType::f16, DType::u8}) {
    const std::string type(name(dtype));
    cases.push_back({"reverse_sequence time first " + type,
                     ReverseSequence{},
                     {random(dtype, {5, 4, 3}, 0, 9), ints({5, 0, 1, 3})}});
    cases.push_back({"reverse_sequence batch first " + type,
                     ReverseSequence{.batch_axis = 0, .time_axis = -1},
                     {random(dtype, {3, 2, 7}, 0, 9), ints({7, 2, 6})}});
    cases.push_back(
        {"tensor_scatter " + type,
         TensorScatter{},
         {random(dtype, {2, 3, 8, 4}, 0, 9), random(dtype, {2, 3, 2, 4}, 0, 9, 2), ints({6, 1})}});
    cases.push_back(
        {"tensor_scatter circular " + type,
         TensorScatter{.axis = 1, .mode = "circular"},
         {random(dtype, {2, 5, 3}, 0, 9), random(dtype, {2, 4, 3}, 0, 9, 2), ints({3, 9})}});
    cases.push_back({"center_crop_pad " + type,
                     CenterCropPad{.axes = {-1, 0}},
                     {random(dtype, {7, 3, 4}, 0, 9), ints({9, 4})},
                     {1}});
    cases.push_back({"max_unpool " + type,
                     MaxUnpool{.kernel_shape = {2, 2}, .strides = {2, 2}},
                     {random(dtype, {1, 2, 2, 3}, 0, 9),
                      Tensor::of({1, 2, 2, 3}, std::vector<int64_t>{0, 3, 4, 13, 14, 17, 25, 26, 29,
                                                                    36, 39, 47})}});
  }
  cases.push_back(
      {"tensor_scatter at the start", TensorScatter{}, {f32({2, 4, 3}), f32({2, 2, 3}, 2)}});
  cases.push_back({"tensor_scatter round and round",
                   TensorScatter{.axis = 1, .mode = "circular"},
                   {f32({2, 3, 3}), f32({2, 7, 3}, 2), ints({1, 2})}});
  cases.push_back({"center_crop_pad odd", CenterCropPad{}, {f32({7, 4}), ints({4, 7})}, {1}});
  cases.push_back({"center_crop_pad late", CenterCropPad{}, {f32({7, 4}), ints({10, 1})}});
  const auto places = Tensor::of({1, 1, 2, 2}, std::vector<int64_t>{5, 7, 8, 15});
  cases.push_back({"max_unpool larger",
                   MaxUnpool{.kernel_shape = {2, 2}, .strides = {2, 2}},
                   {f32({1, 1, 2, 2}), places, ints({1, 1, 5, 6})},
                   {2}});
  cases.push_back({"max_unpool late shape",
                   MaxUnpool{.kernel_shape = {2, 2}, .strides = {2, 2}},
                   {f32({1, 1, 2, 2}), places, ints({1, 1, 5, 5})}});
  cases.push_back(
      {"max_unpool 1-D",
       MaxUnpool{.kernel_shape = {3}, .pads = {1, 0}, .strides = {2}},
       {f32({2, 1, 3}), Tensor::of({2, 1, 3}, std::vector<int64_t>{0, 2, 5, 6, 9, 11})}});
  const auto eye = [&](DType dtype, int64_t k) {
    cases.push_back({fmt::format("eye_like {} {}", name(dtype), k),
                     EyeLike{.dtype = dtype, .k = k},
                     {random(DType::i32, {3, 5})}});
  };
  for (const DType dtype : {DType::f16, DType::i64, DType::u8, DType::boolean}) eye(dtype, 1);
  for (const int64_t k : {0, 2, -1, 9}) eye(DType::f32, k);
}

void late_values(Cases& cases) {
  const Tensor x = f32({7, 9, 4});
  cases.push_back(
      {"slice late", Slice{}, {x, ints({1, -2}), ints({6, -9}), ints({-3, 1}), ints({2, -3})}});
  cases.push_back({"slice late axes", Slice{}, {x, ints({-3}), ints({99}), ints({-2})}, {1, 2}});
  cases.push_back({"slice late 32 bits",
                   Slice{},
                   {x, narrow_ints({0, 8}), narrow_ints({5, -99}), narrow_ints({-1, 1}),
                    narrow_ints({3, -1})}});
  cases.push_back({"slice late, no axes", Slice{}, {x, ints({2, 3}), ints({5, 9})}});
  cases.push_back({"slice late, nothing", Slice{}, {x, ints({5}), ints({2}), ints({1})}});
  for (const std::string mode : {"constant", "reflect", "edge", "wrap"})
    cases.push_back({"pad late axes " + mode,
                     Pad{.mode = mode},
                     {f32({3, 5, 4}), ints({2, 1, -1, 3}), {}, ints({-1, 1})}});
  cases.push_back({"pad late axes of known pads",
                   Pad{},
                   {f32({3, 5}), ints({2, 1}), floats({7}), narrow_ints({-1})},
                   {1}});
  cases.push_back({"pad late", Pad{}, {f32({3, 5}), ints({2, 1, -1, 3})}});
}

void images(Cases& cases) {
  const Tensor x = f32({1, 2, 5, 6}), wide = f32({1, 2, 7, 4}, 3);
  const auto add = [&](std::string text, Resize op, Tensors inputs, std::set<size_t> constants) {
    cases.push_back({"resize " + std::move(text), op, std::move(inputs), std::move(constants)});
  };
  for (const auto mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic}) {
    const std::string text = fmt::format("mode {} ", static_cast<int>(mode));
    const bool cubic = mode == ResizeMode::cubic;
    // Sums of 4 or 16 elements; a cubic weight rounds several times and cancels.
    const double tolerance = cubic ? 64 * 0x1p-23 : 8 * 0x1p-23;
    add(text + "late scales", Resize{.mode = mode}, {x, {}, floats({1, 1, 1.7F, 0.6F})}, {});
    add(text + "late sizes", Resize{.mode = mode}, {x, {}, {}, ints({1, 2, 8, 3})}, {});
    for (const auto aspect : {ResizeAspect::not_larger, ResizeAspect::not_smaller})
      for (const bool late : {false, true}) {
        add(fmt::format("{}aspect {}{}", text, static_cast<int>(aspect), late ? " late" : ""),
            Resize{.axes = {3, 2}, .keep_aspect_ratio_policy = aspect, .mode = mode},
            {wide, {}, {}, ints({9, 11})}, late ? std::set<size_t>{} : std::set<size_t>{3});
      }
    add(text + "late region",
        Resize{.axes = {2, 3},
               .coordinate = ResizeCoordinate::tf_crop_and_resize,
               .extrapolation_value = 5,
               .mode = mode},
        {x, floats({0.4F, -0.2F, 0.9F, 1.3F}), {}, ints({4, 7})}, {3});
    for (size_t i = cases.size() - 7; i < cases.size(); ++i) cases[i].tolerance = tolerance;
  }
  add("late scales that stay",
      Resize{.coordinate = ResizeCoordinate::tf_half_pixel_for_nn,
             .nearest = ResizeNearest::round_prefer_ceil},
      {x, {}, floats({1, 1, 2, 1})}, {});
  for (const DType dtype : {DType::u8, DType::i8, DType::i32})
    for (const auto mode : {ResizeMode::nearest, ResizeMode::linear})
      add(fmt::format("{} mode {}", name(dtype), static_cast<int>(mode)), Resize{.mode = mode},
          {random(dtype, {1, 3, 5, 6}, 0, 120), {}, floats({1, 1, 1.7F, 2.3F})}, {2});
}

void grids_and_regions(Cases& cases) {
  for (const bool align : {false, true}) {
    const std::string text = align ? " aligned" : "";
    const AffineGrid op{.align_corners = align};
    cases.push_back({"affine_grid" + text, op, {f32({2, 2, 3}), ints({2, 3, 4, 5})}, {1}});
    cases.push_back({"affine_grid late" + text, op, {f32({1, 2, 3}), ints({1, 3, 4, 1})}});
    cases.push_back(
        {"affine_grid of volumes" + text, op, {f32({2, 3, 4}), ints({2, 1, 3, 1, 5})}, {1}});
    cases.push_back(
        {"affine_grid f16" + text, op, {random(DType::f16, {2, 2, 3}), ints({2, 3, 4, 5})}, {1}});
  }
  const Tensor regions = Tensor::of(
      {4, 5},
      std::vector<float>{0, 1, 1, 5.4F, 6, 1, 0, 2, 7, 3, 1, 6, 5, 2, 2, 0, -3, -2, 20, 20});
  for (const DType dtype : {DType::f32, DType::f16, DType::f64})
    for (const float scale : {1.0F, 0.5F})
      cases.push_back({fmt::format("max_roi_pool {} {}", name(dtype), scale),
                       MaxRoiPool{.pooled_shape = {3, 2}, .spatial_scale = scale},
                       {random(dtype, {2, 3, 8, 9}),
                        Tensor::from_doubles(dtype, {4, 5}, regions.to_doubles())}});
  // Sums of up to 5 squares, a power and a quotient.
  const auto lrn = [&](DType dtype, int64_t size) {
    cases.push_back({fmt::format("lrn {} {}", name(dtype), size),
                     LRN{.alpha = 0.3F, .beta = 0.6F, .bias = 1.5F, .size = size},
                     {random(dtype, {2, 5, 3, 4})},
                     {},
                     dtype == DType::f32 ? 16 * 0x1p-23 : -1});
  };
  for (const DType dtype : {DType::f16, DType::bf16, DType::f64}) lrn(dtype, 3);
  for (const int64_t size : {1, 3, 4, 9}) lrn(DType::f32, size);
}

void windows_turned_round(Cases& cases) {
  // Up to 9 columns meet, each sum rounds.
  const double tolerance = 9 * 0x1p-23;
  for (const DType dtype : {DType::f32, DType::f16, DType::f64, DType::i32, DType::u8})
    cases.push_back({fmt::format("col2im {}", name(dtype)),
                     Col2Im{},
                     {random(dtype, {2, 18, 12}, 0, 5), ints({5, 6}), ints({3, 3})},
                     {1, 2},
                     dtype == DType::f32 ? tolerance : -1});
  cases.push_back({"col2im pads, strides, dilations",
                   Col2Im{.dilations = {1, 2}, .pads = {1, 0, 0, 2}, .strides = {2, 1}},
                   {f32({1, 12, 18}), ints({6, 6}), ints({2, 2})},
                   {1, 2},
                   tolerance});
  cases.push_back(
      {"col2im late", Col2Im{}, {f32({1, 12, 15}), ints({4, 6}), ints({2, 2})}, {}, tolerance});
  cases.push_back({"col2im line",
                   Col2Im{.strides = {2}},
                   {f32({2, 6, 3}), ints({7}), ints({3})},
                   {1, 2},
                   tolerance});
  cases.push_back({"col2im volume",
                   Col2Im{},
                   {f32({1, 8, 12}), ints({3, 4, 3}), ints({2, 2, 2})},
                   {1, 2},
                   tolerance});
}

void deformed_and_determinants(Cases& cases) {
  for (const DType dtype : {DType::f32, DType::f16, DType::f64}) {
    const std::string type(name(dtype));
    const double tolerance = dtype == DType::f16   ? 0x1p-9
                             : dtype == DType::f32 ? sum_tolerance(36)
                                                   : -1;
    cases.push_back({"deform_conv " + type,
                     DeformConv{.pads = {1, 1, 1, 1}},
                     {random(dtype, {2, 4, 5, 6}), random(dtype, {20, 4, 3, 3}, -1, 1, 2),
                      random(dtype, {2, 18, 5, 6}, -1, 1, 3), random(dtype, {20}, -1, 1, 4),
                      random(dtype, {2, 9, 5, 6}, 0, 1, 5)},
                     {1},
                     tolerance});
    cases.push_back(
        {"deform_conv groups " + type,
         DeformConv{.dilations = {1, 2}, .group = 2, .offset_group = 2, .strides = {2, 1}},
         {random(dtype, {1, 4, 6, 7}), random(dtype, {6, 2, 2, 2}, -1, 1, 2),
          random(dtype, {1, 16, 3, 5}, -2, 2, 3)},
         {1},
         tolerance});
  }
  cases.push_back({"deform_conv line",
                   DeformConv{},
                   {f32({1, 2, 9}), f32({3, 2, 3}, 2), f32({1, 3, 7}, 3)},
                   {1},
                   sum_tolerance(6)});
  // Computed in double either way; the compiler may fuse on one side.
  for (const DType dtype : {DType::f32, DType::f16, DType::f64})
    for (const int64_t n : {1, 2, 5, 70})
      cases.push_back({fmt::format("det {} {}", name(dtype), n),
                       Det{},
                       {random(dtype, {2, 3, n, n}, -0.3, 0.3)},
                       {},
                       dtype == DType::f64 ? 1e-12 : -1});
  cases.push_back({"det of zeros", Det{}, {Tensor(DType::f32, {2, 3, 3})}});
  cases.push_back({"det of nothing", Det{}, {f32({2, 0, 0})}});
}

void ngrams(Cases& cases) {
  TfIdfVectorizer op{.max_gram_length = 2,
                     .max_skip_count = 1,
                     .ngram_counts = {0, 3},
                     .ngram_indexes = {0, 2, 2, 4, 1},
                     .pool_int64s = {1, 2, 3, 1, 2, 3, 3},
                     .pool_strings = {},
                     .weights = {0.5F, 2, 3, 1.5F, 1}};
  for (const char* mode : {"TF", "IDF", "TFIDF"}) {
    op.mode = mode;
    cases.push_back({fmt::format("ngrams {}", mode), op, {random(DType::i32, {3, 9}, 1, 4)}});
  }
  cases.push_back({"ngrams of a line", op, {random(DType::i64, {7}, 1, 4)}});
}

// Roots and logarithms of integers are cut off.
void whole_reductions(Cases& cases) {
  for (const ReduceKind kind : {ReduceKind::l2, ReduceKind::log_sum, ReduceKind::log_sum_exp})
    for (const DType dtype : {DType::i32, DType::u64})
      cases.push_back({fmt::format("reduce {} {}", static_cast<int>(kind), name(dtype)),
                       Reduce{.kind = kind},
                       {random(dtype, {4, 3, 5}, 1, 9), ints({0, 2})},
                       {1}});
  cases.push_back({"reduce late i32",
                   Reduce{.kind = ReduceKind::l2},
                   {random(DType::i32, {4, 3, 5}), ints({-1})}});
  cases.push_back({"mean of integers, maybe none",
                   Reduce{.kind = ReduceKind::mean},
                   {random(DType::i32, {4, 3}, -9, 9), ints({1})},
                   {1}});
}

void whole_products(Cases& cases) {
  for (const DType dtype : {DType::i32, DType::i64, DType::u32, DType::u64}) {
    const double low = is_signed(dtype) ? -2e9 : 0;
    cases.push_back({fmt::format("matmul {}", name(dtype)),
                     MatMul{},
                     {random(dtype, {2, 5, 70}, low, 2e9), random(dtype, {70, 9}, low, 2e9, 2)}});
  }
}

// Elements of less than a byte: the target moves bytes between two casts.
void packed_moves(Cases& cases) {
  const auto add = [&](const std::string& text, DType dtype, Op op, Tensors lists) {
    const auto grow = [=](Graph& graph, const Values& in) {
      Values inputs = in;
      for (const Tensor& list : lists) inputs.push_back(graph.constant(nullptr, list));
      return graph.insert(nullptr, op, inputs)->output();
    };
    cases.push_back({fmt::format("{} {}", text, name(dtype)),
                     op,
                     {random(dtype, {3, 5, 3}, is_signed(dtype) || is_float(dtype) ? -2 : 0, 2)},
                     {},
                     0,
                     false,
                     grow});
  };
  for (const DType dtype : {DType::i4, DType::u4, DType::i2, DType::f4e2m1}) {
    add("transpose", dtype, Transpose{.perm = {2, 0, 1}}, {});
    add("pad", dtype, Pad{}, {ints({0, 1, 2, 1, -1, 0})});
  }
  cases.push_back(
      {"constant_of_shape i4",
       ConstantOfShape{},
       {f32({3, 5})},
       {},
       0,
       false,
       [](Graph& graph, const Values& in) {
         Value* shape = graph.insert(nullptr, ShapeOf{}, {in[0]})->output();
         const Tensor value = Tensor::from_ints(DType::i4, {1}, std::vector<int64_t>{-3});
         return graph.insert(nullptr, ConstantOfShape{.value = value}, {shape})->output();
       }});
}

}  // namespace

void index_cases(Cases& cases) {
  choices(cases);
  moves(cases);
  late_values(cases);
  images(cases);
  grids_and_regions(cases);
  windows_turned_round(cases);
  deformed_and_determinants(cases);
  packed_moves(cases);
  whole_products(cases);
  ngrams(cases);
  whole_reductions(cases);
}

}  // namespace tenrec::test
