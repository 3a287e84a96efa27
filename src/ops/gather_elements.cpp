// SPDX-License-Identifier: Apache-2.0
#include "ops/gather_elements.h"

#include "ops/indexing.h"

namespace tenrec {

Types GatherElements::infer(const Types& in) const {
  check_input_count(in, 2, 2, "GatherElements");
  const Type& x = tensor_input(in, 0, "GatherElements");
  const Type& indices = integer_input(in, 1, "GatherElements");
  if (!indices.ranked) return {x.ranked ? fresh_tensor(x.dtype, x.rank(), "gather") : x};
  TENREC_CHECK(!x.ranked || x.rank() == indices.rank(), invalid_model,
               "GatherElements of {} by {}: both need the same number of axes", x.str(),
               indices.str());
  if (x.ranked) normalise_axis(axis, x.rank());
  Type out = Type::tensor(x.dtype, indices.shape);
  const std::optional<std::vector<int64_t>> chosen = indices.constant_ints();
  if (!chosen || !x.ranked || !movable_known(x, out.shape)) return {out};
  const Dims dims = static_dims(out.shape);
  return {
      with_moved_known(out, x, {dims, places_along(static_dims(x.shape), dims, *chosen, axis), 1})};
}

Tensors GatherElements::eval(const Tensors& in) const {
  const Dims& dims = in[1].dims();
  return {moved(in[0], {dims, places_along(in[0].dims(), dims, in[1].to_ints(), axis), 1})};
}

Types GatherND::infer(const Types& in) const {
  check_input_count(in, 2, 2, "GatherND");
  const Type& x = tensor_input(in, 0, "GatherND");
  const Type& indices = integer_input(in, 1, "GatherND");
  if (!x.ranked || !indices.ranked) return {Type::unranked(x.dtype)};
  TENREC_CHECK(indices.rank() >= 1 && batch_dims >= 0 && batch_dims < indices.rank() &&
                   batch_dims < x.rank(),
               invalid_model, "GatherND of {} by {} with {} batch axes", x.str(), indices.str(),
               batch_dims);
  const std::optional<int64_t> depth = indices.shape.back().constant();
  if (!depth) return {Type::unranked(x.dtype)};
  TENREC_CHECK(*depth >= 1 && batch_dims + *depth <= x.rank(), invalid_model,
               "GatherND of {} by coordinates of {} numbers behind {} batch axes", x.str(), *depth,
               batch_dims);
  Shape shape(indices.shape.begin(), indices.shape.end() - 1);
  for (size_t i = 0; i < static_cast<size_t>(batch_dims); ++i) {
    shape[i] = agreed(shape[i], x.shape[i], "GatherND batch axis");
  }
  shape.insert(shape.end(), x.shape.begin() + batch_dims + *depth, x.shape.end());
  Type out = Type::tensor(x.dtype, std::move(shape));
  const std::optional<std::vector<int64_t>> chosen = indices.constant_ints();
  if (!chosen || !movable_known(x, out.shape)) return {out};
  const BlockPlaces places =
      block_places(static_dims(x.shape), static_dims(indices.shape), *chosen, batch_dims);
  return {with_moved_known(out, x, {static_dims(out.shape), places.first, places.block})};
}

Tensors GatherND::eval(const Tensors& in) const {
  const BlockPlaces places = block_places(in[0].dims(), in[1].dims(), in[1].to_ints(), batch_dims);
  Dims dims(in[1].dims().begin(), in[1].dims().end() - 1);
  dims.insert(dims.end(), in[0].dims().begin() + batch_dims + in[1].dims().back(),
              in[0].dims().end());
  return {moved(in[0], {dims, places.first, places.block})};
}

}  // namespace tenrec
