// SPDX-License-Identifier: Apache-2.0
#include "targets/timing_cache.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "ir/text.h"

namespace tenrec {
namespace {
constexpr std::string_view header = "tenrec timing cache 2\n";
constexpr std::string_view image_mark = "image";

std::string image_bytes(TextReader& reader) {
  const std::string hash = reader.identifier();
  std::string bytes = reader.quoted();
  TENREC_CHECK(hash128(bytes).hex() == hash, io,
               "an image's bytes are not those whose hash stands before them; delete this file");
  return bytes;
}

}  // namespace

TimingCache TimingCache::load(const std::string& path) {
  if (!std::filesystem::exists(path)) return {};
  std::ifstream file(path, std::ios::binary);
  std::stringstream buffer;
  buffer << file.rdbuf();
  TENREC_CHECK(file.good(), io, "reading the timing cache \"{}\" failed", path);
  const std::string text = buffer.str();
  return with_context([&] { return fmt::format("timing cache \"{}\"", path); },
                      [&] { return parse(text); });
}

TimingCache TimingCache::parse(std::string_view text) {
  TENREC_CHECK(text.starts_with(header), io,
               "this is not a timing cache of this version; delete it or name another one");
  TimingCache cache;
  TextReader reader(text.substr(header.size()));
  while (!reader.at_end()) {
    const std::string key = reader.identifier();
    if (key == image_mark) {
      const std::string image = reader.identifier();
      cache.images_[image] = image_bytes(reader);
      continue;
    }
    TimingEntry entry;
    entry.kernel = reader.identifier();
    entry.microseconds = reader.number();
    entry.tactic = reader.quoted();
    entry.comment = reader.quoted();
    cache.entries_[key] = std::move(entry);
  }
  return cache;
}

std::string TimingCache::text() const {
  std::string text(header);
  for (const auto& [key, entry] : entries_) {
    text += fmt::format("{} {} {:.2f} {} {}\n", key, entry.kernel, entry.microseconds,
                        quote(entry.tactic), quote(entry.comment));
  }
  for (const auto& [key, bytes] : images_)
    text += fmt::format("{} {} {} {}\n", image_mark, key, hash128(bytes).hex(), quote(bytes));
  return text;
}

void TimingCache::merge(const TimingCache& other) {
  entries_.insert(other.entries_.begin(), other.entries_.end());
  images_.insert(other.images_.begin(), other.images_.end());
}

void TimingCache::save(const std::string& path) const {
  write_file_atomic(path, [&](FileWriter& file) { file.write(text()); });
}

const TimingEntry* TimingCache::find(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void TimingCache::put(const std::string& key, TimingEntry entry) {
  entries_[key] = std::move(entry);
  changed_ = true;
}

const std::string* TimingCache::find_image(const std::string& key) const {
  const auto found = images_.find(key);
  return found == images_.end() ? nullptr : &found->second;
}

void TimingCache::put_image(const std::string& key, std::string bytes) {
  images_[key] = std::move(bytes);
  changed_ = true;
}

}  // namespace tenrec
