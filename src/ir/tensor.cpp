// SPDX-License-Identifier: Apache-2.0
#include "ir/tensor.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/host_memory.h"

namespace tenrec {
namespace {

std::shared_ptr<std::byte> allocate_zeroed(uint64_t bytes) {
  HostMemory memory = allocate_host(bytes);
  TENREC_CHECK(memory, out_of_memory, "allocating {} bytes of host memory failed", bytes);
  std::memset(memory.get(), 0, (bytes + host_alignment - 1) / host_alignment * host_alignment);
  return memory;
}

// Calls `body` with a null pointer of the C++ type that stores one element of `dtype`; bool is read
// as one byte. Sub-byte, half and fp8 types are handled by the callers.
template <class Body>
bool with_native_type(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::f32: body(static_cast<float*>(nullptr)); return true;
    case DType::f64: body(static_cast<double*>(nullptr)); return true;
    case DType::i8: body(static_cast<int8_t*>(nullptr)); return true;
    case DType::i16: body(static_cast<int16_t*>(nullptr)); return true;
    case DType::i32: body(static_cast<int32_t*>(nullptr)); return true;
    case DType::i64: body(static_cast<int64_t*>(nullptr)); return true;
    case DType::u8:
    case DType::boolean: body(static_cast<uint8_t*>(nullptr)); return true;
    case DType::u16: body(static_cast<uint16_t*>(nullptr)); return true;
    case DType::u32: body(static_cast<uint32_t*>(nullptr)); return true;
    case DType::u64: body(static_cast<uint64_t*>(nullptr)); return true;
    default: return false;
  }
}

float read_small(DType dtype, const std::byte* data, size_t i) {
  switch (dtype) {
    case DType::f16: return half_to_float(reinterpret_cast<const uint16_t*>(data)[i]);
    case DType::bf16: return bf16_to_float(reinterpret_cast<const uint16_t*>(data)[i]);
    case DType::f4e2m1: {
      const auto byte = static_cast<uint8_t>(data[i / 2]);
      return small_float_to_float(dtype, static_cast<uint8_t>(i % 2 ? byte >> 4 : byte & 15));
    }
    default: return small_float_to_float(dtype, static_cast<uint8_t>(data[i]));
  }
}

int64_t read_sub_byte(DType dtype, const std::byte* data, size_t i) {
  const auto bits = static_cast<size_t>(bit_width(dtype));
  const size_t per_byte = 8 / bits;
  const unsigned byte = static_cast<uint8_t>(data[i / per_byte]);
  const unsigned mask = (1U << bits) - 1;
  const int64_t raw = (byte >> (bits * (i % per_byte))) & mask;
  const bool negative = is_signed(dtype) && (raw >> (bits - 1)) != 0;
  return negative ? raw - (int64_t{1} << bits) : raw;
}

void write_sub_byte(DType dtype, std::byte* data, size_t i, unsigned value) {
  const auto bits = static_cast<size_t>(bit_width(dtype));
  const size_t per_byte = 8 / bits;
  const unsigned mask = (1U << bits) - 1;
  const size_t shift = bits * (i % per_byte);
  auto byte = static_cast<unsigned>(static_cast<uint8_t>(data[i / per_byte]));
  byte = (byte & ~(mask << shift)) | ((value & mask) << shift);
  data[i / per_byte] = static_cast<std::byte>(byte);
}

// Out-of-range floats are undefined in ONNX; saturating to int64 keeps C++ defined.
int64_t truncate(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 9223372036854775807.0) return std::numeric_limits<int64_t>::max();
  if (value <= -9223372036854775808.0) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

void check_numeric(DType dtype, const char* what) {
  TENREC_CHECK(dtype != DType::string && dtype != DType::c64 && dtype != DType::c128 &&
                   dtype != DType::undefined,
               unsupported, "{} is not defined for {} tensors", what, name(dtype));
}

}  // namespace

uint64_t element_count(std::span<const int64_t> dims) {
  uint64_t count = 1;
  bool overflow = false;
  for (const int64_t dim : dims) {
    TENREC_CHECK(dim >= 0, invalid_model, "shape {} has a negative size", to_string(dims));
    if (dim == 0) return 0;
    overflow |= __builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count);
  }
  TENREC_CHECK(!overflow && count <= (uint64_t{1} << 60), invalid_model,
               "shape {} has more elements than any memory holds", to_string(dims));
  return count;
}

void row_major_strides(std::span<const int64_t> dims, std::span<int64_t> into) {
  int64_t step = 1;
  for (size_t i = dims.size(); i-- > 0; step *= dims[i]) into[i] = step;
}

Dims row_major_strides(const Dims& dims) {
  Dims strides(dims.size());
  row_major_strides(dims, strides);
  return strides;
}

std::string to_string(std::span<const int64_t> dims) {
  return fmt::format("[{}]", fmt::join(dims, ", "));
}

Tensor::Tensor(DType dtype, Dims dims) : dtype_(dtype), dims_(std::move(dims)) {
  if (dtype == DType::string) {
    strings_ = std::make_shared<std::vector<std::string>>(elements());
    return;
  }
  auto storage = allocate_zeroed(bytes());
  data_ = storage.get();
  owner_ = std::move(storage);
}

Tensor::Tensor(DType dtype, Dims dims, std::shared_ptr<const void> owner, const std::byte* data)
    : dtype_(dtype), dims_(std::move(dims)), owner_(std::move(owner)), data_(data) {}

Tensor Tensor::of_strings(Dims dims, std::vector<std::string> strings) {
  Tensor tensor;
  tensor.dtype_ = DType::string;
  tensor.dims_ = std::move(dims);
  TENREC_ASSERT(tensor.elements() == strings.size());
  tensor.strings_ = std::make_shared<std::vector<std::string>>(std::move(strings));
  return tensor;
}

std::byte* Tensor::mutable_data() {
  TENREC_ASSERT(owner_ != nullptr && owner_.use_count() == 1);
  return const_cast<std::byte*>(data_);
}

const std::vector<std::string>& Tensor::strings() const {
  TENREC_ASSERT(strings_ != nullptr);
  return *strings_;
}

Tensor Tensor::reshaped(Dims dims) const {
  TENREC_ASSERT(element_count(dims) == elements());
  Tensor copy = *this;
  copy.dims_ = std::move(dims);
  return copy;
}

std::vector<double> Tensor::to_doubles() const {
  check_numeric(dtype_, "a numeric operation");
  const size_t count = static_cast<size_t>(elements());
  std::vector<double> values(count);
  const bool native = with_native_type(dtype_, [&]<class T>(T*) {
    const T* from = reinterpret_cast<const T*>(data_);
    for (size_t i = 0; i < count; ++i) values[i] = static_cast<double>(from[i]);
  });
  if (native) return values;
  for (size_t i = 0; i < count; ++i) {
    values[i] = is_float(dtype_) ? static_cast<double>(read_small(dtype_, data_, i))
                                 : static_cast<double>(read_sub_byte(dtype_, data_, i));
  }
  return values;
}

std::vector<int64_t> Tensor::to_ints() const {
  check_numeric(dtype_, "an integer operation");
  const size_t count = static_cast<size_t>(elements());
  std::vector<int64_t> values(count);
  const bool native = with_native_type(dtype_, [&]<class T>(T*) {
    const T* from = reinterpret_cast<const T*>(data_);
    for (size_t i = 0; i < count; ++i) {
      if constexpr (std::is_floating_point_v<T>) {
        values[i] = truncate(static_cast<double>(from[i]));
      } else {
        values[i] = static_cast<int64_t>(from[i]);
      }
    }
  });
  if (native) return values;
  for (size_t i = 0; i < count; ++i) {
    values[i] = is_float(dtype_) ? truncate(static_cast<double>(read_small(dtype_, data_, i)))
                                 : read_sub_byte(dtype_, data_, i);
  }
  return values;
}

Tensor Tensor::from_doubles(DType dtype, Dims dims, std::span<const double> values) {
  check_numeric(dtype, "a numeric operation");
  if (!is_float(dtype)) {
    std::vector<int64_t> ints(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      ints[i] = dtype == DType::boolean ? (values[i] != 0 ? 1 : 0) : truncate(values[i]);
    }
    return from_ints(dtype, std::move(dims), ints);
  }
  Tensor tensor(dtype, std::move(dims));
  TENREC_ASSERT(tensor.elements() == values.size());
  std::byte* to = tensor.mutable_data();
  for (size_t i = 0; i < values.size(); ++i) {
    const auto narrow = static_cast<float>(values[i]);
    switch (dtype) {
      case DType::f64: reinterpret_cast<double*>(to)[i] = values[i]; break;
      case DType::f32: reinterpret_cast<float*>(to)[i] = narrow; break;
      case DType::f16: reinterpret_cast<uint16_t*>(to)[i] = float_to_half(narrow); break;
      case DType::bf16: reinterpret_cast<uint16_t*>(to)[i] = float_to_bf16(narrow); break;
      case DType::f4e2m1: write_sub_byte(dtype, to, i, float_to_small_float(dtype, narrow)); break;
      default: to[i] = static_cast<std::byte>(float_to_small_float(dtype, narrow)); break;
    }
  }
  return tensor;
}

Tensor Tensor::from_ints(DType dtype, Dims dims, std::span<const int64_t> values) {
  if (is_float(dtype)) {
    const std::vector<double> doubles(values.begin(), values.end());
    return from_doubles(dtype, std::move(dims), doubles);
  }
  check_numeric(dtype, "an integer operation");
  Tensor tensor(dtype, std::move(dims));
  TENREC_ASSERT(tensor.elements() == values.size());
  std::byte* to = tensor.mutable_data();
  if (dtype == DType::boolean) {
    for (size_t i = 0; i < values.size(); ++i) to[i] = std::byte{values[i] != 0};
    return tensor;
  }
  const bool native = with_native_type(dtype, [&]<class T>(T*) {
    for (size_t i = 0; i < values.size(); ++i)
      reinterpret_cast<T*>(to)[i] = static_cast<T>(values[i]);
  });
  if (!native) {
    for (size_t i = 0; i < values.size(); ++i) {
      write_sub_byte(dtype, to, i, static_cast<unsigned>(values[i]));
    }
  }
  return tensor;
}

Tensor Tensor::converted(DType to) const {
  if (to == dtype_) return *this;
  if (dtype_ == DType::f32 && (to == DType::f16 || to == DType::bf16)) {
    Tensor narrow(to, dims_);
    narrow_floats(to, as<float>(), reinterpret_cast<uint16_t*>(narrow.mutable_data()));
    return narrow;
  }
  return is_float(to) ? from_doubles(to, dims_, to_doubles()) : from_ints(to, dims_, to_ints());
}

bool operator==(const Tensor& a, const Tensor& b) {
  if (a.dtype_ != b.dtype_ || a.dims_ != b.dims_) return false;
  if (a.dtype_ == DType::undefined) return true;
  if (a.dtype_ == DType::string) return *a.strings_ == *b.strings_;
  return a.data_ == b.data_ || std::memcmp(a.data_, b.data_, static_cast<size_t>(a.bytes())) == 0;
}

Datum Datum::sequence(std::vector<Datum> elements) {
  Datum datum;
  datum.kind = Kind::sequence;
  datum.elements = std::move(elements);
  return datum;
}

Datum Datum::optional_of(std::vector<Datum> zero_or_one) {
  Datum datum;
  datum.kind = Kind::optional;
  datum.elements = std::move(zero_or_one);
  return datum;
}

Datum Datum::map_of(Tensor keys, Tensor values) {
  TENREC_CHECK(keys.rank() == 1 && keys.dims() == values.dims(), invalid_input,
               "a map of keys {} and values {}: it needs one value a key", to_string(keys.dims()),
               to_string(values.dims()));
  Datum datum;
  datum.kind = Kind::map;
  datum.elements = {std::move(keys), std::move(values)};
  return datum;
}

}  // namespace tenrec
