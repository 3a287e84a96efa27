// SPDX-License-Identifier: Apache-2.0
#include "ops/normalization.h"

#include <cmath>

#include "ops/elementwise.h"
#include "ops/reshape.h"
#include "ops/support.h"

namespace tenrec {
namespace {

struct Moments {
  double mean = 0, inverse_deviation = 0;
};

Moments moments(const double* x, int64_t count, double epsilon) {
  double mean = 0;
  for (int64_t i = 0; i < count; ++i) mean += x[i];
  mean /= static_cast<double>(count);
  double variance = 0;
  for (int64_t i = 0; i < count; ++i) variance += (x[i] - mean) * (x[i] - mean);
  variance /= static_cast<double>(count);
  return {mean, 1 / std::sqrt(variance + epsilon)};
}

Type like(const Type& x) {
  return x.ranked ? Type::tensor(x.dtype, x.shape) : Type::unranked(x.dtype);
}

void check_channels(const Types& in, size_t i, std::string_view what) {
  const Type& parameter = required_float(in, i, what);
  if (!in[0].ranked || !parameter.ranked) return;
  TENREC_CHECK(in[0].rank() >= 2, invalid_model, "the input is {}, expected batch and channels",
               in[0].str());
  TENREC_CHECK(parameter.rank() == 1, invalid_model, "{} is {}, expected 1-D", what,
               parameter.str());
  check_same_size(parameter.shape[0], in[0].shape[1], what);
}

// Groups of channels normalised together; scale and bias by channel.
Tensors normalise_groups(const Tensors& in, int64_t groups, double epsilon) {
  std::vector<double> x = in[0].to_doubles();
  const std::vector<double> scale = in[1].to_doubles();
  const std::vector<double> bias = in[2].to_doubles();
  const Dims& dims = in[0].dims();
  const int64_t plane = elements_between(dims, 2, dims.size());
  const int64_t channels = dims[1] / std::max<int64_t>(groups, 1);
  for (int64_t g = 0; g < dims[0] * groups && channels * plane > 0; ++g) {
    double* group = x.data() + g * channels * plane;
    const Moments m = moments(group, channels * plane, epsilon);
    for (int64_t i = 0; i < channels * plane; ++i) {
      const auto c = static_cast<size_t>(g % groups * channels + i / plane);
      group[i] = (group[i] - m.mean) * m.inverse_deviation * scale[c] + bias[c];
    }
  }
  return {Tensor::from_doubles(in[0].dtype(), dims, x)};
}

// For every element of the axes from `axis` on: the element of a parameter that broadcasts to them
// (or to the whole input, then `outer` counts).
std::vector<size_t> parameter_elements(const Dims& dims, const Dims& parameter) {
  const Dims strides = row_major_strides(parameter);
  const size_t skip = dims.size() - parameter.size();
  std::vector<size_t> elements;
  elements.reserve(element_count(dims));
  if (element_count(dims) == 0) return elements;
  Dims index(dims.size(), 0);
  do {
    int64_t at = 0;
    for (size_t i = 0; i < parameter.size(); ++i) {
      if (parameter[i] != 1) at += index[skip + i] * strides[i];
    }
    elements.push_back(static_cast<size_t>(at));
  } while (next_index(index, dims));
  return elements;
}

void check_parameter(const Type& x, const Type& parameter, std::string_view what) {
  if (!x.ranked || !parameter.ranked) return;
  TENREC_CHECK(parameter.rank() <= x.rank(), invalid_model, "{} {} has more axes than the input {}",
               what, parameter.str(), x.str());
  const size_t skip = x.shape.size() - parameter.shape.size();
  for (size_t i = 0; i < parameter.shape.size(); ++i) {
    if (parameter.shape[i] != Dim(1)) check_same_size(parameter.shape[i], x.shape[skip + i], what);
  }
}

}  // namespace

Types InstanceNormalization::infer(const Types& in) const {
  required_float(in, 0, "the input");
  check_channels(in, 1, "the scale");
  check_channels(in, 2, "the bias");
  return {like(in[0])};
}

Tensors InstanceNormalization::eval(const Tensors& in) const {
  return normalise_groups(in, in[0].dims()[1], static_cast<double>(epsilon));
}

Types GroupNormalization::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  check_channels(in, 1, "the scale");
  check_channels(in, 2, "the bias");
  TENREC_CHECK(num_groups >= 1, invalid_model, "num_groups is {}, expected at least 1", num_groups);
  TENREC_CHECK(!x.ranked || !x.shape[1].is_const() || x.shape[1].value() % num_groups == 0,
               invalid_model, "{} channels cannot be split into {} groups", x.shape[1].str(),
               num_groups);
  return {like(x)};
}

Tensors GroupNormalization::eval(const Tensors& in) const {
  return normalise_groups(in, num_groups, static_cast<double>(epsilon));
}

Values GroupNormalization::from_onnx(const OnnxNode& node, OnnxContext& context) {
  const GroupNormalization op{.epsilon = node.number("epsilon", 1e-5F),
                              .num_groups = node.integer("num_groups")};
  node.without_effect({"stash_type"});  // sums are never narrower than float32
  Values inputs{context.input(0), context.input(1), context.input(2)};
  for (const Value* value : inputs) TENREC_CHECK(value, invalid_model, "takes 3 inputs");
  if (node.opset() >= 21) return context.add(op, inputs);
  // Opset 18: scale and bias by group; repeat them for every channel of it.
  const Type& x = inputs[0]->type;
  TENREC_CHECK(x.rank() >= 2 && x.shape[1].is_const(), unsupported,
               "the number of channels of {} must be known", x.str());
  const int64_t each = x.shape[1].value() / op.num_groups;
  if (each == 1) return context.add(op, inputs);
  Value* column = context.constant(Tensor::of<int64_t>({2}, {-1, 1}));
  Value* flat = context.constant(Tensor::of<int64_t>({1}, {-1}));
  const std::vector<double> ones(static_cast<size_t>(each), 1.0);
  for (size_t i = 1; i < 3; ++i) {
    Value* repeat = context.constant(Tensor::from_doubles(inputs[i]->type.dtype, {1, each}, ones));
    Value* groups = context.one(Reshape{}, {inputs[i], column});
    inputs[i] = context.one(Reshape{}, {context.one(Mul{}, {groups, repeat}), flat});
  }
  return context.add(op, inputs);
}

Types LayerNormalization::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  check_parameter(x, required_float(in, 1, "the scale"), "the scale");
  if (present(in, 2)) check_parameter(x, required_float(in, 2, "the bias"), "the bias");
  if (!x.ranked) {
    if (!statistics) return {like(x)};
    return {like(x), Type::unranked(stash_type), Type::unranked(stash_type)};
  }
  Shape reduced = x.shape;
  for (auto i = static_cast<size_t>(normalise_axis(axis, x.rank())); i < reduced.size(); ++i) {
    reduced[i] = 1;
  }
  if (!statistics) return {like(x)};
  return {like(x), Type::tensor(stash_type, reduced), Type::tensor(stash_type, reduced)};
}

Tensors LayerNormalization::eval(const Tensors& in) const {
  std::vector<double> x = in[0].to_doubles();
  const Dims& dims = in[0].dims();
  const auto first = static_cast<size_t>(normalise_axis(axis, in[0].rank()));
  const int64_t rows = elements_between(dims, 0, first);
  const int64_t width = elements_between(dims, first, dims.size());
  const std::vector<double> scale = in[1].to_doubles();
  const std::vector<size_t> scale_at = parameter_elements(dims, in[1].dims());
  const bool has_bias = present(in, 2);
  const std::vector<double> bias = has_bias ? in[2].to_doubles() : std::vector<double>{0.0};
  const std::vector<size_t> bias_at =
      has_bias ? parameter_elements(dims, in[2].dims()) : std::vector<size_t>(x.size(), 0);
  std::vector<double> means;
  std::vector<double> inverses;
  for (int64_t row = 0; row < rows; ++row) {
    const Moments m = moments(x.data() + row * width, width, static_cast<double>(epsilon));
    means.push_back(m.mean);
    inverses.push_back(m.inverse_deviation);
    for (auto i = static_cast<size_t>(row * width); i < static_cast<size_t>((row + 1) * width);
         ++i) {
      x[i] = (x[i] - m.mean) * m.inverse_deviation * scale[scale_at[i]] + bias[bias_at[i]];
    }
  }
  Tensors out{Tensor::from_doubles(in[0].dtype(), dims, x)};
  if (!statistics) return out;
  Dims reduced = dims;
  for (size_t i = first; i < reduced.size(); ++i) reduced[i] = 1;
  out.push_back(Tensor::from_doubles(stash_type, reduced, means));
  out.push_back(Tensor::from_doubles(stash_type, reduced, inverses));
  return out;
}

Values LayerNormalization::from_onnx(const OnnxNode& node, OnnxContext& context) {
  const int64_t stash = node.integer("stash_type", 1);
  TENREC_CHECK(stash == 1 || stash == 10 || stash == 11 || stash == 16, invalid_model,
               "stash_type {} is not a float type", stash);
  return context.add(LayerNormalization{.axis = node.integer("axis", -1),
                                        .epsilon = node.number("epsilon", 1e-5F),
                                        .statistics = node.has_output(1) || node.has_output(2),
                                        .stash_type = static_cast<DType>(stash)},
                     context.inputs());
}

Types RMSNormalization::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  check_parameter(x, required_float(in, 1, "the scale"), "the scale");
  if (x.ranked) normalise_axis(axis, x.rank());
  return {like(x)};
}

Tensors RMSNormalization::eval(const Tensors& in) const {
  std::vector<double> x = in[0].to_doubles();
  const Dims& dims = in[0].dims();
  const auto first = static_cast<size_t>(normalise_axis(axis, in[0].rank()));
  const auto rows = static_cast<size_t>(elements_between(dims, 0, first));
  const auto width = static_cast<size_t>(elements_between(dims, first, dims.size()));
  const std::vector<double> scale = in[1].to_doubles();
  const std::vector<size_t> scale_at = parameter_elements(dims, in[1].dims());
  for (size_t row = 0; row < rows; ++row) {
    double square = 0;
    for (size_t i = row * width; i < (row + 1) * width; ++i) square += x[i] * x[i];
    const double root =
        std::sqrt(square / static_cast<double>(width) + static_cast<double>(epsilon));
    for (size_t i = row * width; i < (row + 1) * width; ++i)
      x[i] = x[i] / root * scale[scale_at[i]];
  }
  return {Tensor::from_doubles(in[0].dtype(), dims, x)};
}

Values RMSNormalization::from_onnx(const OnnxNode& node, OnnxContext& context) {
  node.integer("stash_type", 1);  // without effect: the sum is never narrower than float32
  const RMSNormalization op{.axis = node.integer("axis", -1),
                            .epsilon = node.number("epsilon", 1e-5F)};
  Value *x = context.input(0), *scale = context.input(1);
  if (!x || !scale || x->type.dtype == scale->type.dtype) return context.add(op, context.inputs());
  // What is normalised has x's type, the result the scale's.
  Value* one = context.constant(Tensor::from_doubles(x->type.dtype, {1}, std::vector{1.0}));
  Value* normalised = context.add(op, {x, one})[0];
  Value* cast = context.add(Cast{.to = scale->type.dtype}, {normalised})[0];
  return context.add(Mul{}, {cast, scale});
}

Types LRN::infer(const Types& in) const {
  const Type& x = required_float(in, 0, "the input");
  TENREC_CHECK(!x.ranked || x.rank() >= 2, invalid_model,
               "the input is {}, expected batch and channels", x.str());
  TENREC_CHECK(size >= 1, invalid_model, "size is {}, expected at least 1", size);
  return {like(x)};
}

Tensors LRN::eval(const Tensors& in) const {
  const std::vector<double> x = in[0].to_doubles();
  const Dims& dims = in[0].dims();
  const int64_t channels = dims[1];
  const int64_t plane = elements_between(dims, 2, dims.size());
  std::vector<double> y(x.size());
  for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
    const int64_t c = i / plane % channels;
    const int64_t from = std::max<int64_t>(0, c - (size - 1) / 2);
    const int64_t to = std::min(channels - 1, c + size / 2);
    double square = 0;
    for (int64_t other = from; other <= to; ++other) {
      const double value = x[static_cast<size_t>(i + (other - c) * plane)];
      square += value * value;
    }
    const double base =
        static_cast<double>(bias) + static_cast<double>(alpha) / static_cast<double>(size) * square;
    y[static_cast<size_t>(i)] =
        x[static_cast<size_t>(i)] / std::pow(base, static_cast<double>(beta));
  }
  return {Tensor::from_doubles(in[0].dtype(), dims, y)};
}

}  // namespace tenrec
