// SPDX-License-Identifier: Apache-2.0
// The recordings of one segment, by the addresses and sizes that they were made for.
#pragma once
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/hash.h"
#include "runtime/device.h"

namespace tenrec {

// What comes again stays; a stream of keys that never come again passes through one place, so that
// what the host touches for each stays in its caches. (The queues of 2Q, Johnson and Shasha 1994,
// with room for one newcomer where all places are taken.)
class RecordingCache {
 public:
  struct Entry {
    Hash128 key;
    uint64_t used = 0;                     // when last
    bool again = false;                    // came again after others
    std::unique_ptr<Recording> recording;  // null: none made yet
  };
  static constexpr size_t places = 8;

  // Null: not there, or given up since.
  Entry* find(const Hash128& key) {
    const auto found = std::ranges::find(entries_, key, &Entry::key);
    if (found == entries_.end()) return nullptr;
    found->again |= found->used != clock_;
    found->used = ++clock_;
    return &*found;
  }

  // A place for a key that is not there. Its recording, if any, is of what had the place before.
  Entry& add(const Hash128& key) {
    const bool is_back = std::ranges::find(given_up_, key) != given_up_.end();
    Entry& entry = entries_.size() < places ? entries_.emplace_back() : take(is_back);
    entry.key = key;
    entry.again = is_back;
    entry.used = ++clock_;
    return entry;
  }

 private:
  Entry& take(bool is_back) {
    const auto newcomer = [](const Entry& a, const Entry& b) {
      return std::pair(!a.again, a.used) < std::pair(!b.again, b.used);
    };
    const auto oldest = std::ranges::min_element(entries_, {}, &Entry::used);
    const auto newest = std::ranges::max_element(entries_, newcomer);
    Entry& entry = is_back || newest->again ? *oldest : *newest;
    given_up_[next_given_up_++ % given_up_.size()] = entry.key;
    return entry;
  }

  std::vector<Entry> entries_;
  std::array<Hash128, 2 * places> given_up_{};
  size_t next_given_up_ = 0;
  uint64_t clock_ = 0;
};

}  // namespace tenrec
