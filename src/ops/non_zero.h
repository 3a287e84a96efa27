// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// The coordinates of the elements that are not zero, in row-major order: i64 [rank, count].
struct NonZero {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr bool data_dependent = true;

  Types infer(const Types& in) const {
    const Type& x = tensor_input(in, 0, "NonZero");
    if (!x.ranked) return {fresh_tensor(DType::i64, 2, "nonzero")};
    if (const auto values = x.constant_ints(); values && x.is_static()) {
      const Tensor found = coordinates(static_dims(x.shape), {values->begin(), values->end()});
      return {Type::of_constant(found)};
    }
    return {
        Type::tensor(DType::i64, {x.rank(), Dim::fresh("nonzero", 0, product(x.shape).upper())})};
  }

  Tensors eval(const Tensors& in) const { return {coordinates(in[0].dims(), numbers(in[0]))}; }

 private:
  static std::vector<double> numbers(const Tensor& x) {
    if (x.dtype() != DType::string) return x.to_doubles();
    std::vector<double> lengths;  // an empty text is nothing
    for (const std::string& text : x.strings()) lengths.push_back(static_cast<double>(text.size()));
    return lengths;
  }

  static Tensor coordinates(const Dims& dims, const std::vector<double>& values) {
    const Dims strides = row_major_strides(dims);
    std::vector<std::vector<int64_t>> by_axis(dims.size());
    int64_t count = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] == 0) continue;
      ++count;
      for (size_t axis = 0; axis < dims.size(); ++axis) {
        by_axis[axis].push_back(static_cast<int64_t>(i) / strides[axis] % dims[axis]);
      }
    }
    std::vector<int64_t> flat;
    for (const auto& row : by_axis) flat.insert(flat.end(), row.begin(), row.end());
    return Tensor::of({static_cast<int64_t>(dims.size()), count}, flat);
  }
};
TENREC_OP(NonZero, "non_zero")

}  // namespace tenrec
