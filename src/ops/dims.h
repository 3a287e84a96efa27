// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"

namespace tenrec {

// Sizes as data: an integer tensor whose elements are Dims. Takes the place of whatever computed a
// value that inference knows (Shape -> Gather -> Concat chains), where its data is still wanted.
struct DimsValue {
  std::vector<Dim> values;
  std::vector<int64_t> shape;  // of the tensor
  DType dtype = DType::i64;
  static auto fields(auto& s) {
    return std::tuple{field(1, "values", s.values), field(2, "shape", s.shape),
                      field(3, "dtype", s.dtype)};
  }
  static constexpr std::string_view onnx_name = "";
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types&) const {
    return {Type::tensor(dtype, Shape(shape.begin(), shape.end())).with_known_ints(values)};
  }
  Tensors eval(const Tensors&) const {
    std::vector<int64_t> numbers;
    for (const Dim& dim : values) numbers.push_back(dim.value());
    return {Tensor::from_ints(dtype, shape, numbers)};
  }
};
TENREC_OP(DimsValue, "dims")

}  // namespace tenrec
