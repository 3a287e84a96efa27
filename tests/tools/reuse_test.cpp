// SPDX-License-Identifier: Apache-2.0
#include "reuse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace tenrec {
namespace {

const std::byte* at(uint64_t address) { return reinterpret_cast<const std::byte*>(address); }

// The distance itself is the cost; what was never used costs a million.
double far_away(double distance) { return std::isinf(distance) ? 1e6 : distance; }

double step(MemoryReuse& reuse, const std::vector<StepMemory>& uses) {
  return reuse.step(uses, far_away);
}

// A set that is gone through again and again comes from where a set of its size stays.
TEST(MemoryReuse, ASetIsAsFarAsItIsLarge) {
  MemoryReuse reuse;
  EXPECT_DOUBLE_EQ(step(reuse, {{at(1000), 100}}), 1e6);
  EXPECT_DOUBLE_EQ(step(reuse, {{at(1000), 100}}), 100);
  EXPECT_DOUBLE_EQ(step(reuse, {{at(1000), 100}}), 100);
}

TEST(MemoryReuse, WhatLiesBetweenCounts) {
  MemoryReuse reuse;
  step(reuse, {{at(1000), 100}});
  step(reuse, {{at(2000), 400}});
  EXPECT_DOUBLE_EQ(step(reuse, {{at(1000), 100}}), 500);
  // Half of it was just used, the other half 100 bytes earlier.
  step(reuse, {{at(1050), 100}});
  EXPECT_DOUBLE_EQ(step(reuse, {{at(1000), 100}}), (200 + 100) / 2);
}

TEST(MemoryReuse, PartsAreKnownByTheirAddresses) {
  MemoryReuse reuse;
  step(reuse, {{at(1000), 100}});
  EXPECT_DOUBLE_EQ(step(reuse, {{at(950), 100}}), (1e6 + 100) / 2);
  EXPECT_DOUBLE_EQ(step(reuse, {{at(1020), 20}}), 50 + 10);
  // 950 to 1000 and 1000 to 1020 of the second step, 20 of the third, 10 of the second, 50 of the
  // first.
  EXPECT_DOUBLE_EQ(step(reuse, {{at(950), 150}}),
                   (80 * (50 + 20 + 75) + 20 * (10 + 75) + 50 * (50 + 100 + 20 + 75)) / 150.0);
  EXPECT_DOUBLE_EQ(step(reuse, {}), 0);
}

}  // namespace
}  // namespace tenrec
