// SPDX-License-Identifier: Apache-2.0
#include "ops/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <random>

#include "ops/constant_of_shape.h"
#include "ops/support.h"

namespace tenrec {
namespace {

uint64_t mixed(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
  x = (x ^ x >> 27) * 0x94d049bb133111ebU;
  return x ^ x >> 31;
}

uint64_t key_of(const std::optional<float>& seed) {
  if (seed) return mixed(std::bit_cast<uint32_t>(*seed));
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// Draw i of [0, 1).
double unit(uint64_t key, uint64_t i) {
  return static_cast<double>(mixed(key + (i + 1) * 0x9e3779b97f4a7c15U) >> 11) * 0x1p-53;
}

double normal(uint64_t key, uint64_t i) {
  const double radius = std::sqrt(-2 * std::log(1 - unit(key, 2 * i)));
  return radius * std::cos(2 * std::numbers::pi * unit(key, 2 * i + 1));
}

Types shaped(DType dtype, const Types& in) {
  TENREC_CHECK(is_float(dtype), unsupported, "random numbers of type {}; expected a float type",
               name(dtype));
  ConstantOfShape filled;
  filled.value = Tensor(dtype, {1});
  Type type = filled.infer(in)[0];
  type.known = nullptr;
  return {type};
}

template <class Draw>
Tensors drawn(DType dtype, const Tensors& in, const Draw& draw) {
  const Dims dims = in[0].to_ints();
  std::vector<double> values(element_count(dims));
  for (size_t i = 0; i < values.size(); ++i) values[i] = draw(i);
  return {Tensor::from_doubles(dtype, dims, values)};
}

// The shape that the node's attribute names.
Value* shape_attribute(const OnnxNode& node, OnnxContext& context) {
  TENREC_CHECK(node.has("shape"), invalid_model, "attribute 'shape' is missing; it is required");
  const std::vector<int64_t> shape = node.integers("shape");
  return context.constant(Tensor::of({static_cast<int64_t>(shape.size())}, shape));
}

}  // namespace

std::optional<float> random_seed(const OnnxNode& node) {
  return node.has("seed") ? std::optional(node.number("seed", 0)) : std::nullopt;
}

Types RandomUniform::infer(const Types& in) const { return shaped(dtype, in); }

Tensors RandomUniform::eval(const Tensors& in) const {
  const uint64_t key = key_of(seed);
  return drawn(dtype, in, [&](uint64_t i) {
    return static_cast<double>(low) +
           unit(key, i) * (static_cast<double>(high) - static_cast<double>(low));
  });
}

Values RandomUniform::from_onnx(const OnnxNode& node, OnnxContext& context) {
  RandomUniform op;
  op.dtype = node.dtype("dtype", DType::f32);
  op.low = node.number("low", 0);
  op.high = node.number("high", 1);
  op.seed = random_seed(node);
  return context.add(op, {shape_attribute(node, context)});
}

Types RandomNormal::infer(const Types& in) const { return shaped(dtype, in); }

Tensors RandomNormal::eval(const Tensors& in) const {
  const uint64_t key = key_of(seed);
  return drawn(dtype, in, [&](uint64_t i) {
    return static_cast<double>(mean) + normal(key, i) * static_cast<double>(scale);
  });
}

Values RandomNormal::from_onnx(const OnnxNode& node, OnnxContext& context) {
  RandomNormal op;
  op.dtype = node.dtype("dtype", DType::f32);
  op.mean = node.number("mean", 0);
  op.scale = node.number("scale", 1);
  op.seed = random_seed(node);
  return context.add(op, {shape_attribute(node, context)});
}

Types Multinomial::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the probabilities");
  TENREC_CHECK(dtype == DType::i32 || dtype == DType::i64, invalid_model,
               "dtype is {}, expected i32 or i64", name(dtype));
  TENREC_CHECK(sample_size >= 0, invalid_model, "sample_size is {}", sample_size);
  TENREC_CHECK(!x.ranked || x.rank() == 2, invalid_model,
               "the probabilities are {}, expected a row for each sample", x.str());
  return {Type::tensor(dtype, {x.ranked ? x.shape[0] : Dim::fresh("batch"), Dim(sample_size)})};
}

Tensors Multinomial::eval(const Tensors& in) const {
  const uint64_t key = key_of(seed);
  const std::vector<double> x = in[0].to_doubles();
  const int64_t rows = in[0].dims().at(0), classes = in[0].dims().at(1);
  TENREC_CHECK(classes > 0 || rows * sample_size == 0, invalid_input, "there are no classes");
  std::vector<int64_t> out;
  for (int64_t row = 0; row < rows; ++row) {
    const auto first = x.begin() + row * classes;
    const double largest = classes > 0 ? *std::max_element(first, first + classes) : 0;
    std::vector<double> totals;
    double total = 0;
    for (auto it = first; it != first + classes; ++it)
      totals.push_back(total += std::exp(*it - largest));
    for (int64_t i = 0; i < sample_size; ++i) {
      const auto found =
          std::upper_bound(totals.begin(), totals.end(), unit(key, out.size()) * total);
      out.push_back(std::min<int64_t>(found - totals.begin(), classes - 1));
    }
  }
  return {Tensor::from_ints(dtype, {rows, sample_size}, out)};
}

}  // namespace tenrec
