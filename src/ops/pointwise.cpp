// SPDX-License-Identifier: Apache-2.0
#include "ops/pointwise.h"

#include <algorithm>

#include "base/error.h"

namespace tenrec {

Types infer_pointwise(const ExprProgram& program, const Types& in) {
  const auto is_string = [](const Type& type) { return type.dtype == DType::string; };
  // Recording has refused what strings cannot do; the rest of an expression's rules is for numbers.
  if (std::none_of(in.begin(), in.end(), is_string)) {
    try {
      validate(program);
    } catch (const Error& error) {
      fail(ErrorCode::invalid_model, "{}", error.what());
    }
  }
  Types out;
  bool ranked = true;
  Shape shape;
  for (const Type& type : in) {
    TENREC_CHECK(type.kind == Type::Kind::tensor, invalid_model,
                 "a pointwise operator needs tensors, got {}", type.str());
    ranked &= type.ranked;
    if (ranked) shape = broadcast_shapes(shape, type.shape);
  }
  for (const int32_t output : program.outputs) {
    const DType dtype = program.nodes[static_cast<size_t>(output)].dtype;
    out.push_back(ranked ? Type::tensor(dtype, shape) : Type::unranked(dtype));
  }
  return out;
}

std::optional<std::vector<Dim>> map_known(
    const Types& in, const Shape& out,
    const std::function<std::optional<Dim>(const std::vector<Dim>&)>& of_element) {
  if (!is_static(out)) return std::nullopt;
  const Dims dims = static_dims(out);
  const uint64_t count = element_count(dims);
  if (count > max_known_elements) return std::nullopt;
  std::vector<Dims> strides;
  for (const Type& type : in) {
    if (!type.known_ints() || !type.is_static()) return std::nullopt;
    Dims full(dims.size(), 0);
    const Dims own_dims = static_dims(type.shape);
    const Dims own = row_major_strides(own_dims);
    const size_t shift = dims.size() - own.size();
    for (size_t i = 0; i < own.size(); ++i) full[i + shift] = own_dims[i] == 1 ? 0 : own[i];
    strides.push_back(std::move(full));
  }
  const Dims out_strides = row_major_strides(dims);
  std::vector<Dim> values;
  std::vector<Dim> element(in.size());
  for (uint64_t flat = 0; flat < count; ++flat) {
    for (size_t k = 0; k < in.size(); ++k) {
      int64_t offset = 0;
      for (size_t axis = 0; axis < dims.size(); ++axis) {
        offset += static_cast<int64_t>(flat) / out_strides[axis] % dims[axis] * strides[k][axis];
      }
      element[k] = (*in[k].known_ints())[static_cast<size_t>(offset)];
    }
    std::optional<Dim> value = of_element(element);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace tenrec
