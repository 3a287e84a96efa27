// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>

#include "base/error.h"
#include "base/knobs.h"

namespace tenrec {
namespace {

constexpr std::array<std::string_view, 5> level_names = {"verbose", "info", "warning", "error",
                                                         "silent"};

void write_to_stderr(LogLevel level, std::string_view message) {
  const std::string_view label = name(level);
  std::fprintf(stderr, "[tenrec %.*s] %.*s\n", static_cast<int>(label.size()), label.data(),
               static_cast<int>(message.size()), message.data());
}

// A bad knob must not make every function that logs fail: say so once and go on.
LogLevel initial_level() {
  try {
    return parse_log_level(knobs::log.get()).value_or(LogLevel::warning);
  } catch (const Error& error) {
    write_to_stderr(LogLevel::warning, error.what());
    return LogLevel::warning;
  }
}

struct Logger {
  // Recursive: a sink may call something that logs.
  std::recursive_mutex mutex;
  LogSink sink;
  std::atomic<LogLevel> level{initial_level()};
};

// Never destroyed, so that destructors of other globals may still log.
Logger& logger() {
  static Logger& instance = *new Logger;
  return instance;
}

}  // namespace

std::string_view name(LogLevel level) { return level_names.at(static_cast<size_t>(level)); }

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (size_t i = 0; i < level_names.size(); ++i) {
    if (level_names[i] == text) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void set_log_sink(LogSink sink) {
  Logger& log = logger();
  const std::lock_guard lock(log.mutex);
  log.sink = std::move(sink);
}

void set_log_level(LogLevel level) { logger().level = level; }
LogLevel log_level() { return logger().level; }

void log_message(LogLevel level, std::string_view message) noexcept {
  Logger& log = logger();
  try {
    const std::lock_guard lock(log.mutex);
    const LogSink sink = log.sink;  // a copy: the sink may replace itself
    if (sink) {
      sink(level, message);
    } else {
      write_to_stderr(level, message);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): the contract above
  }
}

}  // namespace tenrec
