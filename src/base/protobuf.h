// SPDX-License-Identifier: Apache-2.0
// Protobuf wire format for untrusted bytes: protozero with every length checked as 64 bits, wire
// types always looked at, and positions for error messages. Only protobuf.cpp sees protozero.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tenrec {

enum class WireType : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// Bytes that are no protobuf, or a field of the wrong wire type. Readers turn it into an Error that
// says which file and field.
class MalformedProtobuf : public std::runtime_error {
 public:
  MalformedProtobuf(const std::string& reason, const char* where)
      : std::runtime_error(reason), where_(where) {}
  const char* where() const { return where_; }  // inside the bytes being read

 private:
  const char* where_;
};

// Reads the fields of one message:
//   while (reader.next()) switch (reader.id()) {
//     case 1: use(reader.varint()); break;  // throws if field 1 is no varint
//     default: reader.skip();
//   }
// After next() exactly one of the value functions must be called.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message)
      : position_(message.data()), end_(message.data() + message.size()) {}

  bool next();
  uint32_t id() const { return id_; }
  WireType type() const { return type_; }
  const char* position() const { return position_; }

  // The field's value; a MalformedProtobuf if it has another wire type.
  uint64_t varint();
  uint32_t fixed32();
  uint64_t fixed64();
  std::string_view bytes();
  // The encoded bytes of any field without its tag: a packed field's payload, or one element's.
  std::string_view payload();
  void skip() { (void)payload(); }

 private:
  void expect(WireType type) const;
  std::string_view take(size_t size);
  const char* position_;
  const char* end_;
  uint32_t id_ = 0;
  WireType type_ = WireType::varint;
};

// Appends the varints of a packed field's payload.
void decode_varints(std::string_view payload, std::vector<uint64_t>& into);

class ProtobufWriter {
 public:
  explicit ProtobufWriter(std::string& out) : out_(out) {}
  void varint(uint32_t id, uint64_t value);
  void fixed32(uint32_t id, uint32_t value);
  void fixed64(uint32_t id, uint64_t value);
  void bytes(uint32_t id, std::string_view value);

 private:
  std::string& out_;
};

// Elements of packed payloads.
void append_varint(std::string& payload, uint64_t value);
void append_fixed32(std::string& payload, uint32_t value);
void append_fixed64(std::string& payload, uint64_t value);

}  // namespace tenrec
