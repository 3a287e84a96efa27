// SPDX-License-Identifier: Apache-2.0
#include "ops/scatter.h"

#include "ops/indexing.h"

namespace tenrec {
namespace {

void check_scatter(const Types& in, std::string_view op) {
  check_input_count(in, 3, 3, op);
  for (size_t i = 0; i < 3; ++i) tensor_input(in, i, op);
  integer_input(in, 1, op);
  TENREC_CHECK(in[0].dtype == in[2].dtype, invalid_model, "{} of {} into {}", op, name(in[2].dtype),
               name(in[0].dtype));
}

std::vector<int64_t> expanded(const BlockPlaces& places) {
  std::vector<int64_t> all;
  for (const int64_t first : places.first) {
    for (int64_t i = 0; i < places.block; ++i) all.push_back(first + i);
  }
  return all;
}

bool is_small(const Type& type) {
  return type.is_static() && element_count(static_dims(type.shape)) <= max_known_elements;
}

}  // namespace

Types ScatterElements::infer(const Types& in) const {
  check_scatter(in, "ScatterElements");
  const Type& data = in[0];
  if (!data.ranked) return {data};
  TENREC_CHECK(!in[1].ranked || in[1].rank() == data.rank(), invalid_model,
               "ScatterElements into {} by {}: both need the same number of axes", data.str(),
               in[1].str());
  normalise_axis(axis, data.rank());
  const std::optional<std::vector<int64_t>> indices = in[1].constant_ints();
  if (!indices || !data.known || !is_small(data) || !is_small(in[1])) {
    return {Type::tensor(data.dtype, data.shape)};
  }
  const auto places =
      places_along(static_dims(data.shape), static_dims(in[1].shape), *indices, axis);
  return {scattered_type(data, places, in[2], reduction)};
}

Tensors ScatterElements::eval(const Tensors& in) const {
  const auto places = places_along(in[0].dims(), in[1].dims(), in[1].to_ints(), axis);
  return {scattered(in[0], places, in[2], reduction)};
}

Types ScatterND::infer(const Types& in) const {
  check_scatter(in, "ScatterND");
  const Type& data = in[0];
  if (!data.ranked) return {data};
  const std::optional<std::vector<int64_t>> indices = in[1].constant_ints();
  if (!indices || !data.known || !is_small(data) || !is_small(in[1])) {
    return {Type::tensor(data.dtype, data.shape)};
  }
  const auto places = block_places(static_dims(data.shape), static_dims(in[1].shape), *indices, 0);
  return {scattered_type(data, expanded(places), in[2], reduction)};
}

Tensors ScatterND::eval(const Tensors& in) const {
  const auto places = block_places(in[0].dims(), in[1].dims(), in[1].to_ints(), 0);
  return {scattered(in[0], expanded(places), in[2], reduction)};
}

}  // namespace tenrec
