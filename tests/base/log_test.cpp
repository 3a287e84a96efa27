// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tenrec {
namespace {

class Log : public testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel level, std::string_view message) {
      lines_.push_back(std::string(name(level)) + " " + std::string(message));
    });
    set_log_level(LogLevel::info);
  }
  void TearDown() override {
    set_log_sink({});
    set_log_level(LogLevel::warning);
  }
  std::vector<std::string> lines_;
};

TEST_F(Log, levels_filter_and_format) {
  log_verbose("no {}", 1);
  log_info("yes {}", 2);
  log_error("bad {}", "x");
  EXPECT_EQ(lines_, (std::vector<std::string>{"info yes 2", "error bad x"}));
  set_log_level(LogLevel::silent);
  log_error("nothing");
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(Log, threads_take_turns) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) log_info("line");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines_.size(), 800U);
}

TEST_F(Log, a_throwing_or_logging_sink_does_no_harm) {
  set_log_sink([](LogLevel, std::string_view) { throw std::runtime_error("sink"); });
  EXPECT_NO_THROW(log_error("x"));
  int calls = 0;
  set_log_sink([&](LogLevel, std::string_view) {
    if (++calls == 1) log_info("again");
  });
  log_info("once");
  EXPECT_EQ(calls, 2);
}

TEST_F(Log, level_names) {
  EXPECT_EQ(parse_log_level("warning"), LogLevel::warning);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

}  // namespace
}  // namespace tenrec
