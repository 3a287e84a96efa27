// SPDX-License-Identifier: Apache-2.0
#include "ops/strings.h"

#include <algorithm>
#include <regex>

#include "ops/expand.h"
#include "ops/movement.h"

namespace tenrec {
namespace {

const Type& string_input(const Types& in, size_t i, std::string_view op) {
  const Type& type = tensor_input(in, i, op);
  TENREC_CHECK(type.dtype == DType::string, invalid_model, "{} takes strings, got {}", op,
               type.str());
  return type;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::vector<std::string> split_at_spaces(const std::string& text, int64_t limit) {
  std::vector<std::string> pieces;
  size_t at = 0;
  while (true) {
    while (at < text.size() && is_space(text[at])) ++at;
    if (at == text.size()) return pieces;
    if (static_cast<int64_t>(pieces.size()) == limit) break;
    size_t end = at;
    while (end < text.size() && !is_space(text[end])) ++end;
    pieces.push_back(text.substr(at, end - at));
    at = end;
  }
  size_t end = text.size();
  while (end > at && is_space(text[end - 1])) --end;
  pieces.push_back(text.substr(at, end - at));
  return pieces;
}

std::vector<std::string> split_at(const std::string& text, const std::string& delimiter,
                                  int64_t limit) {
  std::vector<std::string> pieces;
  size_t at = 0;
  while (static_cast<int64_t>(pieces.size()) < limit) {
    const size_t end = text.find(delimiter, at);
    if (end == text.npos) break;
    pieces.push_back(text.substr(at, end - at));
    at = end + delimiter.size();
  }
  pieces.push_back(text.substr(at));
  return pieces;
}

// Case of the letters whose two forms lie a fixed distance apart: Latin, Greek and Cyrillic.
char32_t lower(char32_t c) {
  const bool shifted = (c >= U'A' && c <= U'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) ||
                       (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F);
  if (shifted) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  const bool paired = (c >= 0x100 && c <= 0x137 && c != 0x130) || (c >= 0x14A && c <= 0x177) ||
                      (c >= 0x460 && c <= 0x481);
  if (paired && c % 2 == 0) return c + 1;
  if (((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) && c % 2 == 1) return c + 1;
  return c;
}

char32_t upper(char32_t c) {
  for (const char32_t distance : {32U, 80U, 1U}) {
    if (c > distance && lower(c - distance) == c && lower(c) == c) return c - distance;
  }
  return c;
}

// Applies `change` to every character of a UTF-8 string; bytes that are none stay.
template <class Change>
std::string map_characters(const std::string& text, const Change& change) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const bool two = first >= 0xC2 && first < 0xE0 && i + 1 < text.size();
    if (first < 0x80) {
      out += static_cast<char>(change(first));
    } else if (two) {
      const char32_t c =
          change(((first & 31U) << 6) | (static_cast<unsigned char>(text[i + 1]) & 63U));
      out += static_cast<char>(0xC0U | (c >> 6));
      out += static_cast<char>(0x80U | (c & 63U));
      ++i;
    } else {
      out += text[i];
    }
    ++i;
  }
  return out;
}

std::string lower_text(const std::string& text) { return map_characters(text, lower); }
std::string upper_text(const std::string& text) { return map_characters(text, upper); }

}  // namespace

Types StringConcat::infer(const Types& in) const {
  check_input_count(in, 2, 2, "StringConcat");
  const Type& a = string_input(in, 0, "StringConcat");
  const Type& b = string_input(in, 1, "StringConcat");
  if (!a.ranked || !b.ranked) return {Type::unranked(DType::string)};
  return {Type::tensor(DType::string, broadcast_shapes(a.shape, b.shape))};
}

Tensors StringConcat::eval(const Tensors& in) const {
  const Dims dims = broadcast_dims(in[0].dims(), in[1].dims());
  const Tensor target = Tensor::of({static_cast<int64_t>(dims.size())}, dims);
  std::vector<std::string> out = Expand{}.eval({in[0], target})[0].strings();
  const Tensor second = Expand{}.eval({in[1], target})[0];
  for (size_t i = 0; i < out.size(); ++i) out[i] += second.strings()[i];
  return {Tensor::of_strings(dims, std::move(out))};
}

Types StringSplit::infer(const Types& in) const {
  const Type& x = string_input(in, 0, "StringSplit");
  if (!x.ranked) return {x, Type::unranked(DType::i64)};
  Shape shape = x.shape;
  shape.push_back(Dim::fresh("pieces"));
  return {Type::tensor(DType::string, std::move(shape)), Type::tensor(DType::i64, x.shape)};
}

Tensors StringSplit::eval(const Tensors& in) const {
  std::vector<std::vector<std::string>> pieces;
  std::vector<int64_t> counts;
  size_t widest = 0;
  for (const std::string& text : in[0].strings()) {
    pieces.push_back(delimiter.empty() ? split_at_spaces(text, maxsplit)
                                       : split_at(text, delimiter, maxsplit));
    counts.push_back(static_cast<int64_t>(pieces.back().size()));
    widest = std::max(widest, pieces.back().size());
  }
  std::vector<std::string> flat;
  for (std::vector<std::string>& row : pieces) {
    row.resize(widest);
    flat.insert(flat.end(), row.begin(), row.end());
  }
  Dims dims = in[0].dims();
  dims.push_back(static_cast<int64_t>(widest));
  return {Tensor::of_strings(dims, std::move(flat)), Tensor::of(in[0].dims(), counts)};
}

Types RegexFullMatch::infer(const Types& in) const {
  const Type& x = string_input(in, 0, "RegexFullMatch");
  return {x.ranked ? Type::tensor(DType::boolean, x.shape) : Type::unranked(DType::boolean)};
}

Tensors RegexFullMatch::eval(const Tensors& in) const {
  std::vector<bool> matches;
  try {
    const std::regex regex(pattern);
    for (const std::string& text : in[0].strings())
      matches.push_back(std::regex_match(text, regex));
  } catch (const std::regex_error& error) {
    fail(ErrorCode::invalid_model, "RegexFullMatch with pattern '{}': {}", pattern, error.what());
  }
  return {Tensor::of(in[0].dims(), matches)};
}

Types StringNormalizer::infer(const Types& in) const {
  const Type& x = string_input(in, 0, "StringNormalizer");
  TENREC_CHECK(case_change_action == "NONE" || case_change_action == "LOWER" ||
                   case_change_action == "UPPER",
               invalid_model, "StringNormalizer action '{}'; there are NONE, LOWER and UPPER",
               case_change_action);
  if (!x.ranked) return {x};
  TENREC_CHECK(x.rank() == 1 || x.rank() == 2, invalid_model,
               "StringNormalizer of {}; it takes [C] or [1, C]", x.str());
  Shape shape = x.shape;
  if (shape.size() == 2) shape[0] = agreed(shape[0], 1, "StringNormalizer's first axis");
  shape.back() = Dim::fresh("words", 1, std::max<int64_t>(shape.back().upper(), 1));
  return {Type::tensor(DType::string, std::move(shape))};
}

Tensors StringNormalizer::eval(const Tensors& in) const {
  const auto key = [&](const std::string& word) {
    return is_case_sensitive ? word : lower_text(word);
  };
  std::vector<std::string> stops;
  for (const std::string& word : stopwords) stops.push_back(key(word));
  std::vector<std::string> kept;
  for (const std::string& word : in[0].strings()) {
    if (std::find(stops.begin(), stops.end(), key(word)) != stops.end()) continue;
    if (case_change_action == "LOWER") kept.push_back(lower_text(word));
    else if (case_change_action == "UPPER") kept.push_back(upper_text(word));
    else kept.push_back(word);
  }
  if (kept.empty()) kept.emplace_back();
  Dims dims = in[0].dims();
  dims.back() = static_cast<int64_t>(kept.size());
  return {Tensor::of_strings(dims, std::move(kept))};
}

}  // namespace tenrec
