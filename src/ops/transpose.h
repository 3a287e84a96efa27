// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/op_decl.h"
#include "ops/movement.h"

namespace tenrec {

// Output axis i is input axis perm[i]; an empty perm reverses the axes.
struct Transpose {
  std::vector<int64_t> perm;
  static auto fields(auto& s) { return std::tuple{field(1, "perm", s.perm)}; }
  static constexpr Accuracy accuracy = exact();
  static constexpr uint32_t narrowable = all_inputs;

  std::vector<int64_t> order(int64_t rank) const {
    if (perm.empty()) return even_offsets(rank, -1, rank - 1);
    std::vector<bool> seen(static_cast<size_t>(rank), false);
    TENREC_CHECK(static_cast<int64_t>(perm.size()) == rank, invalid_model,
                 "Transpose of {} axes by perm {}", rank, to_string(perm));
    for (const int64_t axis : perm) {
      TENREC_CHECK(axis >= 0 && axis < rank && !seen[static_cast<size_t>(axis)], invalid_model,
                   "perm {} is not a permutation of {} axes", to_string(perm), rank);
      seen[static_cast<size_t>(axis)] = true;
    }
    return perm;
  }

  IndexMap map(const Dims& dims) const {
    const AxisOffsets in = identity_offsets(dims);
    AxisOffsets out;
    for (const int64_t axis : order(static_cast<int64_t>(dims.size()))) {
      out.push_back(in[static_cast<size_t>(axis)]);
    }
    return index_map(out);
  }

  Types infer(const Types& in) const {
    const Type& x = tensor_input(in, 0, "Transpose");
    if (!x.ranked) {
      if (perm.empty()) return {x};
      return {fresh_tensor(x.dtype, static_cast<int64_t>(perm.size()), "transpose")};
    }
    Shape shape;
    for (const int64_t axis : order(x.rank())) shape.push_back(x.shape[static_cast<size_t>(axis)]);
    Type out = Type::tensor(x.dtype, std::move(shape));
    if (movable_known(x, out.shape)) return {with_moved_known(out, x, map(static_dims(x.shape)))};
    return {out};
  }

  Tensors eval(const Tensors& in) const { return {moved(in[0], map(in[0].dims()))}; }
};
TENREC_OP(Transpose, "transpose")

}  // namespace tenrec
