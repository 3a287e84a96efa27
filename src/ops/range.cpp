// SPDX-License-Identifier: Apache-2.0
#include "ops/range.h"

#include <cmath>

#include "ops/movement.h"

namespace tenrec {
namespace {

std::optional<Dim> range_size(const Dim& start, const Dim& limit, const Dim& delta) {
  if (delta.lower() >= 1) return tight_max(ceildiv(limit - start, delta), Dim(0));
  if (delta.upper() <= -1) return tight_max(ceildiv(start - limit, Dim(0) - delta), Dim(0));
  TENREC_CHECK(delta.upper() != 0 || delta.lower() != 0, invalid_model, "Range with a delta of 0");
  return std::nullopt;
}

int64_t float_range_size(double start, double limit, double delta) {
  TENREC_CHECK(delta != 0, invalid_input, "Range with a delta of 0");
  const double size = std::ceil((limit - start) / delta);
  TENREC_CHECK(std::isfinite(size) && size < 1e15, invalid_input, "Range from {} to {} by {}",
               start, limit, delta);
  return size > 0 ? static_cast<int64_t>(size) : 0;
}

std::optional<Dim> known_int(const Type& type) {
  const std::vector<Dim>* known = type.known_ints();
  return known && known->size() == 1 ? std::optional((*known)[0]) : std::nullopt;
}

std::optional<double> known_float(const Type& type) {
  const std::vector<Scale>* known = type.known_floats();
  if (!known || known->size() != 1 || (*known)[0].symbol) return std::nullopt;
  return static_cast<double>((*known)[0].value);
}

}  // namespace

Types Range::infer(const Types& in) const {
  check_input_count(in, 3, 3, "Range");
  const DType dtype = tensor_input(in, 0, "Range").dtype;
  for (size_t i = 0; i < 3; ++i) check_single(tensor_input(in, i, "Range"), "a limit of Range");
  const Dim unknown = Dim::fresh("range");
  if (is_float(dtype)) {
    const auto start = known_float(in[0]);
    const auto limit = known_float(in[1]);
    const auto delta = known_float(in[2]);
    if (!start || !limit || !delta) return {Type::tensor(dtype, {unknown})};
    return {Type::tensor(dtype, {float_range_size(*start, *limit, *delta)})};
  }
  const auto start = known_int(in[0]);
  const auto limit = known_int(in[1]);
  const auto delta = known_int(in[2]);
  if (!start || !limit || !delta) return {Type::tensor(dtype, {unknown})};
  const Dim size = range_size(*start, *limit, *delta).value_or(unknown);
  Type out = Type::tensor(dtype, {size});
  if (!size.is_const() || static_cast<uint64_t>(size.value()) > max_known_elements) return {out};
  std::vector<Dim> values;
  for (int64_t i = 0; i < size.value(); ++i) values.push_back(*start + *delta * i);
  return {out.with_known_ints(std::move(values))};
}

Tensors Range::eval(const Tensors& in) const {
  const DType dtype = in[0].dtype();
  for (const Tensor& tensor : in) {
    TENREC_CHECK(tensor.elements() == 1, invalid_input, "Range takes scalars, got shape {}",
                 to_string(tensor.dims()));
  }
  if (is_float(dtype)) {
    const double start = in[0].to_doubles()[0];
    const double delta = in[2].to_doubles()[0];
    const int64_t size = float_range_size(start, in[1].to_doubles()[0], delta);
    std::vector<double> values;
    for (int64_t i = 0; i < size; ++i) values.push_back(start + static_cast<double>(i) * delta);
    return {Tensor::from_doubles(dtype, {size}, values)};
  }
  const int64_t start = in[0].to_ints()[0];
  const int64_t delta = in[2].to_ints()[0];
  TENREC_CHECK(delta != 0, invalid_input, "Range with a delta of 0");
  const int64_t size = range_size(start, in[1].to_ints()[0], delta)->value();
  std::vector<int64_t> values;
  for (int64_t i = 0; i < size; ++i) values.push_back(start + i * delta);
  return {Tensor::from_ints(dtype, {size}, values)};
}

}  // namespace tenrec
