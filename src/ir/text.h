// SPDX-License-Identifier: Apache-2.0
// Text form of fields: `axis=1, perm=[0, 2, 1], mode="linear", shape=[{N}, {2*H}]`. One writer and
// one reader for everything that has `fields`; ir/print.cpp and ir/parse.cpp do the graph around
// it.
#pragma once
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "base/fields.h"
#include "ir/dim.h"
#include "ir/tensor.h"

namespace tenrec {

constexpr uint64_t max_inline_elements = 64;  // larger constants are printed as @name

// Gives symbols unique names and big tensors `@names` while a graph is printed.
class TextWriter {
 public:
  std::string dim(const Dim& dim);
  std::string shape(const Shape& shape);
  std::string tensor(const Tensor& tensor);
  // "symbols(pad: -8..8, H: 1..9223372036854775807)\n": those written so far that have other bounds
  // than any size; "" where there are none.
  std::string symbols() const;
  // The tensors behind the `@names`, for whoever stores them.
  const std::map<std::string, Tensor>& weights() const { return weights_; }

 private:
  Dim::Binding renamed_;
  std::map<std::string, const Symbol*> names_;
  std::vector<SymbolRef> keep_alive_;
  std::map<std::string, Tensor> weights_;
};

// Recursive-descent reader with positions in its errors.
class TextReader {
 public:
  explicit TextReader(std::string_view text, const std::map<std::string, Tensor>* weights = nullptr)
      : text_(text), weights_(weights) {}
  bool at_end();
  bool accept(std::string_view token);  // skips blanks and comments (`// ...`) first
  void expect(std::string_view token);
  bool peek(std::string_view token);
  std::string identifier();  // [A-Za-z_][A-Za-z0-9_.]*
  std::string quoted();      // JSON escapes
  double number();
  int64_t integer();
  Dim dim(std::string_view closing);  // up to, not including, one of the closing characters
  Shape shape();                      // "[N, 3]"
  Tensor tensor();
  void symbols();  // what TextWriter::symbols wrote, if it is there
  [[noreturn]] void error(std::string_view what) const;

 private:
  void skip_blanks();
  std::string_view text_;
  size_t at_ = 0;
  const std::map<std::string, Tensor>* weights_;
  std::map<std::string, SymbolRef, std::less<>> symbols_;
};

std::string quote(std::string_view text);

namespace text_detail {
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
}  // namespace text_detail

template <HasFields T>
std::string print_fields(const T& object, TextWriter& writer);
template <HasFields T>
void parse_fields(T& object, TextReader& reader, std::string_view closing);

template <class T>
std::string print_value(const T& value, TextWriter& writer) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, DType>) {
    return std::string(name(value));
  } else if constexpr (std::is_enum_v<T>) {
    return fmt::format("{}", static_cast<int64_t>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return fmt::format("{}", value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return quote(value);
  } else if constexpr (std::is_same_v<T, Dim>) {
    return "{" + writer.dim(value) + "}";
  } else if constexpr (std::is_same_v<T, Tensor>) {
    return writer.tensor(value);
  } else if constexpr (text_detail::is_optional<T>::value) {
    return value ? print_value(*value, writer) : "none";
  } else if constexpr (text_detail::is_vector<T>::value) {
    std::string text = "[";
    for (size_t i = 0; i < value.size(); ++i) {
      using Element = typename T::value_type;
      text += (i ? ", " : "") + print_value<Element>(value[i], writer);
    }
    return text + "]";
  } else {
    return "(" + print_fields(value, writer) + ")";
  }
}

template <class T>
void parse_value(T& value, TextReader& reader) {
  if constexpr (std::is_same_v<T, bool>) {
    value = reader.accept("true");
    if (!value) reader.expect("false");
  } else if constexpr (std::is_same_v<T, DType>) {
    const std::string text = reader.identifier();
    const std::optional<DType> dtype = parse_dtype(text);
    if (!dtype) reader.error("unknown element type '" + text + "'");
    value = *dtype;
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(reader.integer());
  } else if constexpr (std::is_integral_v<T>) {
    value = static_cast<T>(reader.integer());
  } else if constexpr (std::is_floating_point_v<T>) {
    value = static_cast<T>(reader.number());
  } else if constexpr (std::is_same_v<T, std::string>) {
    value = reader.quoted();
  } else if constexpr (std::is_same_v<T, Dim>) {
    reader.expect("{");
    value = reader.dim("}");
    reader.expect("}");
  } else if constexpr (std::is_same_v<T, Tensor>) {
    value = reader.tensor();
  } else if constexpr (text_detail::is_optional<T>::value) {
    if (reader.accept("none")) {
      value.reset();
    } else {
      parse_value(value.emplace(), reader);
    }
  } else if constexpr (text_detail::is_vector<T>::value) {
    value.clear();
    reader.expect("[");
    while (!reader.accept("]")) {
      if (!value.empty()) reader.expect(",");
      typename T::value_type element{};
      parse_value(element, reader);
      value.push_back(std::move(element));
    }
  } else {
    reader.expect("(");
    parse_fields(value, reader, ")");
    reader.expect(")");
  }
}

// Fields equal to the default-constructed struct's are left out.
template <HasFields T>
std::string print_fields(const T& object, TextWriter& writer) {
  const T defaults{};
  std::string text;
  const auto print_one = [&](auto f, auto fallback) {
    if (f.value == fallback.value) return;
    using Value = std::remove_const_t<std::remove_reference_t<decltype(f.value)>>;
    text += (text.empty() ? "" : ", ") + std::string(f.name) + "=" +
            print_value<Value>(f.value, writer);
  };
  std::apply(
      [&](auto... f) {
        std::apply([&](auto... d) { (print_one(f, d), ...); }, T::fields(defaults));
      },
      T::fields(object));
  return text;
}

template <HasFields T>
void parse_fields(T& object, TextReader& reader, std::string_view closing) {
  bool first = true;
  while (!reader.peek(closing)) {
    if (!first) reader.expect(",");
    first = false;
    const std::string wanted = reader.identifier();
    reader.expect("=");
    bool found = false;
    for_each_field(object, [&](auto f) {
      if (f.name != wanted) return;
      parse_value(f.value, reader);
      found = true;
    });
    if (!found) reader.error("unknown field '" + wanted + "'");
  }
}

}  // namespace tenrec
