// SPDX-License-Identifier: Apache-2.0
#include "ops/topk.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/support.h"

namespace tenrec {
namespace {

// NaN counts as greater than every number, so that the order is total.
bool greater(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
  return a > b;
}
bool greater(int64_t a, int64_t b) { return a > b; }

template <class T>
void select(const TopK& op, const std::vector<T>& x, const Dims& dims, size_t axis, int64_t k,
            std::vector<T>& values, std::vector<int64_t>& indices) {
  const int64_t outer = elements_between(dims, 0, axis);
  const int64_t inner = elements_between(dims, axis + 1, dims.size());
  values.resize(static_cast<size_t>(outer * k * inner));
  indices.resize(values.size());
  std::vector<int64_t> order(static_cast<size_t>(dims[axis]));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      const T* line = x.data() + o * dims[axis] * inner + i;
      std::iota(order.begin(), order.end(), int64_t{0});
      std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t a, int64_t b) {
        const T left = line[a * inner];
        const T right = line[b * inner];
        if (op.largest ? greater(left, right) : greater(right, left)) return true;
        if (op.largest ? greater(right, left) : greater(left, right)) return false;
        return a < b;
      });
      for (int64_t j = 0; j < k; ++j) {
        const auto to = static_cast<size_t>((o * k + j) * inner + i);
        indices[to] = order[static_cast<size_t>(j)];
        values[to] = line[indices[to] * inner];
      }
    }
  }
}

}  // namespace

Types TopK::infer(const Types& in) const {
  const Type& x = required(in, 0, "the input");
  const Type& count = required(in, 1, "k");
  if (!x.ranked) return {Type::unranked(x.dtype), Type::unranked(DType::i64)};
  const auto at = static_cast<size_t>(normalise_axis(axis, x.rank()));
  const std::vector<Dim>* known = count.known_ints();
  TENREC_CHECK(!known || known->size() == 1, invalid_model, "k is {}, expected one integer",
               count.str());
  Shape shape = x.shape;
  const Dim k = known ? (*known)[0] : Dim::fresh("k", 0, x.shape[at].upper());
  TENREC_CHECK(
      !k.is_const() || !shape[at].is_const() || (k.value() >= 0 && k.value() <= shape[at].value()),
      invalid_model, "k is {}, but axis {} of {} has {} elements", k.str(), axis, x.str(),
      shape[at].str());
  shape[at] = k;
  return {Type::tensor(x.dtype, shape), Type::tensor(DType::i64, shape)};
}

Tensors TopK::eval(const Tensors& in) const {
  const Dims out = dims_of(actual_outputs(*this, in)[0]);
  const auto at = static_cast<size_t>(normalise_axis(axis, in[0].rank()));
  const int64_t k = out[at];
  std::vector<int64_t> indices;
  if (is_float(in[0].dtype())) {
    std::vector<double> values;
    select(*this, in[0].to_doubles(), in[0].dims(), at, k, values, indices);
    return {Tensor::from_doubles(in[0].dtype(), out, values),
            Tensor::from_ints(DType::i64, out, indices)};
  }
  std::vector<int64_t> values;
  select(*this, in[0].to_ints(), in[0].dims(), at, k, values, indices);
  return {Tensor::from_ints(in[0].dtype(), out, values),
          Tensor::from_ints(DType::i64, out, indices)};
}

Values TopK::from_onnx(const OnnxNode& node, OnnxContext& context) {
  TopK op{.axis = node.integer("axis", -1),
          .largest = node.integer("largest", 1) != 0,
          .sorted = node.integer("sorted", 1) != 0};
  Value* k = node.opset() >= 10 ? context.input(1)
                                : context.constant(Tensor::of<int64_t>({1}, {node.integer("k")}));
  return context.add(op, {context.input(0), k});
}

}  // namespace tenrec
