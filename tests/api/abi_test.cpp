// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "api/abi_check.h"

// Types, sizes and enum values are checked while make_abi_check.py's output compiles.
TEST(TrtAbi, SlotsAndOffsetsAreThoseOf1016) {
  const std::vector<trt_abi::Fact> facts = trt_abi::facts();
  EXPECT_GT(facts.size(), 900U);
  for (const trt_abi::Fact& fact : facts) EXPECT_EQ(fact.actual, fact.expected) << fact.what;
}
