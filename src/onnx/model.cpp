// SPDX-License-Identifier: Apache-2.0
#include "onnx/model.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace tenrec::onnx {

DType to_dtype(int32_t data_type) {
  const bool known = data_type > static_cast<int32_t>(DType::undefined) &&
                     data_type <= static_cast<int32_t>(DType::i2);
  TENREC_CHECK(known, unsupported, "{} is not an element type of ONNX known here (1 to {})",
               data_type, static_cast<int>(DType::i2));
  return static_cast<DType>(data_type);
}

std::string_view name(AttributeType type) {
  static constexpr std::array<std::string_view, 15> names = {
      "undefined",      "float", "int",     "string",  "tensor", "graph",
      "floats",         "ints",  "strings", "tensors", "graphs", "sparse_tensor",
      "sparse_tensors", "type",  "types"};
  const auto index = static_cast<size_t>(type);
  return index < names.size() ? names[index] : "invalid";
}

std::string text(const Attribute& attribute) {
  constexpr size_t most_elements = 8, most_characters = 40;
  const auto list = [&](const auto& values) {
    const size_t shown = std::min(values.size(), most_elements);
    return fmt::format("[{}{}]", fmt::join(values.begin(), values.begin() + shown, ", "),
                       shown < values.size() ? ", ..." : "");
  };
  switch (attribute.type) {
    case AttributeType::f: return fmt::format("{}", attribute.f);
    case AttributeType::i: return fmt::format("{}", attribute.i);
    case AttributeType::s:
      return fmt::format("\"{}{}\"", attribute.s.substr(0, most_characters),
                         attribute.s.size() > most_characters ? "..." : "");
    case AttributeType::floats: return list(attribute.floats);
    case AttributeType::ints: return list(attribute.ints);
    case AttributeType::strings: return list(attribute.strings);
    default: return fmt::format("({})", name(attribute.type));
  }
}

}  // namespace tenrec::onnx
