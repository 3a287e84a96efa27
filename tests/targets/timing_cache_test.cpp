// SPDX-License-Identifier: Apache-2.0
#include "targets/timing_cache.h"

#include <gtest/gtest.h>

#include "errors/errors.h"

namespace tenrec::test {
namespace {

std::string every_byte() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

TimingCache filled() {
  TimingCache cache;
  cache.put("k1",
            {.kernel = "gemm", .tactic = "tile=4 \"x\"", .microseconds = 1.5, .comment = "a"});
  cache.put_image("00ff", every_byte());
  return cache;
}

TEST(TimingCache, reads_what_it_wrote) {
  const TimingCache cache = TimingCache::parse(filled().text());
  EXPECT_EQ(cache.text(), filled().text());
  EXPECT_FALSE(cache.changed());
  ASSERT_NE(cache.find("k1"), nullptr);
  EXPECT_EQ(cache.find("k1")->tactic, "tile=4 \"x\"");
  ASSERT_NE(cache.find_image("00ff"), nullptr);
  EXPECT_EQ(*cache.find_image("00ff"), every_byte());
  EXPECT_EQ(cache.find_image("00fe"), nullptr);
}

TEST(TimingCache, an_image_with_another_byte_is_refused) {
  std::string text = filled().text();
  text[text.find("ABC")] = 'B';
  const std::string error = error_of([&] { (void)TimingCache::parse(text); });
  EXPECT_NE(error.find("delete this file"), std::string::npos) << error;
}

TEST(TimingCache, merging_keeps_what_is_there) {
  TimingCache cache;
  cache.put_image("00ff", "own");
  cache.merge(filled());
  EXPECT_EQ(*cache.find_image("00ff"), "own");
  EXPECT_NE(cache.find("k1"), nullptr);
}

}  // namespace
}  // namespace tenrec::test
