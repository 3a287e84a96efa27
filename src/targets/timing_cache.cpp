// SPDX-License-Identifier: Apache-2.0
#include "targets/timing_cache.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "ir/text.h"

namespace tenrec {
namespace {
constexpr std::string_view header = "tenrec timing cache 1\n";
}

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
  return text;
}

void TimingCache::merge(const TimingCache& other) {
  entries_.insert(other.entries_.begin(), other.entries_.end());
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

}  // namespace tenrec
