// SPDX-License-Identifier: Apache-2.0
#include "plan/engine_file.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "base/wire.h"
#include "plan/format.h"
#include "plan/validate.h"

namespace tenrec::plan {
namespace {

using Bytes = std::span<const std::byte>;

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string_view kind_name(uint32_t kind) {
  constexpr std::array<std::string_view, 12> names = {"?",     "META",   "IO",      "PLAN",
                                                      "CODE",  "SOURCE", "WEIGHTS", "WEIGHT_TABLE",
                                                      "GRAPH", "DEBUG",  "REFIT",   "OTHER"};
  return kind < names.size() ? names[kind] : names[0];
}

template <class T>
void put(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    out += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff);
}

template <class T>
T get(Bytes bytes, uint64_t offset) {
  uint64_t value = 0;
  for (size_t i = sizeof(T); i-- > 0;)
    value = value << 8 | std::to_integer<uint64_t>(bytes[offset + i]);
  return static_cast<T>(value);
}

uint64_t round_up(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// ---------------------------------------------------------------------------------------- writing

struct Section {
  SectionKind kind;
  uint32_t flags;
  std::string text;  // empty for weights
  const WeightStore* weights = nullptr;
  uint64_t size() const { return weights ? weights->bytes() : text.size(); }
};

using Sink = std::function<void(Bytes)>;

void emit_zeros(uint64_t count, const Sink& sink) {
  static constexpr std::array<std::byte, section_alignment> zeros{};
  for (; count > 0; count -= std::min<uint64_t>(count, zeros.size()))
    sink(Bytes(zeros).first(std::min<uint64_t>(count, zeros.size())));
}

void emit_section(const Section& section, const Sink& sink) {
  if (!section.weights) return sink(as_bytes(section.text));
  uint64_t at = 0;
  for (const WeightStore::Piece& piece : section.weights->pieces()) {
    emit_zeros(piece.offset - at, sink);
    sink(piece.bytes);
    at = piece.offset + piece.bytes.size();
  }
  emit_zeros(section.weights->bytes() - at, sink);
}

std::vector<Section> sections_of(const EngineParts& parts) {
  std::vector<Section> sections;
  sections.push_back({SectionKind::meta, section_required, encode(parts.meta)});
  sections.push_back({SectionKind::io, section_required, encode(parts.io)});
  for (const Plan& plan : parts.plans)
    sections.push_back({SectionKind::plan, section_required, encode(plan)});
  sections.push_back(
      {SectionKind::weight_table, section_required, encode(WeightTable{parts.weights.weights()})});
  if (!parts.code.images.empty())
    sections.push_back({SectionKind::code, section_required, encode(parts.code)});
  if (!parts.source.sources.empty())
    sections.push_back({SectionKind::source, 0, encode(parts.source)});
  if (!parts.graph.text.empty()) sections.push_back({SectionKind::graph, 0, encode(parts.graph)});
  if (!parts.debug.empty()) sections.push_back({SectionKind::debug, 0, parts.debug});
  sections.push_back({SectionKind::weights, section_required, {}, &parts.weights});
  for (const Bytes other : parts.others)
    sections.push_back({SectionKind::other, 0, std::string(as_text(other))});
  return sections;
}

void emit(const EngineParts& parts, const Sink& sink) {
  const std::vector<Section> sections = sections_of(parts);
  TENREC_CHECK(sections.size() <= max_sections, unsupported,
               "writing the engine: {} profiles are too many; at most {} fit", parts.plans.size(),
               max_sections - 6);
  std::string table;
  uint64_t end = header_size + sections.size() * table_entry_size;
  std::vector<uint64_t> offsets;
  for (const Section& section : sections) {
    offsets.push_back(round_up(end, section_alignment));
    end = offsets.back() + section.size();
    Hasher hasher;
    emit_section(section, [&](Bytes bytes) { hasher.add(bytes); });
    put(table, static_cast<uint32_t>(section.kind));
    put(table, section.flags);
    put(table, uint32_t{1});
    put(table, uint32_t{0});
    put(table, offsets.back());
    put(table, section.size());
    table += as_text(hasher.digest().bytes());
  }
  std::string header(file_magic);
  put(header, format_major);
  put(header, format_minor);
  put(header, uint32_t{0});
  put(header, end);
  put(header, static_cast<uint32_t>(sections.size()));
  put(header, uint32_t{0});
  put(header, header_size);
  header.resize(header_size, '\0');
  const auto checksum = hash128(header + table).bytes();
  header.replace(checksum_offset, checksum.size(), as_text(checksum));

  sink(as_bytes(header));
  sink(as_bytes(table));
  uint64_t at = header.size() + table.size();
  for (size_t i = 0; i < sections.size(); ++i) {
    emit_zeros(offsets[i] - at, sink);
    emit_section(sections[i], sink);
    at = offsets[i] + sections[i].size();
  }
}

// ---------------------------------------------------------------------------------------- reading

struct Entry {
  uint32_t kind = 0, flags = 0, version = 0;
  uint64_t offset = 0, size = 0;
  Hash128 checksum;
};

uint32_t check_header(Bytes image) {
  TENREC_CHECK(image.size() >= header_size, invalid_engine,
               "the engine has {} bytes, fewer than its header; the file is cut off or no engine",
               image.size());
  TENREC_CHECK(
      as_text(image.first(file_magic.size())) == file_magic, invalid_engine,
      "this is no Tenrec engine (its first 8 bytes are not the engine mark); build one with "
      "`tenrec build`");
  const auto major = get<uint16_t>(image, 8);
  const auto minor = get<uint16_t>(image, 10);
  TENREC_CHECK(major == format_major, invalid_engine,
               "the engine has format {}.{}, this Tenrec reads {}.x; {}", major, minor,
               format_major,
               major > format_major ? "use a newer Tenrec or rebuild the engine with this one"
                                    : "rebuild the engine from its model");
  const auto size = get<uint64_t>(image, 16);
  TENREC_CHECK(size == image.size(), invalid_engine,
               "the engine should have {} bytes but has {}; the file is damaged or cut off", size,
               image.size());
  const auto count = get<uint32_t>(image, 24);
  const auto table = get<uint64_t>(image, 32);
  TENREC_CHECK(count <= max_sections && table == header_size &&
                   count * table_entry_size <= image.size() - header_size,
               invalid_engine, "the engine's section table ({} entries at {}) does not fit into it",
               count, table);
  return count;
}

void check_table_checksum(Bytes image, uint32_t count) {
  const uint64_t end = header_size + count * table_entry_size;
  Hasher hasher;
  hasher.add(image.first(checksum_offset));
  const std::array<std::byte, 16> zeros{};
  hasher.add(Bytes(zeros));
  hasher.add(image.subspan(checksum_offset + 16, end - checksum_offset - 16));
  const auto stored = Hash128::from_bytes(image.subspan(checksum_offset).first<16>());
  TENREC_CHECK(
      hasher.digest() == stored, invalid_engine,
      "the checksum of the engine's header and section table is wrong; the file is damaged");
}

std::vector<Entry> read_table(Bytes image) {
  const uint32_t count = check_header(image);
  check_table_checksum(image, count);
  std::vector<Entry> entries(count);
  for (uint32_t i = 0; i < count; ++i) {
    const Bytes bytes = image.subspan(header_size + i * table_entry_size, table_entry_size);
    Entry& entry = entries[i];
    entry.kind = get<uint32_t>(bytes, 0);
    entry.flags = get<uint32_t>(bytes, 4);
    entry.version = get<uint32_t>(bytes, 8);
    entry.offset = get<uint64_t>(bytes, 16);
    entry.size = get<uint64_t>(bytes, 24);
    entry.checksum = Hash128::from_bytes(bytes.subspan<32, 16>());
    TENREC_CHECK(entry.offset % section_alignment == 0 && entry.offset <= image.size() &&
                     entry.size <= image.size() - entry.offset &&
                     entry.offset >= header_size + count * table_entry_size,
                 invalid_engine, "section {} ({}): {} bytes at {} do not lie inside the engine", i,
                 kind_name(entry.kind), entry.size, entry.offset);
  }
  std::vector<const Entry*> by_offset;
  for (const Entry& entry : entries)
    if (entry.size > 0) by_offset.push_back(&entry);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const Entry* a, const Entry* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < by_offset.size(); ++i)
    TENREC_CHECK(by_offset[i - 1]->offset + by_offset[i - 1]->size <= by_offset[i]->offset,
                 invalid_engine, "sections {} and {} overlap at {}",
                 kind_name(by_offset[i - 1]->kind), kind_name(by_offset[i]->kind),
                 by_offset[i]->offset);
  return entries;
}

// Collects the sections by kind, checksums verified.
class SectionReader {
 public:
  // `mapped`: the file that the image is, if it is one.
  SectionReader(Bytes image, const MappedFile* mapped, EngineFile& file)
      : image_(image), mapped_(mapped), file_(file) {}

  void read(const Entry& entry) {
    const auto kind = static_cast<SectionKind>(entry.kind);
    const bool required = (entry.flags & section_required) != 0;
    if (!is_known(kind)) {
      TENREC_CHECK(!required, invalid_engine,
                   "the engine needs section kind {}, which this Tenrec does not know; use a newer "
                   "Tenrec",
                   entry.kind);
      return;
    }
    if (entry.version != 1) {
      TENREC_CHECK(!required, invalid_engine,
                   "section {} has version {}, this Tenrec reads version 1; use a newer Tenrec",
                   kind_name(entry.kind), entry.version);
      return;
    }
    const bool repeats = kind == SectionKind::plan || kind == SectionKind::other;
    TENREC_CHECK(repeats || (seen_ & 1U << entry.kind) == 0, invalid_engine,
                 "section {} is there twice", kind_name(entry.kind));
    seen_ |= 1U << entry.kind;
    const Bytes bytes = image_.subspan(entry.offset, entry.size);
    TENREC_CHECK(hash_of(bytes) == entry.checksum, invalid_engine,
                 "the checksum of section {} is wrong; the file is damaged", kind_name(entry.kind));
    with_context([&] { return fmt::format("section {}", kind_name(entry.kind)); },
                 [&] { decode_section(kind, bytes); });
  }

  void check_complete() const {
    for (const SectionKind kind : {SectionKind::meta, SectionKind::io, SectionKind::plan,
                                   SectionKind::weights, SectionKind::weight_table}) {
      const auto number = static_cast<uint32_t>(kind);
      TENREC_CHECK((seen_ & 1U << number) != 0, invalid_engine, "the engine has no section {}",
                   kind_name(number));
    }
  }

 private:
  static bool is_known(SectionKind kind) {
    switch (kind) {
      case SectionKind::meta:
      case SectionKind::io:
      case SectionKind::plan:
      case SectionKind::code:
      case SectionKind::source:
      case SectionKind::weights:
      case SectionKind::weight_table:
      case SectionKind::graph:
      case SectionKind::debug:
      case SectionKind::other: return true;
      default: return false;
    }
  }

  // Weights that no step of this machine reads must not stay in memory for having been checked.
  Hash128 hash_of(Bytes bytes) const {
    constexpr size_t piece = 4 << 20;
    Hasher hasher;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      const Bytes part = bytes.subspan(at, std::min(piece, bytes.size() - at));
      hasher.add(part);
      if (mapped_) mapped_->forget(part);
    }
    return hasher.digest();
  }

  void decode_section(SectionKind kind, Bytes bytes) {
    switch (kind) {
      case SectionKind::meta: file_.meta = decode<Meta>(as_text(bytes)); break;
      case SectionKind::io: file_.io = decode<Io>(as_text(bytes)); break;
      case SectionKind::plan: file_.plans.push_back(decode<Plan>(as_text(bytes))); break;
      case SectionKind::weight_table:
        file_.weights = decode<WeightTable>(as_text(bytes)).weights;
        break;
      case SectionKind::code: file_.code = decode<CodeTable>(as_text(bytes)); break;
      case SectionKind::source: file_.source = decode<SourceTable>(as_text(bytes)); break;
      case SectionKind::weights: file_.weight_bytes = bytes; break;
      case SectionKind::graph: file_.graph = decode<GraphSection>(as_text(bytes)); break;
      case SectionKind::debug: file_.debug = std::string(as_text(bytes)); break;
      case SectionKind::other: file_.others.push_back(bytes); break;
      default: break;
    }
  }

  Bytes image_;
  const MappedFile* mapped_;
  EngineFile& file_;
  uint32_t seen_ = 0;
};

EngineFile read_image(Bytes image, std::shared_ptr<const void> owner, const MappedFile* mapped) {
  EngineFile file;
  file.image = image;
  file.owner = std::move(owner);
  const std::vector<Entry> entries = read_table(image);
  SectionReader reader(image, mapped, file);
  for (const Entry& entry : entries) reader.read(entry);
  reader.check_complete();
  validate(file);
  return file;
}

}  // namespace

int32_t WeightStore::add(DType dtype, std::vector<int64_t> dims, std::span<const std::byte> bytes,
                         std::shared_ptr<const void> owner) {
  const Hash128 hash = hash128(bytes);
  const auto [begin, end] = piece_by_hash_.equal_range(hash);
  const auto found = std::find_if(begin, end, [&](const auto& entry) {
    const Bytes other = pieces_[entry.second].bytes;
    return other.size() == bytes.size() &&
           (bytes.empty() || std::memcmp(other.data(), bytes.data(), bytes.size()) == 0);
  });
  uint64_t offset = 0;
  if (found != end) {
    offset = pieces_[found->second].offset;
    const auto [first, last] = weight_by_offset_.equal_range(offset);
    for (auto it = first; it != last; ++it) {
      const Weight& weight = weights_[static_cast<size_t>(it->second)];
      if (weight.bytes == bytes.size() && weight.dtype == dtype && weight.dims == dims)
        return it->second;
    }
  } else {
    offset = round_up(bytes_, weight_alignment);
    piece_by_hash_.emplace(hash, pieces_.size());
    pieces_.push_back({offset, bytes, std::move(owner)});
    bytes_ = offset + bytes.size();
  }
  const auto index = static_cast<int32_t>(weights_.size());
  weights_.push_back({dtype, std::move(dims), offset, bytes.size()});
  weight_by_offset_.emplace(offset, index);
  return index;
}

int32_t CodeStore::add(KernelSource source) {
  const Hash128 hash = hash128(source.text);
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it)
    if (sources_[static_cast<size_t>(it->second)].text == source.text) return it->second;
  const auto index = static_cast<int32_t>(sources_.size());
  sources_.push_back(std::move(source));
  by_hash_.emplace(hash, index);
  return index;
}

std::vector<std::byte> serialise(const EngineParts& parts) {
  std::vector<std::byte> out;
  emit(parts, [&](Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); });
  return out;
}

void write_engine(const EngineParts& parts, const std::filesystem::path& path) {
  write_file_atomic(
      path, [&](FileWriter& writer) { emit(parts, [&](Bytes bytes) { writer.write(bytes); }); });
}

EngineFile EngineFile::read(std::span<const std::byte> image, std::shared_ptr<const void> owner) {
  return read_image(image, std::move(owner), nullptr);
}

EngineFile EngineFile::open(const std::filesystem::path& path) {
  const std::shared_ptr<const MappedFile> mapped = MappedFile::open(path);
  return with_context([&] { return fmt::format("loading engine \"{}\"", path.string()); },
                      [&] { return read_image(mapped->bytes(), mapped, mapped.get()); });
}

EngineFile EngineFile::other(size_t index) const {
  return with_context([&] { return fmt::format("section OTHER, number {}", index); },
                      [&] {
                        EngineFile file = read(others.at(index), owner);
                        TENREC_CHECK(file.others.empty(), invalid_engine,
                                     "it holds further engines, which only the outer one may");
                        return file;
                      });
}

EngineParts EngineFile::parts() const {
  EngineParts parts{meta, io, plans, {}, graph, debug, source, code, others};
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto index = parts.weights.add(weights[i].dtype, weights[i].dims, weight(i), owner);
    TENREC_CHECK(index == static_cast<int32_t>(i), invalid_engine,
                 "weight {} of the engine is the same as weight {}; rebuild the engine", i, index);
  }
  return parts;
}

}  // namespace tenrec::plan
