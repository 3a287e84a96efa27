// SPDX-License-Identifier: Apache-2.0
#include "base/protobuf.h"

#include <limits>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "base/error.h"

namespace tenrec {
namespace {

template <class Body>
auto translated(const char* where, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const protozero::end_of_buffer_exception&) {
    throw MalformedProtobuf("the data ends in the middle of a value", where);
  } catch (const protozero::varint_too_long_exception&) {
    throw MalformedProtobuf("an integer has more than 64 bits", where);
  } catch (const protozero::unknown_pbf_wire_type_exception&) {
    throw MalformedProtobuf("a field has an unknown wire type", where);
  } catch (const protozero::invalid_tag_exception&) {
    throw MalformedProtobuf("a field has an invalid number", where);
  } catch (const protozero::exception& error) {
    throw MalformedProtobuf(error.what(), where);
  }
}

uint64_t read_varint(const char*& position, const char* end) {
  return translated(position, [&] { return protozero::decode_varint(&position, end); });
}

const char* wire_type_name(WireType type) {
  switch (type) {
    case WireType::varint: return "integer";
    case WireType::fixed64: return "64-bit";
    case WireType::bytes: return "length-delimited";
    case WireType::fixed32: return "32-bit";
  }
  return "unknown";
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

void append_little_endian(std::string& payload, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) payload.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

protozero::data_view view_of(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

bool ProtobufReader::next() {
  if (position_ == end_) return false;
  const char* peek = position_;
  if (read_varint(peek, end_) > std::numeric_limits<uint32_t>::max()) {
    throw MalformedProtobuf("a field has an invalid number", position_);
  }
  translated(position_, [&] {
    protozero::pbf_reader reader(position_, static_cast<size_t>(end_ - position_));
    reader.next();
    id_ = reader.tag();
    type_ = static_cast<WireType>(reader.wire_type());
  });
  position_ = peek;
  return true;
}

void ProtobufReader::expect(WireType type) const {
  if (type_ == type) return;
  throw MalformedProtobuf(fmt::format("field {} holds a {} value where a {} one is expected", id_,
                                      wire_type_name(type_), wire_type_name(type)),
                          position_);
}

std::string_view ProtobufReader::take(size_t size) {
  const auto left = static_cast<size_t>(end_ - position_);
  if (size > left) {
    throw MalformedProtobuf(fmt::format("field {} wants {} bytes but {} are left", id_, size, left),
                            position_);
  }
  const std::string_view taken(position_, size);
  position_ += size;
  return taken;
}

uint64_t ProtobufReader::varint() {
  expect(WireType::varint);
  return read_varint(position_, end_);
}

uint32_t ProtobufReader::fixed32() {
  expect(WireType::fixed32);
  return static_cast<uint32_t>(little_endian(take(4)));
}

uint64_t ProtobufReader::fixed64() {
  expect(WireType::fixed64);
  return little_endian(take(8));
}

std::string_view ProtobufReader::bytes() {
  expect(WireType::bytes);
  // protozero would cut the length to 32 bits; `take` compares all 64 with what is left.
  return take(read_varint(position_, end_));
}

std::string_view ProtobufReader::payload() {
  switch (type_) {
    case WireType::varint: {
      const char* const begin = position_;
      (void)read_varint(position_, end_);
      return {begin, static_cast<size_t>(position_ - begin)};
    }
    case WireType::fixed64: return take(8);
    case WireType::fixed32: return take(4);
    case WireType::bytes: return bytes();
  }
  TENREC_ASSERT(false, "wire type {}", static_cast<int>(type_));
  return {};
}

void decode_varints(std::string_view payload, std::vector<uint64_t>& into) {
  const char* position = payload.data();
  const char* const end = position + payload.size();
  while (position != end) into.push_back(read_varint(position, end));
}

void ProtobufWriter::varint(uint32_t id, uint64_t value) {
  protozero::pbf_writer(out_).add_uint64(id, value);
}
void ProtobufWriter::fixed32(uint32_t id, uint32_t value) {
  protozero::pbf_writer(out_).add_fixed32(id, value);
}
void ProtobufWriter::fixed64(uint32_t id, uint64_t value) {
  protozero::pbf_writer(out_).add_fixed64(id, value);
}
void ProtobufWriter::bytes(uint32_t id, std::string_view value) {
  TENREC_CHECK(value.size() < (uint64_t{1} << 31), unsupported,
               "field {} has {} bytes; a protobuf field holds less than 2 GiB", id, value.size());
  protozero::pbf_writer(out_).add_bytes(id, view_of(value));
}

void append_varint(std::string& payload, uint64_t value) {
  protozero::add_varint_to_buffer(&payload, value);
}
void append_fixed32(std::string& payload, uint32_t value) {
  append_little_endian(payload, value, 4);
}
void append_fixed64(std::string& payload, uint64_t value) {
  append_little_endian(payload, value, 8);
}

}  // namespace tenrec
