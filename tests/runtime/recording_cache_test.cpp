// SPDX-License-Identifier: Apache-2.0
#include "runtime/recording_cache.h"

#include <gtest/gtest.h>

namespace tenrec::test {
namespace {

class Numbered : public Recording {
 public:
  explicit Numbered(uint64_t number) : number(number) {}
  void replay() override {}
  uint64_t number;
};

class RecordingCacheTest : public ::testing::Test {
 protected:
  // Whether it was there with a recording; makes one if not, as the executor does.
  bool use(uint64_t number) {
    const Hash128 key{1, number};
    RecordingCache::Entry* entry = cache_.find(key);
    if (!entry) {
      entry = &cache_.add(key);
      if (entry->recording) reused_ = static_cast<Numbered&>(*entry->recording).number;
      entry->recording = std::make_unique<Numbered>(number);
      return false;
    }
    EXPECT_EQ(static_cast<Numbered&>(*entry->recording).number, number);
    return true;
  }

  RecordingCache cache_;
  uint64_t reused_ = 0;  // whose recording the last new one was made from
};

TEST_F(RecordingCacheTest, KeepsAsManyAsThereArePlaces) {
  for (uint64_t round = 0; round < 3; ++round)
    for (uint64_t i = 1; i <= RecordingCache::places; ++i) EXPECT_EQ(use(i), round > 0);
  EXPECT_EQ(reused_, 0U);
}

TEST_F(RecordingCacheTest, AStreamOfNewKeysPassesThroughOnePlace) {
  for (uint64_t i = 1; i <= RecordingCache::places; ++i) use(i);
  for (uint64_t i = 101; i <= 150; ++i) {
    EXPECT_FALSE(use(i));
    EXPECT_EQ(reused_, i == 101 ? RecordingCache::places : i - 1);
    EXPECT_TRUE(use(i));  // twice in a row is not "again"
  }
  for (uint64_t i = 1; i < RecordingCache::places; ++i) EXPECT_TRUE(use(i));
}

TEST_F(RecordingCacheTest, NewKeysThatComeAgainFindPlaces) {
  for (uint64_t i = 1; i <= RecordingCache::places; ++i) use(i);
  for (uint64_t round = 0; round < 3; ++round)
    for (uint64_t i = 201; i <= 203; ++i) EXPECT_EQ(use(i), round > 1 || (round > 0 && i == 203));
  // The least recently used made room.
  for (uint64_t i = 4; i < RecordingCache::places; ++i) EXPECT_TRUE(use(i));
}

TEST_F(RecordingCacheTest, WhereAllComeAgainTheOldestGoes) {
  for (int round = 0; round < 2; ++round)
    for (uint64_t i = 1; i <= RecordingCache::places; ++i) use(i);
  use(301);
  EXPECT_EQ(reused_, 1U);
  use(302);
  EXPECT_EQ(reused_, 301U);
}

}  // namespace
}  // namespace tenrec::test
