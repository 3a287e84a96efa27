// SPDX-License-Identifier: Apache-2.0
#include "ops/expand.h"

#include "ops/movement.h"

namespace tenrec {
namespace {

IndexMap expand_map(const Dims& from, const Dims& to) {
  const Dims strides = row_major_strides(from);
  const size_t added = to.size() - from.size();
  AxisOffsets offsets;
  for (size_t i = 0; i < to.size(); ++i) {
    const bool repeats = i < added || (from[i - added] == 1 && to[i] != 1);
    offsets.push_back(even_offsets(to[i], repeats ? 0 : strides[i - added]));
  }
  return index_map(offsets);
}

// A size that is not 1 stays; where it may be 1 the target decides.
Type unknown_expand(const Type& x, const std::optional<int64_t>& length) {
  if (!x.ranked || !length) return Type::unranked(x.dtype);
  const int64_t rank = std::max(x.rank(), *length);
  Type out = fresh_tensor(x.dtype, rank, "expand");
  const auto added = static_cast<size_t>(rank - x.rank());
  for (size_t i = added; i < out.shape.size(); ++i) {
    if (x.shape[i - added].lower() >= 2) out.shape[i] = x.shape[i - added];
  }
  return out;
}

}  // namespace

Types Expand::infer(const Types& in) const {
  check_input_count(in, 2, 2, "Expand");
  const Type& x = tensor_input(in, 0, "Expand");
  const Type& target = integer_input(in, 1, "Expand");
  check_list(target, "the shape of Expand");
  const std::vector<Dim>* known = target.known_ints();
  if (!known || !x.ranked) {
    const std::optional<int64_t> length = constant_length(target);
    return {unknown_expand(x, length)};
  }
  Type out = Type::tensor(x.dtype, broadcast_shapes(x.shape, *known));
  if (!movable_known(x, out.shape)) return {out};
  return {with_moved_known(out, x, expand_map(static_dims(x.shape), static_dims(out.shape)))};
}

Tensors Expand::eval(const Tensors& in) const {
  return {moved(in[0], expand_map(in[0].dims(), broadcast_dims(in[0].dims(), in[1].to_ints())))};
}

}  // namespace tenrec
