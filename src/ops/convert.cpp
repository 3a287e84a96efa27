// SPDX-License-Identifier: Apache-2.0
#include "ops/convert.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "ops/elementwise.h"
#include "ops/support.h"

namespace tenrec {
namespace {

// A whole text as a number of type T; std::from_chars knows "inf" and "nan" in any case, no "+".
template <class T>
std::optional<T> parse(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

double parse_number(const std::string& text) {
  const std::optional<double> value = parse<double>(text);
  TENREC_CHECK(value, invalid_input, "\"{}\" is not a number", text);
  return *value;
}

int64_t parse_integer(const std::string& text) {
  if (const auto value = parse<int64_t>(text)) return *value;
  if (const auto value = parse<uint64_t>(text)) return static_cast<int64_t>(*value);
  const double number = parse_number(text);
  TENREC_CHECK(std::abs(number) < 0x1p63, invalid_input, "\"{}\" does not fit an integer", text);
  return static_cast<int64_t>(number);
}

Tensor from_strings(const Tensor& x, DType to) {
  const std::vector<std::string>& texts = x.strings();
  if (is_float(to) || to == DType::boolean) {
    std::vector<double> values;
    for (const std::string& text : texts) values.push_back(parse_number(text));
    return Tensor::from_doubles(to, x.dims(), values);
  }
  std::vector<int64_t> values;
  for (const std::string& text : texts) values.push_back(parse_integer(text));
  return Tensor::from_ints(to, x.dims(), values);
}

// The shortest text that reads back as the same number of the type.
template <class T>
std::string text_of(T value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-INF" : "INF";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

Tensor to_strings(const Tensor& x) {
  std::vector<std::string> texts;
  if (x.dtype() == DType::f64) {
    for (const double value : x.to_doubles()) texts.push_back(text_of(value));
  } else if (is_float(x.dtype())) {
    for (const double value : x.to_doubles()) texts.push_back(text_of(static_cast<float>(value)));
  } else if (x.dtype() == DType::boolean) {
    for (const int64_t value : x.to_ints()) texts.emplace_back(value != 0 ? "True" : "False");
  } else {
    for (const int64_t value : x.to_ints()) {
      texts.push_back(x.dtype() == DType::u64 ? std::to_string(static_cast<uint64_t>(value))
                                              : std::to_string(value));
    }
  }
  return Tensor::of_strings(x.dims(), std::move(texts));
}

// A power of two: code - 127 is the exponent, 0xff is NaN.
uint8_t to_f8e8m0(double value, const std::string& round_mode, bool saturate) {
  constexpr uint8_t largest = 0xfe, not_a_number = 0xff;
  if (std::isnan(value) || (value <= 0 && !saturate)) return not_a_number;
  if (value <= 0) return 0;
  if (std::isinf(value)) return saturate ? largest : not_a_number;
  int exponent = std::ilogb(value);
  const double fraction = std::ldexp(value, -exponent) - 1;
  if (round_mode == "up" && fraction > 0) ++exponent;
  if (round_mode == "nearest" && fraction >= 0.5) ++exponent;
  const int code = exponent + 127;
  if (code > largest) return saturate ? largest : not_a_number;
  return static_cast<uint8_t>(std::max(code, 0));
}

}  // namespace

Types Convert::infer(const Types& in) const {
  const Type& x = required(in, 0, "the input");
  TENREC_CHECK(round_mode == "up" || round_mode == "down" || round_mode == "nearest", invalid_model,
               "round_mode is \"{}\", expected up, down or nearest", round_mode);
  const auto is_number = [](DType dtype) {
    return is_float(dtype) || is_integer(dtype) || dtype == DType::boolean;
  };
  const bool from_text = x.dtype == DType::string && is_number(to);
  const bool to_text = to == DType::string && is_number(x.dtype);
  const bool to_fp8 = is_number(x.dtype) && is_float(to) && bit_width(to) == 8;
  TENREC_CHECK(from_text || to_text || to_fp8 || x.dtype == to, invalid_model,
               "{} to {} is no text and no fp8; expected a plain cast", name(x.dtype), name(to));
  return {x.ranked ? Type::tensor(to, x.shape) : Type::unranked(to)};
}

Tensors Convert::eval(const Tensors& in) const {
  const Tensor& x = in[0];
  if (x.dtype() == to) return {x};
  if (x.dtype() == DType::string) return {from_strings(x, to)};
  if (to == DType::string) return {to_strings(x)};
  const std::vector<double> values = x.to_doubles();
  Tensor out(to, x.dims());
  TENREC_ASSERT(bit_width(to) == 8, "{} to {} is a plain cast", name(x.dtype()), name(to));
  const std::span<std::byte> codes{out.mutable_data(), values.size()};
  for (size_t i = 0; i < values.size(); ++i) {
    codes[i] = static_cast<std::byte>(
        to == DType::f8e8m0 ? to_f8e8m0(values[i], round_mode, saturate)
                            : float_to_small_float(to, static_cast<float>(values[i]), saturate));
  }
  return {out};
}

Values add_cast(const OnnxNode& node, OnnxContext& context, Value* x, DType to) {
  Convert op;
  op.to = to;
  op.saturate = node.integer("saturate", 1) != 0;
  op.round_mode = node.text("round_mode", "up");
  const DType from = x->type.dtype;
  const bool is_text = from == DType::string || to == DType::string;
  const bool is_fp8 = is_float(to) && bit_width(to) == 8;
  const bool is_plain =
      !is_fp8 || (op.saturate && (to != DType::f8e8m0 || op.round_mode == "up")) || from == to;
  if (is_text || !is_plain) return context.add(op, {x});
  return context.add(Cast{.to = to}, {x});
}

}  // namespace tenrec
