// SPDX-License-Identifier: Apache-2.0
#include "common/mutations.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/hash.h"
#include "base/protobuf.h"
#include "plan/format.h"

namespace tenrec::test {
namespace {

using plan::checksum_offset;
using plan::header_size;
using plan::section_alignment;
using plan::table_entry_size;

// ------------------------------------------------------------------------------------ wire format

struct WireField {
  uint32_t id = 0;
  WireType type = WireType::varint;
  uint64_t number = 0;
  std::string payload;
};
using WireFields = std::vector<WireField>;

std::optional<WireFields> read_fields(std::string_view message) {
  WireFields fields;
  try {
    ProtobufReader reader(message);
    while (reader.next()) {
      WireField field{reader.id(), reader.type(), 0, {}};
      switch (field.type) {
        case WireType::varint: field.number = reader.varint(); break;
        case WireType::fixed32: field.number = reader.fixed32(); break;
        case WireType::fixed64: field.number = reader.fixed64(); break;
        case WireType::bytes: field.payload = std::string(reader.bytes()); break;
      }
      fields.push_back(std::move(field));
    }
  } catch (const MalformedProtobuf&) {
    return std::nullopt;
  }
  return fields;
}

std::string write_fields(const WireFields& fields) {
  std::string out;
  ProtobufWriter writer(out);
  for (const WireField& field : fields) {
    switch (field.type) {
      case WireType::varint: writer.varint(field.id, field.number); break;
      case WireType::fixed32: writer.fixed32(field.id, static_cast<uint32_t>(field.number)); break;
      case WireType::fixed64: writer.fixed64(field.id, field.number); break;
      case WireType::bytes: writer.bytes(field.id, field.payload); break;
    }
  }
  return out;
}

uint64_t other_number(uint64_t old, Random& random) {
  static constexpr std::array<uint64_t, 16> interesting{
      0,          1,          2,          uint64_t(-1), uint64_t(-2), 7,
      8,          INT32_MAX,  1U << 31,   INT64_MAX,    1ULL << 63,   1U << 20,
      1ULL << 32, 1ULL << 40, UINT32_MAX, 1ULL << 61};
  switch (random() % 6) {
    case 0: return interesting[random() % interesting.size()];
    case 1: return old + 1;
    case 2: return old - 1;
    case 3: return old ^ (1ULL << random() % 63);
    case 4: return old * 2;
    default: return random() % 40;
  }
}

std::string edit_packed(const std::string& payload, Random& random) {
  std::vector<uint64_t> values;
  try {
    decode_varints(payload, values);
  } catch (const MalformedProtobuf&) {
    return payload + static_cast<char>(random() % 128);
  }
  if (values.empty()) values.push_back(random() % 40);
  const size_t at = random() % values.size();
  switch (random() % 6) {
    case 0: values.erase(values.begin() + static_cast<std::ptrdiff_t>(at)); break;
    case 1: values.push_back(values[at]); break;
    case 2: std::swap(values[at], values[random() % values.size()]); break;
    default: values[at] = other_number(values[at], random); break;
  }
  std::string out;
  for (const uint64_t value : values) append_varint(out, value);
  return out;
}

std::string edit_text(std::string text, Random& random) {
  if (text.empty()) return std::string(1 + random() % 3, static_cast<char>('0' + random() % 10));
  const size_t at = random() % text.size();
  switch (random() % 4) {
    case 0: text.resize(at); break;
    case 1: text.insert(at, text); break;
    case 2: text[at] = static_cast<char>('0' + random() % 10); break;
    default: text[at] = static_cast<char>(random()); break;
  }
  return text;
}

bool is_text(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= 32 && c < 127; });
}

void edit_payload(WireField& field, const Donors& donors, Random& random) {
  if (random() % 5 == 0) {
    if (const std::string* other = donors.any(field.id, random)) {
      field.payload = *other;
      return;
    }
  }
  const std::optional<WireFields> inner = read_fields(field.payload);
  const bool maybe_message = inner && !inner->empty();
  if (maybe_message && random() % 8 != 0)
    field.payload = edit_message(field.payload, donors, random);
  else if (is_text(field.payload) && random() % 2) field.payload = edit_text(field.payload, random);
  else field.payload = edit_packed(field.payload, random);
}

void edit_structure(WireFields& fields, size_t at, Random& random) {
  switch (random() % 4) {
    case 0: fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(at)); break;
    case 1: fields.push_back(fields[at]); break;
    case 2: std::swap(fields[at], fields[random() % fields.size()]); break;
    default: fields[at].id = static_cast<uint32_t>(1 + random() % 16); break;
  }
}

// ---------------------------------------------------------------------------------------- engines

void set_hash(Bytes& bytes, uint64_t at, std::span<const std::byte> of) {
  const auto hash = hash128(of).bytes();
  std::copy(hash.begin(), hash.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

bool holds_message(uint32_t kind) {
  return kind != static_cast<uint32_t>(plan::SectionKind::weights) &&
         kind != static_cast<uint32_t>(plan::SectionKind::debug);
}

// Sections count by what depends on them, not by size.
EngineImage::Section& any_section(EngineImage& image, Random& random) {
  std::vector<EngineImage::Section*> choice;
  for (EngineImage::Section& section : image.sections) {
    int times = 1;
    if (section.kind == static_cast<uint32_t>(plan::SectionKind::plan)) times = 12;
    if (section.kind == static_cast<uint32_t>(plan::SectionKind::weights)) times = 2;
    if (section.bytes.empty()) times = 0;
    choice.insert(choice.end(), static_cast<size_t>(times), &section);
  }
  return *choice[random() % choice.size()];
}

void damage_text(std::string& text, Random& random) {
  if (text.empty()) return;
  text[random() % text.size()] ^= static_cast<char>(1U << random() % 8);
}

std::string* guarded = nullptr;

void say_hang(int) {
  const auto say = [](std::string_view text) {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  };
  say("\nHANG: ");
  if (guarded) say(*guarded);
  say("\n");
  std::abort();
}

}  // namespace

uint64_t get(const Bytes& bytes, uint64_t offset, int size) {
  uint64_t value = 0;
  for (int i = size; i-- > 0;)
    value = value << 8 | std::to_integer<uint64_t>(bytes[offset + static_cast<uint64_t>(i)]);
  return value;
}

void put(Bytes& bytes, uint64_t offset, int size, uint64_t value) {
  for (int i = 0; i < size; ++i)
    bytes[offset + static_cast<uint64_t>(i)] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

bool is_engine_image(const Bytes& file) {
  if (file.size() < header_size) return false;
  const uint64_t count = get(file, 24, 4);
  if (count == 0 || count > 100 || header_size + count * table_entry_size > file.size())
    return false;
  bool any = false;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t entry = header_size + i * table_entry_size;
    const uint64_t offset = get(file, entry + 16, 8), size = get(file, entry + 24, 8);
    if (offset > file.size() || size > file.size() - offset) return false;
    any = any || size > 0;
  }
  return any;
}

EngineImage::EngineImage(const Bytes& file)
    : header(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(header_size)) {
  for (uint64_t i = 0; i < get(file, 24, 4); ++i) {
    const uint64_t entry = header_size + i * table_entry_size;
    const auto* data = reinterpret_cast<const char*>(file.data()) + get(file, entry + 16, 8);
    sections.push_back({static_cast<uint32_t>(get(file, entry, 4)),
                        static_cast<uint32_t>(get(file, entry + 4, 4)),
                        std::string(data, get(file, entry + 24, 8))});
  }
}

Bytes EngineImage::bytes() const {
  const auto aligned = [](uint64_t at) {
    return (at + section_alignment - 1) / section_alignment * section_alignment;
  };
  Bytes file = header;
  uint64_t end = aligned(header_size + sections.size() * table_entry_size);
  file.resize(end);
  for (size_t i = 0; i < sections.size(); ++i) {
    const uint64_t entry = header_size + i * table_entry_size;
    const uint64_t at = aligned(end);
    end = at + sections[i].bytes.size();
    file.resize(end);
    std::memcpy(file.data() + at, sections[i].bytes.data(), sections[i].bytes.size());
    put(file, entry, 4, sections[i].kind);
    put(file, entry + 4, 4, sections[i].flags);
    put(file, entry + 8, 8, 1);  // version
    put(file, entry + 16, 8, at);
    put(file, entry + 24, 8, sections[i].bytes.size());
  }
  put(file, 24, 4, sections.size());
  put(file, 16, 8, file.size());
  repair_checksums(file);
  return file;
}

void repair_checksums(Bytes& bytes) {
  if (bytes.size() < header_size) return;
  const uint64_t count = get(bytes, 24, 4);
  const uint64_t table_end = header_size + count * table_entry_size;
  if (count > 100 || table_end > bytes.size()) return;
  const std::span<const std::byte> all(bytes);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t entry = header_size + i * table_entry_size;
    const uint64_t offset = get(bytes, entry + 16, 8);
    const uint64_t size = get(bytes, entry + 24, 8);
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    set_hash(bytes, entry + 32, all.subspan(offset, size));
  }
  std::fill_n(bytes.begin() + checksum_offset, 16, std::byte{0});
  set_hash(bytes, checksum_offset, all.first(table_end));
}

void Donors::add(std::string_view message) { add(message, 0); }

void Donors::add(std::string_view message, int depth) {
  const std::optional<WireFields> fields = read_fields(message);
  if (!fields || depth > 8) return;
  for (const WireField& field : *fields) {
    if (field.type != WireType::bytes || field.payload.size() > 4096) continue;
    std::vector<std::string>& known = payloads_[field.id];
    if (std::find(known.begin(), known.end(), field.payload) == known.end() && known.size() < 2000)
      known.push_back(field.payload);
    add(field.payload, depth + 1);
  }
}

const std::string* Donors::any(uint32_t id, Random& random) const {
  const auto found = payloads_.find(id);
  return found == payloads_.end() ? nullptr : &found->second[random() % found->second.size()];
}

void add_sections(const Bytes& engine, Donors& donors) {
  if (!is_engine_image(engine)) return;
  for (const EngineImage::Section& section : EngineImage(engine).sections)
    if (section.kind == static_cast<uint32_t>(plan::SectionKind::plan)) donors.add(section.bytes);
}

std::string edit_message(std::string_view message, const Donors& donors, Random& random) {
  std::optional<WireFields> fields = read_fields(message);
  if (!fields || fields->empty()) return edit_text(std::string(message), random);
  const size_t at = random() % fields->size();
  WireField& field = (*fields)[at];
  if (random() % 10 == 0) edit_structure(*fields, at, random);
  else if (field.type == WireType::bytes) edit_payload(field, donors, random);
  else field.number = other_number(field.number, random);
  return write_fields(*fields);
}

void damage_bytes(Bytes& bytes, Random& random) {
  for (auto flips = 1 + random() % 3; flips > 0 && !bytes.empty(); --flips) {
    std::byte& at = bytes[random() % bytes.size()];
    if (random() % 2) at ^= static_cast<std::byte>(1U << random() % 8);
    else at = static_cast<std::byte>(random());
  }
  if (random() % 8 == 0 && !bytes.empty()) bytes.resize(random() % bytes.size());
}

Bytes mutated_engine(const Bytes& engine, const Donors& donors, Random& random) {
  const uint64_t kind = is_engine_image(engine) ? random() % 16 : 0;
  if (kind < 2) {  // anywhere: mostly found by checksums, or in the header and table
    Bytes bytes = engine;
    if (kind == 0) {
      damage_bytes(bytes, random);
      return bytes;
    }
    const uint64_t table = header_size + get(engine, 24, 4) * table_entry_size;
    for (auto flips = 1 + random() % 3; flips > 0; --flips)
      bytes[random() % table] ^= static_cast<std::byte>(1U << random() % 8);
    repair_checksums(bytes);
    return bytes;
  }
  EngineImage image(engine);
  for (auto edits = 1 + random() % 3; edits > 0; --edits) {
    EngineImage::Section& section = any_section(image, random);
    if (!holds_message(section.kind) || random() % 8 == 0) damage_text(section.bytes, random);
    else section.bytes = edit_message(section.bytes, donors, random);
  }
  return image.bytes();
}

Bytes mutated_model(const Bytes& model, const Donors& donors, Random& random) {
  Bytes bytes = model;
  if (random() % 4 == 0) {
    damage_bytes(bytes, random);
    return bytes;
  }
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (auto edits = 1 + random() % 3; edits > 0; --edits) text = edit_message(text, donors, random);
  bytes.resize(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

HangGuard::HangGuard(const std::string& what, unsigned seconds) {
  guarded = new std::string(what);
  std::signal(SIGALRM, say_hang);
  ::alarm(seconds);
}

HangGuard::~HangGuard() {
  ::alarm(0);
  delete guarded;
  guarded = nullptr;
}

}  // namespace tenrec::test
