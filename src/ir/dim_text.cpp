// SPDX-License-Identifier: Apache-2.0
// Dim::str and parse_dim.
//
//   sum     = term (("+" | "-") term)*          term = factor ("*" factor)*
//   factor  = "-" factor | integer | name | quoted name | "(" sum ")"
//           | function "(" sum ("," sum)* ")"
#include <fmt/format.h>

#include <charconv>

#include "ir/dim_node.h"

namespace tenrec {
namespace {

using Kind = Dim::Kind;

constexpr int max_nesting = 1000;

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool continues_name(char c) { return starts_name(c) || is_digit(c) || c == '.' || c == ':'; }

// ONNX allows any text as a dim's name. What is no identifier is quoted, and everything that could
// end a Dim in a surrounding text is written as \xNN.
std::string name_text(std::string_view name) {
  bool plain = !name.empty() && starts_name(name[0]);
  for (const char c : name) plain &= continues_name(c);
  if (plain) return std::string(name);
  std::string text = "\"";
  for (const char c : name) {
    const bool harmless =
        continues_name(c) || std::string_view(" +-*/%@#").find(c) != std::string::npos;
    text += harmless ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return text + "\"";
}

std::string_view function_name(Kind kind) {
  switch (kind) {
    case Kind::floordiv: return "floordiv";
    case Kind::mod: return "mod";
    case Kind::min: return "min";
    case Kind::max: return "max";
    case Kind::scaled: return "scaled";
    case Kind::broadcast: return "broadcast";
    default: return "";
  }
}

void write(const Dim& dim, std::string& out);

void write_product(const NodeRef& product, std::string& out) {
  const std::vector<Dim> atoms = factors(product);
  for (size_t i = 0; i < atoms.size(); ++i) {
    if (i > 0) out += '*';
    const DimNode& atom = *node_of(atoms[i]);
    if (atom.symbol) {
      out += name_text(atom.symbol->name);
      continue;
    }
    out += function_name(atom.kind);
    out += '(';
    for (size_t j = 0; j < atom.operands.size(); ++j) {
      if (j > 0) out += ", ";
      write(atom.operands[j], out);
    }
    out += ')';
  }
}

uint64_t magnitude(int64_t value) {
  return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

void write(const Dim& dim, std::string& out) {
  const LinearView view(dim);
  bool first = true;
  const auto write_sign = [&](int64_t value) {
    if (first) out += value < 0 ? "-" : "";
    else out += value < 0 ? " - " : " + ";
    first = false;
  };
  for (const Term& term : view.terms()) {
    write_sign(term.coefficient);
    if (magnitude(term.coefficient) != 1) out += fmt::format("{}*", magnitude(term.coefficient));
    write_product(term.product, out);
  }
  if (view.constant() == 0 && !first) return;
  write_sign(view.constant());
  out += std::to_string(magnitude(view.constant()));
}

class Parser {
 public:
  using Lookup = std::function<SymbolRef(std::string_view)>;
  Parser(std::string_view text, const Lookup& lookup) : text_(text), lookup_(lookup) {}

  Dim whole() {
    const Dim dim = sum();
    if (!rest().empty()) error("expected the end");
    return dim;
  }

 private:
  Dim sum() {
    if (++nesting_ > max_nesting) error("expected fewer nested parts");
    Dim total = term();
    while (true) {
      if (accept('+')) total = total + term();
      else if (accept('-')) total = total - term();
      else break;
    }
    --nesting_;
    return total;
  }

  Dim term() {
    Dim result = factor();
    while (accept('*')) result = result * factor();
    return result;
  }

  Dim factor() {
    bool negative = false;
    while (accept('-')) negative = !negative;
    if (!rest().empty() && is_digit(rest()[0])) return integer(negative);
    const Dim value = primary();
    return negative ? Dim(0) - value : value;
  }

  Dim primary() {
    if (accept('(')) {
      const Dim inner = sum();
      expect(')');
      return inner;
    }
    if (accept('"')) return symbol(quoted());
    const std::string_view word = name();
    return accept('(') ? call(word) : symbol(word);
  }

  Dim integer(bool negative) {
    uint64_t value = 0;
    const char* begin = rest().data();
    const auto [end, code] = std::from_chars(begin, text_.data() + text_.size(), value);
    const uint64_t limit = static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
    if (code != std::errc() || value > limit) error("expected an integer of 64 bits");
    at_ += static_cast<size_t>(end - begin);
    return static_cast<int64_t>(negative ? uint64_t{0} - value : value);
  }

  std::string_view name() {
    const std::string_view left = rest();
    if (left.empty() || !starts_name(left[0])) error("expected a size");
    size_t length = 1;
    while (length < left.size() && continues_name(left[length])) ++length;
    at_ += length;
    return left.substr(0, length);
  }

  std::string quoted() {
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      char c = text_[at_++];
      if (c == '\\') {
        unsigned code = 0;
        const std::string_view digits = text_.substr(at_).substr(0, 3);
        const char* begin = digits.data() + 1;
        if (digits.size() != 3 || digits[0] != 'x' ||
            std::from_chars(begin, begin + 2, code, 16).ptr != begin + 2) {
          error("expected \\xNN");
        }
        c = static_cast<char>(static_cast<unsigned char>(code));
        at_ += 3;
      }
      out += c;
    }
    if (at_ == text_.size()) error("expected a closing quote");
    ++at_;
    return out;
  }

  Dim symbol(std::string_view word) {
    SymbolRef found = lookup_(word);
    if (!found) error(fmt::format("expected a known symbol instead of '{}'", word));
    return Dim::symbol(std::move(found));
  }

  Dim call(std::string_view function) {
    using Function = Dim (*)(const Dim&, const Dim&);
    static constexpr std::pair<std::string_view, Function> functions[] = {
        {"floordiv", floordiv}, {"ceildiv", ceildiv},    {"mod", mod}, {"min", min}, {"max", max},
        {"scaled", scaled},     {"broadcast", broadcast}};
    for (const auto& [known, apply] : functions) {
      if (known != function) continue;
      Dim result = sum();
      size_t count = 1;
      for (; accept(','); ++count) result = apply(result, sum());
      expect(')');
      const bool binary = apply == floordiv || apply == ceildiv || apply == mod || apply == scaled;
      if (count < 2 || (binary && count > 2))
        error(fmt::format("expected two operands of {}", known));
      return result;
    }
    error(fmt::format("expected a known function instead of '{}'", function));
  }

  std::string_view rest() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    return text_.substr(at_);
  }

  bool accept(char c) {
    if (rest().empty() || rest()[0] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) error(fmt::format("expected '{}'", c));
  }

  [[noreturn]] void error(const std::string& expected) const {
    fail(ErrorCode::invalid_model, "cannot read the size '{}': {} at position {}", text_, expected,
         at_);
  }

  std::string_view text_;
  const Lookup& lookup_;
  size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

std::string Dim::str() const {
  std::string out;
  write(*this, out);
  return out;
}

Dim parse_dim(std::string_view text,
              const std::function<SymbolRef(std::string_view name)>& lookup) {
  return Parser(text, lookup).whole();
}

}  // namespace tenrec
