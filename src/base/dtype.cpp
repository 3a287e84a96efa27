// SPDX-License-Identifier: Apache-2.0
#include "base/dtype.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace tenrec {
namespace {

enum class Class : uint8_t { other, floating, integer };

struct Info {
  DType dtype;
  std::string_view name;
  int bits;
  Class kind;
  bool is_signed;
};

constexpr std::array infos = {
    Info{DType::undefined, "undefined", 0, Class::other, false},
    Info{DType::f32, "f32", 32, Class::floating, true},
    Info{DType::u8, "u8", 8, Class::integer, false},
    Info{DType::i8, "i8", 8, Class::integer, true},
    Info{DType::u16, "u16", 16, Class::integer, false},
    Info{DType::i16, "i16", 16, Class::integer, true},
    Info{DType::i32, "i32", 32, Class::integer, true},
    Info{DType::i64, "i64", 64, Class::integer, true},
    Info{DType::string, "string", 0, Class::other, false},
    Info{DType::boolean, "bool", 8, Class::other, false},
    Info{DType::f16, "f16", 16, Class::floating, true},
    Info{DType::f64, "f64", 64, Class::floating, true},
    Info{DType::u32, "u32", 32, Class::integer, false},
    Info{DType::u64, "u64", 64, Class::integer, false},
    Info{DType::c64, "c64", 64, Class::other, true},
    Info{DType::c128, "c128", 128, Class::other, true},
    Info{DType::bf16, "bf16", 16, Class::floating, true},
    Info{DType::f8e4m3fn, "f8e4m3fn", 8, Class::floating, true},
    Info{DType::f8e4m3fnuz, "f8e4m3fnuz", 8, Class::floating, true},
    Info{DType::f8e5m2, "f8e5m2", 8, Class::floating, true},
    Info{DType::f8e5m2fnuz, "f8e5m2fnuz", 8, Class::floating, true},
    Info{DType::u4, "u4", 4, Class::integer, false},
    Info{DType::i4, "i4", 4, Class::integer, true},
    Info{DType::f4e2m1, "f4e2m1", 4, Class::floating, true},
    Info{DType::f8e8m0, "f8e8m0", 8, Class::floating, false},
    Info{DType::u2, "u2", 2, Class::integer, false},
    Info{DType::i2, "i2", 2, Class::integer, true},
};

const Info& info_of(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  TENREC_CHECK(index < infos.size(), invalid_model, "{} is no number of an element type (1 to {})",
               index, infos.size() - 1);
  return infos[index];
}

// Sign-magnitude formats of at most 8 bits. `largest` is the code of the largest finite magnitude;
// `overflow` the code a larger one gets when it does not saturate.
struct SmallFormat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  uint8_t largest;
  uint8_t overflow;
  uint8_t nan;
  bool negative_zero;

  int sign_shift() const { return exponent_bits + mantissa_bits; }
};

SmallFormat small_format(DType dtype) {
  switch (dtype) {
    case DType::f8e4m3fn: return {4, 3, 7, 0x7e, 0x7f, 0x7f, true};
    case DType::f8e4m3fnuz: return {4, 3, 8, 0x7f, 0x80, 0x80, false};
    case DType::f8e5m2: return {5, 2, 15, 0x7b, 0x7c, 0x7e, true};
    case DType::f8e5m2fnuz: return {5, 2, 16, 0x7f, 0x80, 0x80, false};
    // f4e2m1 has neither NaN nor infinity: NaN becomes -0, infinity the largest magnitude.
    case DType::f4e2m1: return {2, 1, 1, 0x7, 0x7, 0x8, true};
    default: TENREC_ASSERT(false, "{} is no small float", name(dtype)); return {};
  }
}

uint8_t float_to_f8e8m0(float value, bool saturate) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t exponent = (bits >> 23) & 0xff;
  if (exponent == 0xff) return 0xff;
  // Code 0 is 2^-127, a subnormal float. (ONNX's reference code gives 1 there, and so no round
  // trip.)
  const uint32_t mantissa = bits & 0x7fffff;
  const bool has_fraction = exponent == 0 ? mantissa > 0x400000 : mantissa != 0;
  if (has_fraction && !(saturate && exponent == 0xfe)) return static_cast<uint8_t>(exponent + 1);
  return static_cast<uint8_t>(exponent);
}

}  // namespace

int bit_width(DType dtype) { return info_of(dtype).bits; }

uint64_t byte_size(DType dtype, uint64_t elements) {
  const auto bits = static_cast<uint64_t>(bit_width(dtype));
  TENREC_CHECK(bits > 0, invalid_input, "{} elements have no fixed size", name(dtype));
  if (bits < 8) {
    const uint64_t per_byte = 8 / bits;
    return elements / per_byte + (elements % per_byte != 0 ? 1 : 0);
  }
  uint64_t bytes = 0;
  TENREC_CHECK(!__builtin_mul_overflow(elements, bits / 8, &bytes), out_of_memory,
               "{} elements of {} are more bytes than any memory holds", elements, name(dtype));
  return bytes;
}

std::string_view name(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  return index < infos.size() ? infos[index].name : "invalid";
}

std::optional<DType> parse_dtype(std::string_view text) {
  for (const Info& info : infos) {
    if (info.name == text) return info.dtype;
  }
  return std::nullopt;
}

bool is_float(DType dtype) { return info_of(dtype).kind == Class::floating; }
bool is_integer(DType dtype) { return info_of(dtype).kind == Class::integer; }
bool is_signed(DType dtype) { return info_of(dtype).is_signed; }

float half_to_float(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000U} << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t mantissa = bits & 0x3ffU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  const uint32_t wide_exponent = exponent == 0x1f ? 0xff : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (mantissa << 13));
}

// Without branches: compilers make vectors of it.
uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t rebased = magnitude - (uint32_t{127 - 15} << 23);
  uint32_t half = (rebased + 0xfff + ((rebased >> 13) & 1)) >> 13;  // normal halves, from 2^-14
  // A float next to 0.5 has steps of 2^-24, as subnormal halves do: adding 0.5 rounds.
  const uint32_t subnormal = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) -
                             std::bit_cast<uint32_t>(0.5F);
  half = magnitude < 0x38800000 ? subnormal : half;
  half = magnitude >= 0x47800000 ? 0x7c00 : half;             // 65536 and above
  const uint32_t nan = 0x7e00 | ((magnitude >> 13) & 0x3ff);  // quiet, with the top of its payload
  half = magnitude > 0x7f800000 ? nan : half;
  return static_cast<uint16_t>(sign | half);
}

uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

void narrow_floats(DType to, std::span<const float> values, uint16_t* narrow) {
  TENREC_ASSERT(to == DType::f16 || to == DType::bf16);
  const size_t count = values.size();
  if (to == DType::f16) {
    for (size_t i = 0; i < count; ++i) narrow[i] = float_to_half(values[i]);
  } else {
    for (size_t i = 0; i < count; ++i) narrow[i] = float_to_bf16(values[i]);
  }
}

float small_float_to_float(DType dtype, uint8_t bits) {
  if (dtype == DType::f8e8m0) {
    return bits == 0xff ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0F, bits - 127);
  }
  const SmallFormat format = small_format(dtype);
  const int code = bits & ((1 << format.sign_shift()) - 1);
  const bool negative = ((bits >> format.sign_shift()) & 1) != 0;
  const float sign = negative ? -1.0F : 1.0F;
  if (!format.negative_zero && bits == format.nan) return std::numeric_limits<float>::quiet_NaN();
  if (code > format.largest) {
    const bool infinite = format.overflow != format.nan && code == format.overflow;
    return infinite ? sign * std::numeric_limits<float>::infinity()
                    : std::numeric_limits<float>::quiet_NaN();
  }
  const int exponent = code >> format.mantissa_bits;
  const int mantissa = code & ((1 << format.mantissa_bits) - 1);
  const int significand = exponent == 0 ? mantissa : mantissa + (1 << format.mantissa_bits);
  const int scale = (exponent == 0 ? 1 : exponent) - format.bias - format.mantissa_bits;
  return sign * std::ldexp(static_cast<float>(significand), scale);
}

uint8_t float_to_small_float(DType dtype, float value, bool saturate) {
  if (dtype == DType::f8e8m0) return float_to_f8e8m0(value, saturate);
  const SmallFormat format = small_format(dtype);
  const int sign = std::signbit(value) ? 1 << format.sign_shift() : 0;
  if (std::isnan(value)) {
    return static_cast<uint8_t>(format.negative_zero ? format.nan | sign : format.nan);
  }
  int code = 0;
  const float magnitude = std::fabs(value);
  if (std::isinf(value)) {
    code = 0x100;
  } else if (magnitude > 0) {
    const int exponent = std::max(std::ilogb(magnitude), 1 - format.bias);
    if (exponent > 16) {
      code = 0x100;
    } else {
      // In units of the last place; a carry out of the mantissa moves into the exponent by itself.
      const float units = std::ldexp(magnitude, format.mantissa_bits - exponent);
      code = ((exponent + format.bias - 1) << format.mantissa_bits) +
             static_cast<int>(std::nearbyint(units));
    }
  }
  if (code > format.largest) {
    if (!saturate) {
      return static_cast<uint8_t>(format.negative_zero ? format.overflow | sign : format.overflow);
    }
    code = format.largest;
  }
  if (code == 0 && !format.negative_zero) return 0;
  return static_cast<uint8_t>(code | sign);
}

}  // namespace tenrec
