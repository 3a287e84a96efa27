// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// The number of elements, an i64 scalar.
struct Size {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();

  Types infer(const Types& in) const {
    const Type& x = tensor_input(in, 0, "Size");
    Type out = Type::tensor(DType::i64, {});
    return {x.ranked ? out.with_known_ints({product(x.shape)}) : out};
  }

  Tensors eval(const Tensors& in) const {
    return {Tensor::scalar(static_cast<int64_t>(in[0].elements()))};
  }
};
TENREC_OP(Size, "size")

}  // namespace tenrec
