// SPDX-License-Identifier: Apache-2.0
#include "ops/gather.h"

#include "ops/movement.h"

namespace tenrec {
namespace {

// `indices` has one axis here; the caller gives the result its shape.
IndexMap gather_map(const Dims& dims, size_t axis, const std::vector<int64_t>& indices) {
  const int64_t stride = row_major_strides(dims)[axis];
  AxisOffsets offsets = identity_offsets(dims);
  offsets[axis].clear();
  for (const int64_t index : indices) {
    offsets[axis].push_back(checked_index(index, dims[axis], "Gather") * stride);
  }
  return index_map(offsets);
}

template <class T>
std::vector<T> replaced_axis(const std::vector<T>& shape, size_t axis, const std::vector<T>& by) {
  std::vector<T> out(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
  out.insert(out.end(), by.begin(), by.end());
  out.insert(out.end(), shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end());
  return out;
}

}  // namespace

Types Gather::infer(const Types& in) const {
  check_input_count(in, 2, 2, "Gather");
  const Type& x = tensor_input(in, 0, "Gather");
  const Type& indices = integer_input(in, 1, "Gather");
  if (!x.ranked || !indices.ranked) return {Type::unranked(x.dtype)};
  const auto at = static_cast<size_t>(normalise_axis(axis, x.rank()));
  Type out = Type::tensor(x.dtype, replaced_axis(x.shape, at, indices.shape));
  const std::optional<std::vector<int64_t>> chosen = indices.constant_ints();
  if (!chosen || !movable_known(x, out.shape)) return {out};
  return {with_moved_known(out, x, gather_map(static_dims(x.shape), at, *chosen))};
}

Tensors Gather::eval(const Tensors& in) const {
  const auto at = static_cast<size_t>(normalise_axis(axis, in[0].rank()));
  const Tensor flat = moved(in[0], gather_map(in[0].dims(), at, in[1].to_ints()));
  return {flat.reshaped(replaced_axis(in[0].dims(), at, in[1].dims()))};
}

}  // namespace tenrec
