// SPDX-License-Identifier: Apache-2.0
// Which tactic won for which node, as a readable text file, one line an entry:
//
//   <key> <kernel> <microseconds> "<tactic>" // <node text>
//
// The key hashes everything the timing depends on (node, types, sizes, device, threads, Tenrec's
// version), so an entry that no longer fits is simply never asked for.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tenrec {

struct TimingEntry {
  std::string kernel, tactic;
  double microseconds = 0;
  std::string comment;
};

class TimingCache {
 public:
  // A missing file is an empty cache; a damaged line is an Error that names it.
  static TimingCache load(const std::string& path);
  void save(const std::string& path) const;  // atomic
  static TimingCache parse(std::string_view text);
  std::string text() const;              // entries ordered by key
  void merge(const TimingCache& other);  // what both have stays as it is here
  size_t size() const { return entries_.size(); }
  const TimingEntry* find(const std::string& key) const;
  void put(const std::string& key, TimingEntry entry);
  bool changed() const { return changed_; }

 private:
  std::map<std::string, TimingEntry> entries_;
  bool changed_ = false;
};

}  // namespace tenrec
