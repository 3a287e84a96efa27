// SPDX-License-Identifier: Apache-2.0
// Host data: a Tensor is type + shared bytes (often a view into the mapped model), a Datum is a
// Tensor, a sequence of Data, an optional, or a map.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"

namespace tenrec {

using Dims = std::vector<int64_t>;
uint64_t element_count(std::span<const int64_t> dims);  // 1 for a scalar; overflow is an Error
// Row-major strides in elements, written to as many numbers as there are dims.
void row_major_strides(std::span<const int64_t> dims, std::span<int64_t> into);
Dims row_major_strides(const Dims& dims);
std::string to_string(std::span<const int64_t> dims);  // "[1, 3, 224]"

// Row-major, elements packed (two i4 a byte, low nibble first). Copying shares the bytes; writers
// allocate a new Tensor first.
class Tensor {
 public:
  Tensor() = default;              // undefined dtype: "no tensor"
  Tensor(DType dtype, Dims dims);  // zero-filled, owned
  // A view of `data`; `owner` keeps it alive (a mapped file, another tensor's storage).
  Tensor(DType dtype, Dims dims, std::shared_ptr<const void> owner, const std::byte* data);
  static Tensor of_strings(Dims dims, std::vector<std::string> strings);

  template <class T>  // T's dtype: float, double, int8..int64, uint8..uint64, bool
  static Tensor of(Dims dims, const std::vector<T>& values);
  template <class T>
  static Tensor scalar(T value) {
    return of<T>({}, {value});
  }
  // Values converted (rounded, wrapped) to `dtype`.
  static Tensor from_doubles(DType dtype, Dims dims, std::span<const double> values);
  static Tensor from_ints(DType dtype, Dims dims, std::span<const int64_t> values);

  explicit operator bool() const { return dtype_ != DType::undefined; }
  DType dtype() const { return dtype_; }
  const Dims& dims() const { return dims_; }
  int64_t rank() const { return static_cast<int64_t>(dims_.size()); }
  uint64_t elements() const { return element_count(dims_); }
  uint64_t bytes() const { return byte_size(dtype_, elements()); }
  const std::byte* data() const { return data_; }
  std::byte* mutable_data();  // only on a tensor that owns its bytes alone
  const std::vector<std::string>& strings() const;
  Tensor reshaped(Dims dims) const;  // same bytes
  Tensor converted(DType to) const;  // numbers, as to_doubles or to_ints and back

  template <class T>
  std::span<const T> as() const {  // dtype must be T's
    return {reinterpret_cast<const T*>(data_), static_cast<size_t>(elements())};
  }
  template <class T>
  std::span<T> as_mutable() {
    return {reinterpret_cast<T*>(mutable_data()), static_cast<size_t>(elements())};
  }
  // Every numeric dtype, converted once; what reference evaluations work on. bool gives 0 and 1.
  std::vector<double> to_doubles() const;
  std::vector<int64_t> to_ints() const;  // floats truncate towards zero

  friend bool operator==(const Tensor& a, const Tensor& b);  // dtype, dims and bytes

 private:
  DType dtype_ = DType::undefined;
  Dims dims_;
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  std::shared_ptr<const std::vector<std::string>> strings_;
};
using Tensors = std::vector<Tensor>;

template <class T>
constexpr DType dtype_of();

// A run-time value of any kind.
struct Datum {
  enum class Kind { none, tensor, sequence, optional, map } kind = Kind::none;
  Tensor tensor;
  std::vector<Datum> elements;  // sequence: all; optional: zero or one; map: keys and values

  Datum() = default;
  Datum(Tensor t) : kind(t ? Kind::tensor : Kind::none), tensor(std::move(t)) {}  // NOLINT
  static Datum sequence(std::vector<Datum> elements);
  static Datum optional_of(std::vector<Datum> zero_or_one);
  static Datum map_of(Tensor keys, Tensor values);  // of one axis and one length
};
using Data = std::vector<Datum>;

template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<int8_t>() {
  return DType::i8;
}
template <>
constexpr DType dtype_of<int16_t>() {
  return DType::i16;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<uint16_t>() {
  return DType::u16;
}
template <>
constexpr DType dtype_of<uint32_t>() {
  return DType::u32;
}
template <>
constexpr DType dtype_of<uint64_t>() {
  return DType::u64;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::boolean;
}

template <class T>
Tensor Tensor::of(Dims dims, const std::vector<T>& values) {
  Tensor tensor(dtype_of<T>(), std::move(dims));
  TENREC_ASSERT(tensor.elements() == values.size());
  std::span<T> out = tensor.as_mutable<T>();
  for (size_t i = 0; i < values.size(); ++i) out[i] = values[i];
  return tensor;
}

}  // namespace tenrec
