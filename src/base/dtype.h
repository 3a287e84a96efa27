// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tenrec/dtype.h"

namespace tenrec {

constexpr bool is_valid(DType t) { return t <= DType::i2; }  // a number read from a file
int bit_width(DType dtype);                                  // 32 for f32, 4 for i4, 0 for string
inline bool is_sub_byte(DType t) { return bit_width(t) > 0 && bit_width(t) < 8; }
uint64_t byte_size(DType dtype,
                   uint64_t elements);  // rounded up to whole bytes; strings: an assert
std::string_view name(DType dtype);     // "f32", "i64", "bool", ...
std::optional<DType> parse_dtype(std::string_view text);
bool is_float(DType dtype);    // f64, f32, f16, bf16, every f8 and f4
bool is_integer(DType dtype);  // signed and unsigned, not bool
bool is_signed(DType dtype);

// Conversions round to nearest even, f8e8m0's upwards (ONNX Cast's default). fp8 conversions
// saturate as Cast does by default; f4e2m1 always saturates.
float half_to_float(uint16_t bits);
uint16_t float_to_half(float value);
inline float bf16_to_float(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }
uint16_t float_to_bf16(float value);
void narrow_floats(DType to, std::span<const float> values, uint16_t* narrow);  // f16 or bf16
float small_float_to_float(DType dtype, uint8_t bits);                          // f8*, f4e2m1
uint8_t float_to_small_float(DType dtype, float value, bool saturate = true);

}  // namespace tenrec
