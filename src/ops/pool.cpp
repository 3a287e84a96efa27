// SPDX-License-Identifier: Apache-2.0
#include "ops/pool.h"

#include <cmath>
#include <limits>

namespace tenrec {
namespace {

Type pooled_type(const Type& x, const Window& window, const std::vector<int64_t>& kernel) {
  if (!x.ranked) return Type::unranked(x.dtype);
  TENREC_CHECK(
      x.rank() == static_cast<int64_t>(kernel.size()) + 2, invalid_model,
      "the input is {}, kernel_shape has {} entries: expected one for every axis behind batch "
      "and channels",
      x.str(), kernel.size());
  for (const int64_t size : kernel) {
    TENREC_CHECK(size >= 1, invalid_model, "kernel_shape holds {}, expected at least 1", size);
  }
  window.check(kernel.size());
  Shape shape{x.shape[0], x.shape[1]};
  for (size_t i = 0; i < kernel.size(); ++i) {
    shape.push_back(window.output(i, x.shape[i + 2], kernel[i]));
  }
  return Type::tensor(x.dtype, std::move(shape));
}

// Calls visit(output element, channel of the input, window) for every window; `offsets` are the
// elements of the channel that the window covers, `positions` counts those in the padding as well,
// but none beyond it (ceil_mode lets a window hang over).
struct PoolWindow {
  std::vector<int64_t> offsets;
  int64_t positions = 0;
};

template <class Visit>
void for_each_window(const Dims& in, const Dims& out, const Window& window,
                     const std::vector<int64_t>& kernel, Visit&& visit) {
  const std::vector<WindowAxis> axes = resolve(window, Dims(in.begin() + 2, in.end()), kernel);
  const Dims spatial_out(out.begin() + 2, out.end());
  const int64_t channels = in[0] * in[1];
  const int64_t in_plane = elements_between(in, 2, in.size());
  const int64_t out_plane = elements_between(out, 2, out.size());
  if (channels == 0 || out_plane == 0) return;
  Dims at(axes.size(), 0);
  int64_t element = 0;
  PoolWindow covered;
  do {
    covered.offsets.clear();
    covered.positions = 0;
    Dims k(axes.size(), 0);
    do {
      int64_t offset = 0;
      bool inside = true;
      bool counted = true;
      for (size_t i = 0; i < axes.size(); ++i) {
        const WindowAxis& axis = axes[i];
        const int64_t x = at[i] * axis.stride - axis.pad_begin + k[i] * axis.dilation;
        inside = inside && x >= 0 && x < axis.in;
        counted = counted && x < axis.in + axis.pad_end;
        offset = offset * axis.in + x;
      }
      if (counted) ++covered.positions;
      if (inside) covered.offsets.push_back(offset);
    } while (next_index(k, kernel));
    for (int64_t channel = 0; channel < channels; ++channel) {
      visit(channel * out_plane + element, channel * in_plane, covered);
    }
    ++element;
  } while (next_index(at, spatial_out));
}

// The same element's number when the spatial axes are stored first axis fastest.
int64_t column_major_offset(int64_t offset, const Dims& in) {
  int64_t result = 0;
  Dims index(in.size() - 2);
  for (size_t i = index.size(); i-- > 0;) {
    index[i] = offset % in[i + 2];
    offset /= in[i + 2];
  }
  for (size_t i = index.size(); i-- > 0;) result = result * in[i + 2] + index[i];
  return result;
}

template <class T>
void read_pool(const OnnxNode& node, OnnxContext& context, T& op) {
  const std::vector<int64_t> kernel = node.integers("kernel_shape");
  TENREC_CHECK(!kernel.empty(), invalid_model, "attribute kernel_shape is missing");
  read_window(node, op, kernel.size());
  op.kernel_shape = kernel;
  op.ceil_mode = node.integer("ceil_mode", 0) != 0;
  (void)context;
}

}  // namespace

Types MaxPool::infer(const Types& in) const {
  const Type y = pooled_type(required(in, 0, "the input"), window(), kernel_shape);
  if (!indices) return {y};
  return {y, y.ranked ? Type::tensor(DType::i64, y.shape) : Type::unranked(DType::i64)};
}

Tensors MaxPool::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const std::vector<double> x = in[0].to_doubles();
  // A window that lies in the padding alone gives the type's lowest value.
  const Tensor lowest = Tensor::from_ints(
      in[0].dtype(), {1}, std::vector<int64_t>{in[0].dtype() == DType::i8 ? -128 : 0});
  const double floor =
      is_float(in[0].dtype()) ? -std::numeric_limits<double>::infinity() : lowest.to_doubles()[0];
  std::vector<double> y(element_count(out), floor);
  std::vector<int64_t> where(indices ? y.size() : 0, 0);
  for_each_window(in[0].dims(), out, window(), kernel_shape,
                  [&](int64_t to, int64_t channel, const PoolWindow& covered) {
                    int64_t best = -1;
                    for (const int64_t offset : covered.offsets) {
                      const double value = x[static_cast<size_t>(channel + offset)];
                      if (best >= 0 && !(value > y[static_cast<size_t>(to)])) continue;
                      y[static_cast<size_t>(to)] = value;
                      best = offset;
                    }
                    if (!indices) return;
                    if (column_major && best >= 0) best = column_major_offset(best, in[0].dims());
                    where[static_cast<size_t>(to)] = best < 0 ? -1 : channel + best;
                  });
  Tensors result{Tensor::from_doubles(in[0].dtype(), out, y)};
  if (indices) result.push_back(Tensor::from_ints(DType::i64, out, where));
  return result;
}

Values MaxPool::from_onnx(const OnnxNode& node, OnnxContext& context) {
  MaxPool op;
  read_pool(node, context, op);
  op.column_major = node.integer("storage_order", 0) != 0;
  op.indices = node.has_output(1);
  return context.add(op, {context.input(0)});
}

Types AveragePool::infer(const Types& in) const {
  return {pooled_type(required_float(in, 0, "the input"), window(), kernel_shape)};
}

Tensors AveragePool::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const std::vector<double> x = in[0].to_doubles();
  std::vector<double> y(element_count(out), 0.0);
  for_each_window(in[0].dims(), out, window(), kernel_shape,
                  [&](int64_t to, int64_t channel, const PoolWindow& covered) {
                    double sum = 0;
                    for (const int64_t offset : covered.offsets) {
                      sum += x[static_cast<size_t>(channel + offset)];
                    }
                    const auto inside = static_cast<int64_t>(covered.offsets.size());
                    const int64_t count = count_include_pad ? covered.positions : inside;
                    y[static_cast<size_t>(to)] = count == 0 ? 0 : sum / static_cast<double>(count);
                  });
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

Values AveragePool::from_onnx(const OnnxNode& node, OnnxContext& context) {
  AveragePool op;
  read_pool(node, context, op);
  op.count_include_pad = node.integer("count_include_pad", 0) != 0;
  return context.add(op, {context.input(0)});
}

Types LpPool::infer(const Types& in) const {
  TENREC_CHECK(p >= 1, invalid_model, "p is {}, expected at least 1", p);
  return {pooled_type(required_float(in, 0, "the input"), window(), kernel_shape)};
}

Tensors LpPool::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const std::vector<double> x = in[0].to_doubles();
  std::vector<double> y(element_count(out), 0.0);
  const auto power = static_cast<double>(p);
  for_each_window(in[0].dims(), out, window(), kernel_shape,
                  [&](int64_t to, int64_t channel, const PoolWindow& covered) {
                    double sum = 0;
                    for (const int64_t offset : covered.offsets) {
                      sum += std::pow(std::abs(x[static_cast<size_t>(channel + offset)]), power);
                    }
                    y[static_cast<size_t>(to)] = std::pow(sum, 1 / power);
                  });
  return {Tensor::from_doubles(in[0].dtype(), out, y)};
}

Values LpPool::from_onnx(const OnnxNode& node, OnnxContext& context) {
  LpPool op;
  read_pool(node, context, op);
  // Opset 1 had a float p.
  op.p = node.opset() < 2 ? static_cast<int64_t>(node.number("p", 2)) : node.integer("p", 2);
  return context.add(op, {context.input(0)});
}

}  // namespace tenrec
