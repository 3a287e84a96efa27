// SPDX-License-Identifier: Apache-2.0
#include "ops/conv_integer.h"
#include "ops/quantize.h"
#include "targets/cuda/case_values.h"

namespace tenrec::test {
namespace {

constexpr auto u8 = DType::u8, i8 = DType::i8;

Tensor bytes(DType dtype, Dims dims, uint64_t seed = 1) {
  return random(dtype, std::move(dims), dtype == DType::u8 ? 0 : -128,
                dtype == DType::u8 ? 256 : 128, seed);
}

void products(Cases& cases) {
  const auto add = [&](std::string text, Tensors inputs, std::set<size_t> constants = {}) {
    cases.push_back(
        {"matmul_integer " + text, MatMulInteger{}, std::move(inputs), std::move(constants)});
  };
  for (const DType a : {u8, i8}) {
    for (const DType b : {u8, i8}) {
      const std::string types = fmt::format("{} {}", name(a), name(b));
      add(types, {bytes(a, {70, 33}), bytes(b, {33, 66}, 2)});
      add("zeros " + types,
          {bytes(a, {2, 5, 33}), bytes(b, {33, 7}, 2), bytes(a, {}, 3), bytes(b, {7}, 4)});
    }
  }
  add("zero of a row",
      {bytes(u8, {5, 9}), bytes(i8, {9, 6}, 2), bytes(u8, {5}, 3), bytes(i8, {1}, 4)}, {1, 3});
  add("zeros of every matrix", {bytes(u8, {2, 3, 4, 9}), bytes(u8, {2, 3, 9, 6}, 2),
                                bytes(u8, {2, 3, 4, 1}, 3), bytes(u8, {2, 3, 1, 6}, 4)});
  add("vector", {bytes(i8, {40}), bytes(u8, {40, 30}, 2), bytes(i8, {}, 3)});
  add("by vector",
      {bytes(u8, {3, 30, 40}), bytes(u8, {40}, 2), bytes(u8, {}, 3), bytes(u8, {}, 4)});
  add("of nothing", {bytes(u8, {0, 4}), bytes(u8, {4, 5}, 2)});
  add("over nothing", {bytes(u8, {3, 0}), bytes(u8, {0, 5}, 2)});

  const auto conv = [&](std::string text, ConvInteger op, Tensors inputs,
                        std::set<size_t> constants = {1}) {
    cases.push_back({"conv_integer " + text, op, std::move(inputs), std::move(constants)});
  };
  conv("u8", {}, {bytes(u8, {2, 3, 8, 7}), bytes(u8, {4, 3, 3, 3}, 2)});
  conv("padded", {.pads = {1, 2, 0, 1}, .strides = {2, 1}},
       {bytes(u8, {1, 3, 8, 7}), bytes(i8, {4, 3, 3, 2}, 2), bytes(u8, {}, 3)});
  conv("zeros by channel", {.dilations = {1, 2}, .group = 2},
       {bytes(i8, {1, 4, 9, 9}), bytes(i8, {6, 2, 3, 3}, 2), bytes(i8, {1}, 3), bytes(i8, {6}, 4)},
       {});
  conv("line", {.auto_pad = AutoPad::same_upper},
       {bytes(u8, {1, 20, 31}), bytes(u8, {5, 20, 5}, 2), bytes(u8, {}, 3), bytes(u8, {}, 4)});
}

// Blocks of 3 along axis 1 of [2, 7, 5], with every type; one parameter for each of 7; one for all.
struct Parameters {
  std::string text;
  Dims dims;
  int64_t axis, block;
  std::vector<DType> types;
};
const std::vector<Parameters>& parameters() {
  static const std::vector<Parameters> all{
      {"single", {}, 1, 0, {DType::u4, DType::f8e4m3fn, DType::f4e2m1}},
      {"by axis", {7}, -2, 0, {u8, DType::i16, DType::i4, DType::f8e5m2}},
      {"by block",
       {2, 3, 5},
       1,
       3,
       {u8, i8, DType::u16, DType::i16, DType::u4, DType::i4, DType::u2, DType::i2, DType::f8e4m3fn,
        DType::f8e4m3fnuz, DType::f8e5m2, DType::f8e5m2fnuz, DType::f4e2m1}}};
  return all;
}

Tensor zero_point(DType dtype, const Dims& dims) {
  if (is_float(dtype)) return random(dtype, dims, 0, 0);
  const bool wide = bit_width(dtype) >= 8;
  return random(dtype, dims, is_signed(dtype) ? -1 : 0, wide ? 9 : 1.99, 3);
}

void quantize(Cases& cases) {
  const Dims dims{2, 7, 5};
  for (const Parameters& p : parameters()) {
    for (const DType to : p.types)
      cases.push_back({fmt::format("quantize_linear {} {}", p.text, name(to)),
                       QuantizeLinear{.axis = p.axis, .block_size = p.block},
                       {random(DType::f32, dims, -40, 40), random(DType::f32, p.dims, 0.1, 2, 2),
                        zero_point(to, p.dims)}});
    if (p.block == 0) continue;
    for (const DType from : {DType::f16, DType::bf16, DType::f64})
      cases.push_back(
          {fmt::format("quantize_linear {} from {}", p.text, name(from)),
           QuantizeLinear{.axis = p.axis, .block_size = p.block, .output_dtype = DType::i4},
           {random(from, dims, -9, 9), random(from, p.dims, 0.5, 2, 2)}});
  }
  cases.push_back({"quantize_linear without saturation",
                   QuantizeLinear{.output_dtype = DType::f8e5m2, .saturate = false},
                   {random(DType::f32, dims, -90000, 90000), random(DType::f32, {}, 0.5, 1, 2)}});
  cases.push_back({"quantize_linear of nothing",
                   QuantizeLinear{.output_dtype = DType::i4},
                   {random(DType::f32, {0, 3}), random(DType::f32, {3}, 0.5, 1, 2)}});
}

void dequantize(Cases& cases) {
  const Dims dims{2, 7, 5};
  for (const Parameters& p : parameters()) {
    std::vector<DType> types = p.types;
    if (p.block > 0) types.push_back(DType::i32);
    for (const DType from : types) {
      const double low = is_signed(from) ? -8 : 0;
      cases.push_back({fmt::format("dequantize_linear {} {}", p.text, name(from)),
                       DequantizeLinear{.axis = p.axis, .block_size = p.block},
                       {random(from, dims, low, is_float(from) || bit_width(from) > 4 ? 100 : 7),
                        random(DType::f32, p.dims, 0.1, 2, 2), zero_point(from, p.dims)}});
    }
    for (const DType to : {DType::f16, DType::bf16})
      cases.push_back({fmt::format("dequantize_linear {} to {}", p.text, name(to)),
                       DequantizeLinear{.axis = p.axis, .block_size = p.block},
                       {random(DType::i4, dims, -8, 8), random(to, p.dims, 0.5, 2, 2)}});
  }
  cases.push_back(
      {"dequantize_linear powers of two",
       DequantizeLinear{.axis = 1, .block_size = 3, .output_dtype = DType::f32},
       {random(DType::f4e2m1, dims, -6, 6), random(DType::f8e8m0, {2, 3, 5}, 0.1, 8, 2)}});
}

}  // namespace

void quantised_cases(Cases& cases) {
  products(cases);
  quantize(cases);
  dequantize(cases);
}

}  // namespace tenrec::test
