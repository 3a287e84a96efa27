// SPDX-License-Identifier: Apache-2.0
// Any struct with `fields` (base/fields.h) to protobuf wire format and back.
//
// bool, integers and enums are varints (int64 style, no zigzag), float and double fixed, vectors of
// these packed; strings, structs and WireCodec types length-delimited, vectors of them repeated. An
// element that has no protobuf form of its own (a vector in a vector or optional, an optional in a
// vector) becomes a message whose field 1 it is. A field equal to its value in a
// default-constructed struct is left out, so defaults are part of the format: changing one changes
// old files' meaning.
//
// decode() is for untrusted bytes: lengths, depth and memory are limited, integers range-checked,
// unknown fields skipped. An enum is checked by `bool is_valid(E)` found beside it, if there is
// one.
#pragma once
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/protobuf.h"

namespace tenrec {

// Specialise for types without `fields`; decode throws an Error on bad bytes.
//   template <> struct WireCodec<Dim> {
//     static std::string encode(const Dim&);
//     static Dim decode(std::string_view bytes);
//   };
template <class T>
struct WireCodec;

struct WireLimits {
  int depth = 64;
  uint64_t memory = uint64_t{2} << 30;  // of all elements of vectors
};

template <HasFields T>
std::string encode(const T& object);
template <HasFields T>
T decode(std::string_view bytes, const WireLimits& limits = {});

namespace wire {

template <class T>
concept Scalar = std::is_arithmetic_v<T> || std::is_enum_v<T>;
template <class T>
concept HasCodec = requires(const T& value, std::string_view bytes) {
  { WireCodec<T>::encode(value) } -> std::convertible_to<std::string>;
  { WireCodec<T>::decode(bytes) } -> std::same_as<T>;
};
template <class E>
concept HasEnumCheck = requires(E value) {
  { is_valid(value) } -> std::same_as<bool>;
};

template <class T>
constexpr bool is_vector = false;
template <class T>
constexpr bool is_vector<std::vector<T>> = true;
template <class T>
constexpr bool is_optional = false;
template <class T>
constexpr bool is_optional<std::optional<T>> = true;

// ------------------------------------------------------------------------------------- encoding

template <Scalar T>
auto scalar_bits(T value) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<uint32_t>(value);
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<uint64_t>(value);
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<uint64_t>(static_cast<std::underlying_type_t<T>>(value));
  } else {
    return static_cast<uint64_t>(value);  // sign-extends
  }
}

template <Scalar T>
constexpr WireType scalar_type = std::is_same_v<T, float>    ? WireType::fixed32
                                 : std::is_same_v<T, double> ? WireType::fixed64
                                                             : WireType::varint;

// Floats by their bits: -0.0 and every NaN survive.
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (Scalar<T>) {
    return scalar_bits(a) == scalar_bits(b);
  } else if constexpr (HasCodec<T>) {
    return WireCodec<T>::encode(a) == WireCodec<T>::encode(b);
  } else if constexpr (HasFields<T>) {
    return std::apply(
        [&](auto... fa) {
          return std::apply([&](auto... fb) { return (same(fa.value, fb.value) && ...); },
                            T::fields(b));
        },
        T::fields(a));
  } else if constexpr (is_optional<T>) {
    return a.has_value() == b.has_value() && (!a || same(*a, *b));
  } else if constexpr (is_vector<T>) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!same<typename T::value_type>(a[i], b[i])) return false;
    }
    return true;
  } else {
    return a == b;
  }
}

template <class T>
std::string encode_message(const T& value);

template <Scalar T>
std::string packed(const std::vector<T>& values) {
  std::string payload;
  for (const T value : values) {
    if constexpr (scalar_type<T> == WireType::fixed32) {
      append_fixed32(payload, scalar_bits(value));
    } else if constexpr (scalar_type<T> == WireType::fixed64) {
      append_fixed64(payload, scalar_bits(value));
    } else {
      append_varint(payload, scalar_bits(value));
    }
  }
  return payload;
}

template <class T>
void write_field(ProtobufWriter& writer, uint32_t id, const T& value) {
  if constexpr (Scalar<T>) {
    if constexpr (scalar_type<T> == WireType::fixed32) {
      writer.fixed32(id, scalar_bits(value));
    } else if constexpr (scalar_type<T> == WireType::fixed64) {
      writer.fixed64(id, scalar_bits(value));
    } else {
      writer.varint(id, scalar_bits(value));
    }
  } else if constexpr (std::is_same_v<T, std::string>) {
    writer.bytes(id, value);
  } else if constexpr (is_optional<T>) {
    using Element = typename T::value_type;
    TENREC_ASSERT(value.has_value(), "field {}: an optional's default must be empty", id);
    if constexpr (is_vector<Element> || is_optional<Element>) {
      writer.bytes(id, encode_message(*value));
    } else {
      write_field(writer, id, *value);
    }
  } else if constexpr (is_vector<T>) {
    using Element = typename T::value_type;
    if constexpr (Scalar<Element>) {
      writer.bytes(id, packed(value));
    } else {
      TENREC_ASSERT(!value.empty(), "field {}: a vector of messages must be empty by default", id);
      for (const Element& element : value) {
        if constexpr (std::is_same_v<Element, std::string>) {
          writer.bytes(id, element);
        } else {
          writer.bytes(id, encode_message(element));
        }
      }
    }
  } else {
    writer.bytes(id, encode_message(value));
  }
}

template <class T>
std::string encode_message(const T& value) {
  if constexpr (HasCodec<T>) {
    return WireCodec<T>::encode(value);
  } else if constexpr (HasFields<T>) {
    std::string out;
    ProtobufWriter writer(out);
    const T defaults{};
    std::apply(
        [&](auto... f) {
          std::apply(
              [&](auto... d) {
                ((same(f.value, d.value)
                      ? void()
                      : write_field(writer, static_cast<uint32_t>(f.id), f.value)),
                 ...);
              },
              T::fields(defaults));
        },
        T::fields(value));
    return out;
  } else {
    static_assert(is_vector<T> || is_optional<T>, "this type needs `fields` or a WireCodec");
    std::string out;
    ProtobufWriter writer(out);
    const bool empty = [&] {
      if constexpr (is_vector<T>) return value.empty();
      else return !value.has_value();
    }();
    if (!empty) write_field(writer, 1, value);
    return out;
  }
}

// ------------------------------------------------------------------------------------- decoding

// Where decoding is, for messages and limits. Left as it is when an exception passes, so that the
// outermost caller can say where that was.
class DecodeState {
 public:
  explicit DecodeState(const WireLimits& limits) : limits_(limits) {}
  void enter(int id, std::string_view name);
  void leave() { path_.pop_back(); }
  void at_element(size_t index) { path_.back().index = static_cast<int64_t>(index); }
  void charge(uint64_t bytes, const char* where);  // memory of decoded elements
  std::string path() const;                        // "steps[3].defines[0].symbol (field 1)"

 private:
  struct Place {
    int id;
    std::string_view name;
    int64_t index;
  };
  WireLimits limits_;
  uint64_t used_ = 0;
  std::vector<Place> path_;
};

// Runs `body` and turns what it throws into an invalid_engine Error.
[[noreturn]] void rethrow_as_error(const DecodeState& state, std::string_view bytes);

template <Scalar T>
T scalar_from(uint64_t bits, const char* where) {
  if constexpr (std::is_same_v<T, bool>) {
    if (bits > 1) throw MalformedProtobuf(fmt::format("{} is no truth value", bits), where);
    return bits != 0;
  } else if constexpr (std::is_enum_v<T>) {
    const auto value = static_cast<T>(scalar_from<std::underlying_type_t<T>>(bits, where));
    if constexpr (HasEnumCheck<T>) {
      if (!is_valid(value)) {
        throw MalformedProtobuf(fmt::format("{} is not one of the values known here", bits), where);
      }
    }
    return value;
  } else if constexpr (std::is_signed_v<T>) {
    const auto wide = static_cast<int64_t>(bits);
    if (!std::in_range<T>(wide)) {
      throw MalformedProtobuf(fmt::format("{} is out of range", wide), where);
    }
    return static_cast<T>(wide);
  } else {
    if (!std::in_range<T>(bits)) {
      throw MalformedProtobuf(fmt::format("{} is out of range", bits), where);
    }
    return static_cast<T>(bits);
  }
}

template <Scalar T>
T read_scalar(ProtobufReader& reader) {
  const char* const where = reader.position();
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(reader.fixed32());
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(reader.fixed64());
  } else {
    return scalar_from<T>(reader.varint(), where);
  }
}

template <class T>
void decode_message(T& into, std::string_view bytes, DecodeState& state);

template <Scalar T>
void read_scalars(std::vector<T>& into, ProtobufReader& reader, DecodeState& state) {
  if (reader.type() == scalar_type<T>) {
    state.charge(sizeof(T), reader.position());
    into.push_back(read_scalar<T>(reader));
    return;
  }
  const std::string_view payload = reader.bytes();
  if constexpr (scalar_type<T> == WireType::varint) {
    state.charge(payload.size() * (sizeof(uint64_t) + sizeof(T)), payload.data());
    std::vector<uint64_t> bits;
    decode_varints(payload, bits);
    into.reserve(into.size() + bits.size());
    for (const uint64_t value : bits) into.push_back(scalar_from<T>(value, payload.data()));
  } else {
    if (payload.size() % sizeof(T) != 0) {
      throw MalformedProtobuf(
          fmt::format("{} bytes are no whole number of elements", payload.size()), payload.data());
    }
    state.charge(payload.size(), payload.data());
    const size_t old_size = into.size();
    into.resize(old_size + payload.size() / sizeof(T));
    for (size_t i = old_size; i < into.size(); ++i) {
      const size_t at = (i - old_size) * sizeof(T);
      uint64_t bits = 0;
      for (size_t k = sizeof(T); k-- > 0;) {
        bits = bits << 8 | static_cast<uint8_t>(payload[at + k]);
      }
      if constexpr (sizeof(T) == 4) into[i] = std::bit_cast<T>(static_cast<uint32_t>(bits));
      else into[i] = std::bit_cast<T>(bits);
    }
  }
}

// `first`: no earlier occurrence of this field in the message, so a default still stands in `into`.
template <class T>
void read_field(T& into, ProtobufReader& reader, DecodeState& state, bool first) {
  if constexpr (Scalar<T>) {
    into = read_scalar<T>(reader);
  } else if constexpr (std::is_same_v<T, std::string>) {
    into = std::string(reader.bytes());
  } else if constexpr (is_optional<T>) {
    using Element = typename T::value_type;
    Element element{};
    if constexpr (is_vector<Element> || is_optional<Element>) {
      decode_message(element, reader.bytes(), state);
    } else {
      read_field(element, reader, state, true);
    }
    into = std::move(element);
  } else if constexpr (is_vector<T>) {
    using Element = typename T::value_type;
    if (first) into.clear();
    if constexpr (Scalar<Element>) {
      read_scalars(into, reader, state);
    } else {
      state.at_element(into.size());
      const std::string_view bytes = reader.bytes();
      state.charge(sizeof(Element) + bytes.size(), bytes.data());
      if constexpr (std::is_same_v<Element, std::string>) {
        into.emplace_back(bytes);
      } else {
        Element element{};
        decode_message(element, bytes, state);
        into.push_back(std::move(element));
      }
    }
  } else {
    T fresh{};
    decode_message(fresh, reader.bytes(), state);
    into = std::move(fresh);
  }
}

template <class T>
void decode_message(T& into, std::string_view bytes, DecodeState& state) {
  if constexpr (HasCodec<T>) {
    into = WireCodec<T>::decode(bytes);
  } else if constexpr (HasFields<T>) {
    auto fields = T::fields(into);
    std::array<bool, std::tuple_size_v<decltype(fields)>> seen{};
    ProtobufReader reader(bytes);
    while (reader.next()) {
      bool known = false;
      size_t index = 0;
      const auto visit = [&](auto& f) {
        const size_t i = index++;
        if (known || static_cast<uint32_t>(f.id) != reader.id()) return;
        known = true;
        state.enter(f.id, f.name);
        read_field(f.value, reader, state, !std::exchange(seen[i], true));
        state.leave();
      };
      std::apply([&](auto&... f) { (visit(f), ...); }, fields);
      if (!known) reader.skip();
    }
  } else {
    static_assert(is_vector<T> || is_optional<T>, "this type needs `fields` or a WireCodec");
    bool first = true;
    ProtobufReader reader(bytes);
    while (reader.next()) {
      if (reader.id() != 1) {
        reader.skip();
        continue;
      }
      state.enter(1, "value");
      read_field(into, reader, state, std::exchange(first, false));
      state.leave();
    }
  }
}

}  // namespace wire

template <HasFields T>
std::string encode(const T& object) {
  return wire::encode_message(object);
}

template <HasFields T>
T decode(std::string_view bytes, const WireLimits& limits) {
  wire::DecodeState state(limits);
  T object{};
  try {
    wire::decode_message(object, bytes, state);
  } catch (...) {
    wire::rethrow_as_error(state, bytes);
  }
  return object;
}

}  // namespace tenrec
