// SPDX-License-Identifier: Apache-2.0
// Text operators; they run on the host.
#pragma once
#include <string>
#include <vector>

#include "ir/op_decl.h"

namespace tenrec {

// Element by element, the second string behind the first; shapes broadcast.
struct StringConcat {
  static auto fields(auto&) { return std::tuple{}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(StringConcat, "string_concat")

// The pieces of each string along a new last axis (filled up with empty strings), and how many
// there are. An empty delimiter splits at runs of white space.
struct StringSplit {
  std::string delimiter;
  int64_t maxsplit = std::numeric_limits<int64_t>::max();
  static auto fields(auto& s) {
    return std::tuple{field(1, "delimiter", s.delimiter), field(2, "maxsplit", s.maxsplit)};
  }
  static constexpr Accuracy accuracy = exact();
  static constexpr bool data_dependent = true;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(StringSplit, "string_split")

// Whether the pattern (ECMAScript's syntax) describes the whole string.
struct RegexFullMatch {
  std::string pattern;
  static auto fields(auto& s) { return std::tuple{field(1, "pattern", s.pattern)}; }
  static constexpr Accuracy accuracy = exact();
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(RegexFullMatch, "regex_full_match")

// Drops stop words from a list, [C] or [1, C], and changes the case of the rest; one empty string
// if nothing is left.
struct StringNormalizer {
  std::string case_change_action = "NONE";  // NONE, LOWER, UPPER
  bool is_case_sensitive = false;
  std::string locale;
  std::vector<std::string> stopwords;
  static auto fields(auto& s) {
    return std::tuple{field(1, "case_change_action", s.case_change_action),
                      field(2, "is_case_sensitive", s.is_case_sensitive),
                      field(3, "locale", s.locale), field(4, "stopwords", s.stopwords)};
  }
  static constexpr Accuracy accuracy = exact();
  static constexpr bool data_dependent = true;
  Types infer(const Types& in) const;
  Tensors eval(const Tensors& in) const;
};
TENREC_OP(StringNormalizer, "string_normalizer")

}  // namespace tenrec
