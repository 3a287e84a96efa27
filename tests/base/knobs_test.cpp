// SPDX-License-Identifier: Apache-2.0
#include "base/knobs.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>

#include "base/error.h"

namespace tenrec {
namespace {

// A knob of the test's own: what the product has is few and may change.
const Knob<int64_t> number("TENREC_TEST_NUMBER", 0, "a number for this test");
const Knob<std::string> choice("TENREC_TEST_CHOICE", "one", "a choice for this test", "one|two");

TEST(Knobs, default_then_environment) {
  ::unsetenv("TENREC_TEST_NUMBER");
  EXPECT_EQ(number.get(), 0);
  ::setenv("TENREC_TEST_NUMBER", "3", 1);
  EXPECT_EQ(number.get(), 3);
  EXPECT_TRUE(number.info().is_set);
  ::setenv("TENREC_TEST_NUMBER", "", 1);
  EXPECT_EQ(number.get(), 0);
  ::unsetenv("TENREC_TEST_NUMBER");
}

TEST(Knobs, bad_values_are_named) {
  ::setenv("TENREC_TEST_NUMBER", "3x", 1);
  try {
    (void)number.get();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_STREQ(
        error.what(),
        "environment variable TENREC_TEST_NUMBER is \"3x\"; expected integer (a number for "
        "this test)");
  }
  ::unsetenv("TENREC_TEST_NUMBER");
  ::setenv("TENREC_TEST_CHOICE", "three", 1);
  EXPECT_THROW((void)choice.get(), Error);
  ::setenv("TENREC_TEST_CHOICE", "two", 1);
  EXPECT_EQ(choice.get(), "two");
  ::unsetenv("TENREC_TEST_CHOICE");
}

TEST(Knobs, all_are_listed_with_help) {
  const auto infos = list_knobs();
  EXPECT_GE(infos.size(), 3U);  // the product's and this file's
  for (const KnobInfo& info : infos) {
    EXPECT_TRUE(info.name.starts_with("TENREC_")) << info.name;
    EXPECT_FALSE(info.help.empty()) << info.name;
  }
  EXPECT_TRUE(std::is_sorted(infos.begin(), infos.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
}

}  // namespace
}  // namespace tenrec
