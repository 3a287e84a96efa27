// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// Two axes: the product of those before `axis` and of the rest.
struct Flatten {
  int64_t axis = 1;
  static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = all_inputs;
  static constexpr bool is_view = true;

  Types infer(const Types& in) const {
    const Type& x = tensor_input(in, 0, "Flatten");
    if (!x.ranked) return {fresh_tensor(x.dtype, 2, "flatten")};
    return {with_same_known(Type::tensor(x.dtype, flattened(x.shape)), x)};
  }

  Tensors eval(const Tensors& in) const {
    const Shape shape(in[0].dims().begin(), in[0].dims().end());
    return {in[0].reshaped(static_dims(flattened(shape)))};
  }

  Shape flattened(const Shape& shape) const {
    const auto rank = static_cast<int64_t>(shape.size());
    TENREC_CHECK(axis >= -rank && axis <= rank, invalid_model, "Flatten axis {} of {} axes", axis,
                 rank);
    const auto split = shape.begin() + (axis < 0 ? axis + rank : axis);
    return {product(Shape(shape.begin(), split)), product(Shape(split, shape.end()))};
  }
};
TENREC_OP(Flatten, "flatten")

}  // namespace tenrec
