// SPDX-License-Identifier: Apache-2.0
#include "ops/softmax.h"

#include <cmath>
#include <limits>

#include "ops/composite/helpers.h"
#include "ops/flatten.h"
#include "ops/reshape.h"
#include "ops/shape.h"
#include "ops/support.h"

namespace tenrec {
namespace {

Types same_type(const Types& in, int64_t axis) {
  const Type& x = required_float(in, 0, "the input");
  if (!x.ranked) return {Type::unranked(x.dtype)};
  if (x.rank() > 0) normalise_axis(axis, x.rank());
  return {Type::tensor(x.dtype, x.shape)};
}

// Calls body(first element, stride, count) for every line along the axis, on doubles in place.
template <class Body>
Tensors along_axis(const Tensor& x, int64_t axis, Body&& body) {
  std::vector<double> values = x.to_doubles();
  const Dims& dims = x.dims();
  const size_t at = dims.empty() ? 0 : static_cast<size_t>(normalise_axis(axis, x.rank()));
  const int64_t count = dims.empty() ? 1 : dims[at];
  const int64_t stride = dims.empty() ? 1 : elements_between(dims, at + 1, dims.size());
  const int64_t outer = elements_between(dims, 0, at);
  for (int64_t o = 0; o < outer && count > 0; ++o) {
    for (int64_t i = 0; i < stride; ++i)
      body(values.data() + o * count * stride + i, stride, count);
  }
  return {Tensor::from_doubles(x.dtype(), dims, values)};
}

double greatest(const double* x, int64_t stride, int64_t count) {
  double top = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < count; ++i) top = std::max(top, x[i * stride]);
  return top;
}

// Before opset 13 the axes from `axis` on count as one.
template <class T>
Values import_softmax(const OnnxNode& node, OnnxContext& context) {
  Value* x = needed_input(context, 0, "the input");
  const int64_t axis = node.integer("axis", node.opset() < 13 ? 1 : -1);
  if (node.opset() >= 13) return context.add(T{.axis = axis}, {x});
  const int64_t rank = x->type.rank();
  const int64_t first = rank == axis ? rank : rank == 0 ? 0 : normalise_axis(axis, rank);
  if (first == rank - 1) return context.add(T{.axis = -1}, {x});
  Value* joined = context.one(Flatten{first}, {x});
  Value* result = context.one(T{.axis = -1}, {joined});
  return context.add(Reshape{.allowzero = true}, {result, context.one(ShapeOf{}, {x})});
}

}  // namespace

Types Softmax::infer(const Types& in) const { return same_type(in, axis); }

Tensors Softmax::eval(const Tensors& in) const {
  return along_axis(in[0], axis, [](double* x, int64_t stride, int64_t count) {
    const double top = greatest(x, stride, count);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += x[i * stride] = std::exp(x[i * stride] - top);
    for (int64_t i = 0; i < count; ++i) x[i * stride] /= sum;
  });
}

Values Softmax::from_onnx(const OnnxNode& node, OnnxContext& context) {
  return import_softmax<Softmax>(node, context);
}

Types LogSoftmax::infer(const Types& in) const { return same_type(in, axis); }

Tensors LogSoftmax::eval(const Tensors& in) const {
  return along_axis(in[0], axis, [](double* x, int64_t stride, int64_t count) {
    const double top = greatest(x, stride, count);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += std::exp(x[i * stride] - top);
    const double shift = top + std::log(sum);
    for (int64_t i = 0; i < count; ++i) x[i * stride] -= shift;
  });
}

Values LogSoftmax::from_onnx(const OnnxNode& node, OnnxContext& context) {
  return import_softmax<LogSoftmax>(node, context);
}

Types Hardmax::infer(const Types& in) const { return same_type(in, axis); }

Tensors Hardmax::eval(const Tensors& in) const {
  return along_axis(in[0], axis, [](double* x, int64_t stride, int64_t count) {
    const double top = greatest(x, stride, count);
    bool found = false;
    for (int64_t i = 0; i < count; ++i) {
      const bool chosen = !found && x[i * stride] == top;
      found = found || chosen;
      x[i * stride] = chosen ? 1 : 0;
    }
  });
}

Values Hardmax::from_onnx(const OnnxNode& node, OnnxContext& context) {
  return import_softmax<Hardmax>(node, context);
}

}  // namespace tenrec
