// SPDX-License-Identifier: Apache-2.0
#include "base/knobs.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>

#include "base/error.h"

namespace tenrec {
namespace {

TEST(Knobs, default_then_environment) {
  ::unsetenv("TENREC_THREADS");
  EXPECT_EQ(knobs::threads.get(), 0);
  ::setenv("TENREC_THREADS", "3", 1);
  EXPECT_EQ(knobs::threads.get(), 3);
  EXPECT_TRUE(knobs::threads.info().is_set);
  ::setenv("TENREC_THREADS", "", 1);
  EXPECT_EQ(knobs::threads.get(), 0);
  ::unsetenv("TENREC_THREADS");
}

TEST(Knobs, bad_values_are_named) {
  ::setenv("TENREC_THREADS", "3x", 1);
  try {
    (void)knobs::threads.get();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_STREQ(error.what(),
                 "environment variable TENREC_THREADS is \"3x\"; expected integer (threads of the "
                 "CPU target; 0: as many as affinity and cgroup allow)");
  }
  ::unsetenv("TENREC_THREADS");
  ::setenv("TENREC_CPU_FEATURES", "avx", 1);
  EXPECT_THROW((void)knobs::cpu_features.get(), Error);
  ::setenv("TENREC_CPU_FEATURES", "avx2", 1);
  EXPECT_EQ(knobs::cpu_features.get(), "avx2");
  ::unsetenv("TENREC_CPU_FEATURES");
}

TEST(Knobs, all_are_listed_with_help) {
  const auto infos = list_knobs();
  EXPECT_GE(infos.size(), 4U);
  for (const KnobInfo& info : infos) {
    EXPECT_TRUE(info.name.starts_with("TENREC_")) << info.name;
    EXPECT_FALSE(info.help.empty()) << info.name;
  }
  EXPECT_TRUE(std::is_sorted(infos.begin(), infos.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
}

}  // namespace
}  // namespace tenrec
