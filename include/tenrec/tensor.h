// SPDX-License-Identifier: Apache-2.0
// Tensors as a program hands them in and gets them back: row-major, elements packed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "tenrec/dtype.h"
#include "tenrec/error.h"
#include "tenrec/export.h"

namespace tenrec {

TENREC_API std::string dtype_name(DType dtype);  // "f32", "i64", "bool", "string"
// Bytes of a packed tensor (two i4 a byte); an invalid_input Error where that overflows.
TENREC_API uint64_t tensor_bytes(DType dtype, std::span<const int64_t> dims);

// The element type of a C++ type: float, double, bool and the integers of fixed width.
template <class T>
constexpr DType element_type() {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  else if constexpr (std::is_same_v<T, double>) return DType::f64;
  else if constexpr (std::is_same_v<T, bool>) return DType::boolean;
  else if constexpr (std::is_same_v<T, int8_t>) return DType::i8;
  else if constexpr (std::is_same_v<T, int16_t>) return DType::i16;
  else if constexpr (std::is_same_v<T, int32_t>) return DType::i32;
  else if constexpr (std::is_same_v<T, int64_t>) return DType::i64;
  else if constexpr (std::is_same_v<T, uint8_t>) return DType::u8;
  else if constexpr (std::is_same_v<T, uint16_t>) return DType::u16;
  else if constexpr (std::is_same_v<T, uint32_t>) return DType::u32;
  else if constexpr (std::is_same_v<T, uint64_t>) return DType::u64;
  else static_assert(sizeof(T) == 0, "no element type for this C++ type");
}

// Memory that someone else owns, read only. `dims` must outlive the use, as `data` must.
struct TensorRef {
  DType dtype = DType::undefined;
  std::span<const int64_t> dims;
  const void* data = nullptr;
  uint64_t bytes = 0;
  bool on_device = false;  // `data` is memory of the engine's device (the same as host on a CPU)

  template <class T>
  std::span<const T> as() const {
    if (dtype != element_type<T>())
      throw Error(ErrorCode::usage, "the tensor holds " + dtype_name(dtype) +
                                        " elements, read as " + dtype_name(element_type<T>()));
    return {static_cast<const T*>(data), static_cast<size_t>(bytes / sizeof(T))};
  }
};

// Memory that someone else owns, to be written to.
struct MemoryRef {
  void* data = nullptr;
  uint64_t bytes = 0;
  bool on_device = false;
};

// A tensor that owns its elements; strings are held in `strings` and leave `data` empty.
struct HostTensor {
  DType dtype = DType::undefined;
  std::vector<int64_t> dims;
  std::vector<std::byte> data;
  std::vector<std::string> strings;

  HostTensor() = default;
  HostTensor(DType type, std::vector<int64_t> shape)  // zero-filled
      : dtype(type), dims(std::move(shape)), data(tensor_bytes(dtype, dims)) {}

  template <class T>
  static HostTensor of(std::vector<int64_t> dims, std::span<const T> values) {
    HostTensor tensor(element_type<T>(), std::move(dims));
    if (tensor.data.size() != values.size_bytes())
      throw Error(ErrorCode::usage, "HostTensor::of: dims need " +
                                        std::to_string(tensor.data.size() / sizeof(T)) +
                                        " values, got " + std::to_string(values.size()));
    if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), values.size_bytes());
    return tensor;
  }
  template <class T>
  static HostTensor of(std::vector<int64_t> dims, const std::vector<T>& values) {
    return of<T>(std::move(dims), std::span<const T>(values));
  }

  template <class T>
  std::span<const T> as() const {
    return TensorRef(*this).as<T>();
  }
  template <class T>
  std::span<T> as() {
    const std::span<const T> all = TensorRef(*this).as<T>();
    return {const_cast<T*>(all.data()), all.size()};
  }
  operator TensorRef() const {  // NOLINT: an owning tensor is also a reference to itself
    return {dtype, dims, data.data(), data.size(), false};
  }
};

// A value of any kind: models may take and give sequences and optionals of tensors, and maps from
// integers or strings to scalars.
struct HostValue {
  enum class Kind { none, tensor, sequence, optional, map };
  Kind kind = Kind::none;
  HostTensor tensor;
  std::vector<HostValue> elements;  // sequence: all; optional: zero or one; map: keys, values

  HostValue() = default;
  HostValue(HostTensor value) : kind(Kind::tensor), tensor(std::move(value)) {}  // NOLINT
};

}  // namespace tenrec
