// SPDX-License-Identifier: Apache-2.0
// What earlier builds found out, as a readable text file. One line an entry, which tactic won for
// which node:
//
//   <key> <kernel> <microseconds> "<tactic>" "<node text>"
//
// and one line a kernel that an engine got, its device code:
//
//   image <key> <hash of the bytes> "<bytes>"
//
// A key hashes everything that its entry depends on (node, types, sizes, device, threads, Tenrec's
// version; of an image its text, architecture and compiler), so an entry that no longer fits is
// simply never asked for.
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
  const std::string* find_image(const std::string& key) const;
  void put_image(const std::string& key, std::string bytes);
  bool changed() const { return changed_; }

 private:
  std::map<std::string, TimingEntry> entries_;
  std::map<std::string, std::string> images_;
  bool changed_ = false;
};

}  // namespace tenrec
