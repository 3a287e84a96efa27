// SPDX-License-Identifier: Apache-2.0
#include "ir/text.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace tenrec {

std::string TextWriter::dim(const Dim& dim) {
  std::vector<SymbolRef> symbols;
  dim.collect_symbols(symbols);
  for (const SymbolRef& symbol : symbols) {
    if (renamed_.count(symbol.get())) continue;
    std::string unique = symbol->name;
    for (int i = 1; names_.count(unique); ++i) unique = fmt::format("{}_{}", symbol->name, i);
    names_[unique] = symbol.get();
    keep_alive_.push_back(symbol);
    if (unique == symbol->name) {
      renamed_[symbol.get()] = Dim::symbol(symbol);
      continue;
    }
    auto copy = std::make_shared<Symbol>(*symbol);
    copy->name = unique;
    renamed_[symbol.get()] = Dim::symbol(copy);
  }
  return dim.substitute(renamed_).str();
}

std::string TextWriter::symbols() const {
  static const Symbol any_size{};
  std::string text;
  for (const auto& [name, symbol] : names_) {
    if (symbol->lower == any_size.lower && symbol->upper == any_size.upper) continue;
    text += fmt::format("{}{}: {}..{}", text.empty() ? "symbols(" : ", ", name, symbol->lower,
                        symbol->upper);
  }
  return text.empty() ? "" : text + ")\n";
}

std::string TextWriter::shape(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + dim(shape[i]);
  return text + "]";
}

std::string TextWriter::tensor(const Tensor& tensor) {
  if (!tensor) return "none";
  std::string text = fmt::format("{}{}", name(tensor.dtype()), to_string(tensor.dims()));
  if (tensor.dtype() == DType::string) {
    for (size_t i = 0; i < tensor.strings().size(); ++i) {
      text += (i ? ", " : "(") + quote(tensor.strings()[i]);
    }
    return text + (tensor.strings().empty() ? "()" : ")");
  }
  if (tensor.elements() > max_inline_elements || tensor.dtype() == DType::c64 ||
      tensor.dtype() == DType::c128) {
    for (const auto& [known, other] : weights_) {
      if (other.data() == tensor.data() && other == tensor) return "@" + known;
    }
    std::string weight = fmt::format("w{}", weights_.size());
    weights_[weight] = tensor;
    return "@" + weight;
  }
  if (is_float(tensor.dtype())) {
    return text + fmt::format("({})", fmt::join(tensor.to_doubles(), ", "));
  }
  return text + fmt::format("({})", fmt::join(tensor.to_ints(), ", "));
}

void TextReader::skip_blanks() {
  while (at_ < text_.size()) {
    if (std::isspace(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    } else if (text_.substr(at_, 2) == "//") {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      return;
    }
  }
}

void TextReader::error(std::string_view what) const {
  const auto line =
      std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
  fail(ErrorCode::invalid_model, "text IR line {}: {} before '{}'", line + 1, what,
       text_.substr(at_, std::min<size_t>(24, text_.size() - at_)));
}

bool TextReader::at_end() {
  skip_blanks();
  return at_ == text_.size();
}

bool TextReader::peek(std::string_view token) {
  skip_blanks();
  return text_.substr(at_, token.size()) == token;
}

bool TextReader::accept(std::string_view token) {
  if (!peek(token)) return false;
  at_ += token.size();
  return true;
}

void TextReader::expect(std::string_view token) {
  if (!accept(token)) error(fmt::format("expected '{}'", token));
}

std::string TextReader::identifier() {
  skip_blanks();
  const size_t start = at_;
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
  };
  while (at_ < text_.size() && is_word(text_[at_])) ++at_;
  if (start == at_) error("expected a name");
  return std::string(text_.substr(start, at_ - start));
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 32 || byte == 127) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string TextReader::quoted() {
  expect("\"");
  std::string out;
  while (at_ < text_.size() && text_[at_] != '"') {
    char c = text_[at_++];
    if (c == '\\' && at_ < text_.size()) {
      c = text_[at_++];
      if (c == 'x') {
        unsigned value = 0;
        const char* begin = text_.data() + at_;
        if (at_ + 2 > text_.size() ||
            std::from_chars(begin, begin + 2, value, 16).ptr != begin + 2) {
          error("bad escape");
        }
        at_ += 2;
        c = static_cast<char>(value);
      }
    }
    out += c;
  }
  if (at_ == text_.size()) error("unfinished string");
  ++at_;
  return out;
}

double TextReader::number() {
  skip_blanks();
  double value = 0;
  const char* begin = text_.data() + at_;
  const auto [end, code] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (code != std::errc() && code != std::errc::result_out_of_range) error("expected a number");
  at_ += static_cast<size_t>(end - begin);
  return value;
}

int64_t TextReader::integer() {
  skip_blanks();
  int64_t value = 0;
  const char* begin = text_.data() + at_;
  const auto [end, code] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (code != std::errc()) error("expected an integer");
  at_ += static_cast<size_t>(end - begin);
  return value;
}

Dim TextReader::dim(std::string_view closing) {
  skip_blanks();
  const size_t start = at_;
  int depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (depth == 0 && closing.find(c) != closing.npos) break;
    if (c == '(') ++depth;
    if (c == ')') --depth;
    ++at_;
  }
  return parse_dim(text_.substr(start, at_ - start), [this](std::string_view symbol) {
    auto& entry = symbols_[std::string(symbol)];
    if (!entry) entry = Dim::fresh(std::string(symbol)).as_symbol();
    return entry;
  });
}

void TextReader::symbols() {
  if (!accept("symbols(")) return;
  while (!accept(")")) {
    if (!symbols_.empty()) expect(",");
    const std::string name = identifier();
    expect(":");
    const int64_t lower = integer();
    expect("..");
    const int64_t upper = integer();
    if (lower > upper) error("the lower bound of " + name + " is above the upper one");
    if (!symbols_.emplace(name, Dim::fresh(name, lower, upper).as_symbol()).second)
      error("the symbol " + name + " is there twice");
  }
}

Shape TextReader::shape() {
  Shape shape;
  expect("[");
  while (!accept("]")) {
    if (!shape.empty()) expect(",");
    shape.push_back(dim(",]"));
  }
  return shape;
}

Tensor TextReader::tensor() {
  if (accept("@")) {
    const std::string weight = identifier();
    if (!weights_ || !weights_->count(weight)) error("no weight @" + weight);
    return weights_->at(weight);
  }
  if (accept("none")) return {};
  DType dtype{};
  parse_value(dtype, *this);
  const Shape symbolic = shape();
  if (!is_static(symbolic)) error("a constant needs a static shape");
  const Dims dims = static_dims(symbolic);
  expect("(");
  std::vector<double> numbers;
  std::vector<int64_t> integers;
  std::vector<std::string> strings;
  while (!accept(")")) {
    if (!numbers.empty() || !integers.empty() || !strings.empty()) expect(",");
    if (dtype == DType::string) strings.push_back(quoted());
    else if (is_float(dtype)) numbers.push_back(number());
    else integers.push_back(integer());
  }
  if (strings.size() + numbers.size() + integers.size() != element_count(dims)) {
    error("the constant's shape and its number of elements differ");
  }
  if (dtype == DType::string) return Tensor::of_strings(dims, std::move(strings));
  return is_float(dtype) ? Tensor::from_doubles(dtype, dims, numbers)
                         : Tensor::from_ints(dtype, dims, integers);
}

}  // namespace tenrec
