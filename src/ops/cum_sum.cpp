// SPDX-License-Identifier: Apache-2.0
#include "ops/cum_sum.h"

#include <functional>

namespace tenrec {
namespace {

template <class T, class Combine>
std::vector<T> running(const Cumulative& op, const std::vector<T>& x, const Dims& dims,
                       int64_t axis, T start, const Combine& combine) {
  const int64_t stride = row_major_strides(dims)[static_cast<size_t>(axis)];
  const int64_t size = dims[static_cast<size_t>(axis)];
  std::vector<T> out(x.size());
  for (size_t flat = 0; flat < x.size(); ++flat) {
    const auto first = static_cast<int64_t>(flat);
    if (first / stride % size != 0) continue;
    T total = start;
    for (int64_t step = 0; step < size; ++step) {
      const auto at = static_cast<size_t>(first + (op.reverse ? size - 1 - step : step) * stride);
      if (op.exclusive) out[at] = total;
      total = combine(total, x[at]);
      if (!op.exclusive) out[at] = total;
    }
  }
  return out;
}

template <class Combine>
Tensors cumulative(const Cumulative& op, const Tensors& in, int start, const Combine& combine) {
  const Dims& dims = in[0].dims();
  const int64_t axis = normalise_axis(in[1].to_ints().at(0), in[0].rank());
  if (is_float(in[0].dtype())) {
    const auto out =
        running(op, in[0].to_doubles(), dims, axis, static_cast<double>(start), combine);
    return {Tensor::from_doubles(in[0].dtype(), dims, out)};
  }
  // Unsigned numbers wrap without undefined behaviour; the element type cuts them to its width.
  const std::vector<int64_t> ints = in[0].to_ints();
  const auto wrapped = running(op, std::vector<uint64_t>(ints.begin(), ints.end()), dims, axis,
                               static_cast<uint64_t>(start), combine);
  const std::vector<int64_t> out(wrapped.begin(), wrapped.end());
  return {Tensor::from_ints(in[0].dtype(), dims, out)};
}

}  // namespace

Types Cumulative::infer(const Types& in) const {
  check_input_count(in, 2, 2, "a running total");
  const Type& x = tensor_input(in, 0, "a running total");
  return {x.ranked ? Type::tensor(x.dtype, x.shape) : x};
}

Tensors Cumulative::sums(const Tensors& in) const {
  return cumulative(*this, in, 0, std::plus<>());
}

Tensors Cumulative::products(const Tensors& in) const {
  return cumulative(*this, in, 1, std::multiplies<>());
}

}  // namespace tenrec
