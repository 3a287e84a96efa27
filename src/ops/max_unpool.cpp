// SPDX-License-Identifier: Apache-2.0
#include "ops/max_unpool.h"

#include "ops/movement.h"
#include "ops/support.h"

namespace tenrec {

Shape MaxUnpool::smallest(const Type& x) const {
  const size_t spatial = kernel_shape.size();
  TENREC_CHECK(x.shape.size() == spatial + 2, invalid_model,
               "the input is {}, expected batch, channels and {} axes", x.str(), spatial);
  TENREC_CHECK((pads.empty() || pads.size() == 2 * spatial) &&
                   (strides.empty() || strides.size() == spatial),
               invalid_model, "{} pads and {} strides for {} axes", pads.size(), strides.size(),
               spatial);
  Shape shape = x.shape;
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t padding = pads.empty() ? 0 : pads[i] + pads[spatial + i];
    const int64_t stride = strides.empty() ? 1 : strides[i];
    shape[i + 2] = (shape[i + 2] - 1) * Dim(stride) + Dim(kernel_shape[i] - padding);
  }
  return shape;
}

Types MaxUnpool::infer(const Types& in) const {
  const Type& x = required(in, 0, "the input");
  required(in, 1, "the places");
  TENREC_CHECK(!kernel_shape.empty(), invalid_model, "kernel_shape is missing");
  const Type least = x.ranked ? Type::tensor(x.dtype, smallest(x)) : Type::unranked(x.dtype);
  if (!present(in, 2)) return {least};
  check_list(in[2], "the wanted shape");
  if (in[2].ranked)
    agreed(in[2].shape[0], Dim(static_cast<int64_t>(kernel_shape.size()) + 2), "the wanted shape");
  if (const std::vector<Dim>* wanted = in[2].known_ints())
    return {Type::tensor(x.dtype, Shape(wanted->begin(), wanted->end()))};
  return {fresh_tensor(x.dtype, static_cast<int64_t>(kernel_shape.size()) + 2, "unpooled")};
}

Tensors MaxUnpool::eval(const Tensors& in) const {
  const Dims inner = static_dims(smallest(Type::of_constant(in[0])));
  const Dims outer = present(in, 2) ? in[2].to_ints() : inner;
  TENREC_CHECK(outer.size() == inner.size(), invalid_input,
               "the wanted shape is {}, not of rank {}", to_string(outer), inner.size());
  for (size_t i = 0; i < outer.size(); ++i) {
    TENREC_CHECK(outer[i] >= inner[i], invalid_input,
                 "the wanted shape {} is smaller than {}, which the window gives", to_string(outer),
                 to_string(inner));
  }
  const auto inner_count = static_cast<int64_t>(element_count(inner));
  const Dims inner_strides = row_major_strides(inner);
  const Dims outer_strides = row_major_strides(outer);
  IndexMap map{outer, std::vector<int64_t>(static_cast<size_t>(element_count(outer)), -1), 1};
  const std::vector<int64_t> places = in[1].to_ints();
  TENREC_CHECK(places.size() == in[0].elements(), invalid_input,
               "the places are {}, the input is {}", to_string(in[1].dims()),
               to_string(in[0].dims()));
  for (size_t i = 0; i < places.size(); ++i) {
    int64_t rest = checked_index(places[i], inner_count, "a place");
    int64_t at = 0;
    for (size_t axis = 0; axis < inner.size(); ++axis) {
      at += rest / inner_strides[axis] * outer_strides[axis];
      rest %= inner_strides[axis];
    }
    map.from[static_cast<size_t>(at)] = static_cast<int64_t>(i);
  }
  return {moved(in[0], map)};
}

}  // namespace tenrec
