// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// A matrix of the input's shape with ones on the diagonal that is `k` right of the main one.
struct EyeLike {
  std::optional<DType> dtype;
  int64_t k = 0;
  static auto fields(auto& s) { return std::tuple{field(1, "dtype", s.dtype), field(2, "k", s.k)}; }
  static constexpr Accuracy accuracy = exact();

  Types infer(const Types& in) const {
    const Type& x = tensor_input(in, 0, "EyeLike");
    const DType to = dtype.value_or(x.dtype);
    if (!x.ranked) return {fresh_tensor(to, 2, "eye")};
    TENREC_CHECK(x.rank() == 2, invalid_model, "EyeLike of {}; it needs a matrix", x.str());
    return {Type::tensor(to, x.shape)};
  }

  Tensors eval(const Tensors& in) const {
    const int64_t columns = in[0].dims()[1];
    std::vector<int64_t> values(static_cast<size_t>(in[0].elements()));
    for (size_t i = 0; i < values.size(); ++i) {
      const auto flat = static_cast<int64_t>(i);
      values[i] = flat % columns - flat / columns == k;
    }
    return {Tensor::from_ints(dtype.value_or(in[0].dtype()), in[0].dims(), values)};
  }
};
TENREC_OP(EyeLike, "eye_like")

}  // namespace tenrec
