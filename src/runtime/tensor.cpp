// SPDX-License-Identifier: Apache-2.0
#include "tenrec/tensor.h"

#include <cstring>

#include "base/dtype.h"
#include "base/error.h"
#include "runtime/engine_impl.h"

namespace tenrec {

std::string dtype_name(DType dtype) { return std::string(name(dtype)); }

uint64_t tensor_bytes(DType dtype, std::span<const int64_t> dims) {
  int64_t elements = 1;
  for (const int64_t dim : dims)
    TENREC_CHECK(dim >= 0 && !__builtin_mul_overflow(elements, dim, &elements), invalid_input,
                 "a tensor cannot have dims [{}]", fmt::join(dims, ", "));
  if (dtype == DType::string || dtype == DType::undefined) return 0;
  int64_t bits = 0;
  TENREC_CHECK(!__builtin_mul_overflow(elements, static_cast<int64_t>(bit_width(dtype)), &bits),
               invalid_input, "a tensor cannot have dims [{}]", fmt::join(dims, ", "));
  return (static_cast<uint64_t>(bits) + 7) / 8;
}

Datum to_datum(const HostValue& value) {
  if (value.kind == HostValue::Kind::none) return {};
  if (value.kind == HostValue::Kind::tensor) {
    const HostTensor& from = value.tensor;
    if (from.dtype == DType::string) {
      int64_t elements = 1;
      for (const int64_t dim : from.dims) elements *= dim;
      (void)tensor_bytes(from.dtype, from.dims);
      TENREC_CHECK(elements == static_cast<int64_t>(from.strings.size()), invalid_input,
                   "a tensor of dims [{}] has {} strings", fmt::join(from.dims, ", "),
                   from.strings.size());
      return Tensor::of_strings(from.dims, from.strings);
    }
    TENREC_CHECK(from.data.size() == tensor_bytes(from.dtype, from.dims), invalid_input,
                 "a tensor of dims [{}] has {} bytes", fmt::join(from.dims, ", "),
                 from.data.size());
    Tensor tensor(from.dtype, from.dims);
    if (!from.data.empty()) std::memcpy(tensor.mutable_data(), from.data.data(), from.data.size());
    return tensor;
  }
  Data elements;
  for (const HostValue& element : value.elements) elements.push_back(to_datum(element));
  if (value.kind == HostValue::Kind::map) {
    TENREC_CHECK(elements.size() == 2, invalid_input,
                 "a map has two elements, keys and values; got {}", elements.size());
    return Datum::map_of(std::move(elements[0].tensor), std::move(elements[1].tensor));
  }
  return value.kind == HostValue::Kind::sequence ? Datum::sequence(std::move(elements))
                                                 : Datum::optional_of(std::move(elements));
}

HostTensor to_host_tensor(const Tensor& tensor) {
  HostTensor result(tensor.dtype(), tensor.dims());
  if (tensor.dtype() == DType::string) result.strings = tensor.strings();
  else if (!result.data.empty()) std::memcpy(result.data.data(), tensor.data(), result.data.size());
  return result;
}

HostValue to_host_value(const Datum& datum) {
  HostValue value;
  switch (datum.kind) {
    case Datum::Kind::none: return value;
    case Datum::Kind::tensor: return to_host_tensor(datum.tensor);
    case Datum::Kind::sequence: value.kind = HostValue::Kind::sequence; break;
    case Datum::Kind::optional: value.kind = HostValue::Kind::optional; break;
    case Datum::Kind::map: value.kind = HostValue::Kind::map; break;
  }
  for (const Datum& element : datum.elements) value.elements.push_back(to_host_value(element));
  return value;
}

}  // namespace tenrec
