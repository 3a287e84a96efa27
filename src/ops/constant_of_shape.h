// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// A tensor of the shape that the input holds, filled with the one element of `value`.
struct ConstantOfShape {
  Tensor value = Tensor::of({1}, std::vector<float>{0});
  static auto fields(auto& s) { return std::tuple{field(1, "value", s.value)}; }
  static constexpr Accuracy accuracy = exact();

  Types infer(const Types& in) const {
    TENREC_CHECK(value.elements() == 1, invalid_model,
                 "ConstantOfShape's value has {} elements, not 1", value.elements());
    const Type& target = tensor_input(in, 0, "ConstantOfShape");
    check_list(target, "the shape of ConstantOfShape");
    const std::vector<Dim>* known = target.known_ints();
    if (!known) {
      const std::optional<int64_t> length = constant_length(target);
      if (!length) return {Type::unranked(value.dtype())};
      return {fresh_tensor(value.dtype(), *length, "filled")};
    }
    for (const Dim& size : *known) {
      TENREC_CHECK(size.upper() >= 0, invalid_model, "ConstantOfShape of shape {}",
                   to_string(*known));
    }
    Type out = Type::tensor(value.dtype(), *known);
    // The filling moves: every element comes from the only one there is.
    const Type source = Type::of_constant(value);
    if (!movable_known(source, out.shape)) return {out};
    return {with_moved_known(out, source, map(static_dims(out.shape)))};
  }

  Tensors eval(const Tensors& in) const { return {moved(value, map(in[0].to_ints()))}; }

  static IndexMap map(const Dims& dims) {
    return {dims, std::vector<int64_t>(static_cast<size_t>(element_count(dims)), 0), 1};
  }
};
TENREC_OP(ConstantOfShape, "constant_of_shape")

}  // namespace tenrec
