// SPDX-License-Identifier: Apache-2.0
#include "runtime/segments.h"

#include <gtest/gtest.h>

#include <numeric>

namespace tenrec {
namespace {

TEST(Segments, AreAShortOneAndEqualOnes) {
  using Lengths = std::vector<size_t>;
  EXPECT_EQ(short_segments(12), (Lengths{12}));
  EXPECT_EQ(short_segments(13), (Lengths{6, 7}));
  EXPECT_EQ(short_segments(49), (Lengths{6, 10, 11, 11, 11}));
}

// One that is left over would cost a launch for a single step.
TEST(Segments, CoverAllStepsAndLeaveNoneAlone) {
  for (size_t steps = 2; steps < 300; ++steps) {
    const std::vector<size_t> lengths = short_segments(steps);
    EXPECT_EQ(std::accumulate(lengths.begin(), lengths.end(), size_t{0}), steps);
    for (const size_t length : lengths) {
      EXPECT_GE(length, 2U) << steps;
      EXPECT_LE(length, 18U) << steps;
    }
  }
}

}  // namespace
}  // namespace tenrec
