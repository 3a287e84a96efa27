// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// Running sums along the axis that input 1 names.
struct CumSum {
  bool exclusive = false;  // the element itself is left out
  bool reverse = false;    // from the end
  static auto fields(auto& s) {
    return std::tuple{field(1, "exclusive", s.exclusive), field(2, "reverse", s.reverse)};
  }

  Types infer(const Types& in) const {
    check_input_count(in, 2, 2, "CumSum");
    const Type& x = tensor_input(in, 0, "CumSum");
    return {x.ranked ? Type::tensor(x.dtype, x.shape) : x};
  }

  Tensors eval(const Tensors& in) const {
    const Dims& dims = in[0].dims();
    const int64_t axis = normalise_axis(in[1].to_ints().at(0), in[0].rank());
    if (is_float(in[0].dtype())) {
      return {Tensor::from_doubles(in[0].dtype(), dims, sums(in[0].to_doubles(), dims, axis))};
    }
    // Unsigned sums wrap without undefined behaviour; the element type cuts them to its width.
    const std::vector<int64_t> ints = in[0].to_ints();
    const auto wrapped = sums(std::vector<uint64_t>(ints.begin(), ints.end()), dims, axis);
    const std::vector<int64_t> out(wrapped.begin(), wrapped.end());
    return {Tensor::from_ints(in[0].dtype(), dims, out)};
  }

 private:
  template <class T>
  std::vector<T> sums(const std::vector<T>& x, const Dims& dims, int64_t axis) const {
    const int64_t stride = row_major_strides(dims)[static_cast<size_t>(axis)];
    const int64_t size = dims[static_cast<size_t>(axis)];
    std::vector<T> out(x.size());
    for (size_t flat = 0; flat < x.size(); ++flat) {
      const auto start = static_cast<int64_t>(flat);
      if (start / stride % size != 0) continue;
      T sum{};
      for (int64_t step = 0; step < size; ++step) {
        const auto at = static_cast<size_t>(start + (reverse ? size - 1 - step : step) * stride);
        if (exclusive) out[at] = sum;
        sum += x[at];
        if (!exclusive) out[at] = sum;
      }
    }
    return out;
  }
};
TENREC_OP(CumSum, "cum_sum")

}  // namespace tenrec
