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
  TimingCache cache;
  if (!std::filesystem::exists(path)) return cache;
  std::ifstream file(path, std::ios::binary);
  std::stringstream buffer;
  buffer << file.rdbuf();
  TENREC_CHECK(file.good(), io, "reading the timing cache \"{}\" failed", path);
  const std::string text = buffer.str();
  TENREC_CHECK(text.starts_with(header), io,
               "\"{}\" is not a timing cache of this version; delete it or name another file",
               path);
  with_context([&] { return fmt::format("timing cache \"{}\"", path); },
               [&] {
                 TextReader reader(std::string_view(text).substr(header.size()));
                 while (!reader.at_end()) {
                   const std::string key = reader.identifier();
                   TimingEntry entry;
                   entry.kernel = reader.identifier();
                   entry.microseconds = reader.number();
                   entry.tactic = reader.quoted();
                   entry.comment = reader.quoted();
                   cache.entries_[key] = std::move(entry);
                 }
               });
  return cache;
}

void TimingCache::save(const std::string& path) const {
  std::string text(header);
  for (const auto& [key, entry] : entries_) {
    text += fmt::format("{} {} {:.2f} {} {}\n", key, entry.kernel, entry.microseconds,
                        quote(entry.tactic), quote(entry.comment));
  }
  write_file_atomic(path, [&](FileWriter& file) { file.write(text); });
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
