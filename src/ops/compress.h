// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// The entries along `axis` (of the flattened input without one) for which the condition holds.
struct Compress {
  std::optional<int64_t> axis;
  static auto fields(auto& s) { return std::tuple{field(1, "axis", s.axis)}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr bool data_dependent = true;

  Types infer(const Types& in) const {
    check_input_count(in, 2, 2, "Compress");
    const Type& x = tensor_input(in, 0, "Compress");
    if (!x.ranked && axis) return {x};
    const auto chosen = [](const Dim& size) { return Dim::fresh("compressed", 0, size.upper()); };
    if (!axis)
      return {Type::tensor(x.dtype, {chosen(x.ranked ? product(x.shape) : Dim::fresh("size"))})};
    Shape shape = x.shape;
    Dim& size = shape[static_cast<size_t>(normalise_axis(*axis, x.rank()))];
    size = chosen(size);
    return {Type::tensor(x.dtype, std::move(shape))};
  }

  Tensors eval(const Tensors& in) const {
    const Tensor x = axis ? in[0] : in[0].reshaped({static_cast<int64_t>(in[0].elements())});
    const auto at = static_cast<size_t>(normalise_axis(axis.value_or(0), x.rank()));
    const std::vector<int64_t> keep = in[1].to_ints();
    TENREC_CHECK(static_cast<int64_t>(keep.size()) <= x.dims()[at], invalid_input,
                 "Compress of an axis of size {} by {} conditions", x.dims()[at], keep.size());
    AxisOffsets offsets = identity_offsets(x.dims());
    const std::vector<int64_t> all = std::move(offsets[at]);
    offsets[at].clear();
    for (size_t i = 0; i < keep.size(); ++i) {
      if (keep[i] != 0) offsets[at].push_back(all[i]);
    }
    return {moved(x, index_map(offsets))};
  }
};
TENREC_OP(Compress, "compress")

}  // namespace tenrec
