// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <gtest/gtest.h>

namespace tenrec {
namespace {

std::string sample() {
  std::string text;
  for (int i = 0; i < 1000; ++i) text.push_back(static_cast<char>(i % 251));
  return text;
}

// Digests from the xxhash package of PyPI.
TEST(Hash, known_digests) {
  EXPECT_EQ(hash128("").hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash128("abc").hex(), "06b05ab6733a618578af5f94892f3950");
  EXPECT_EQ(hash128(sample()).hex(), "18bf41bc8229e27733ef703fb2b20ed1");
}

TEST(Hash, pieces_give_the_whole) {
  const std::string text = sample();
  Hasher hasher;
  hasher.add(std::string_view(text).substr(0, 7));
  hasher.add(std::string_view());
  hasher.add(std::string_view(text).substr(7));
  EXPECT_EQ(hasher.digest(), hash128(text));
}

TEST(Hash, bytes_round_trip) {
  const Hash128 hash = hash128("abc");
  EXPECT_EQ(hash.bytes()[0], std::byte{0x06});
  EXPECT_EQ(hash.bytes()[15], std::byte{0x50});
  EXPECT_EQ(Hash128::from_bytes(hash.bytes()), hash);
}

}  // namespace
}  // namespace tenrec
