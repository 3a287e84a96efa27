// SPDX-License-Identifier: Apache-2.0
// The one logger. Messages at or above the level go to the sink, one at a time, from any thread.
// Until a sink is set they go to stderr at the level of the knob TENREC_LOG.
#pragma once
#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

namespace tenrec {

enum class LogLevel : int { verbose = 0, info = 1, warning = 2, error = 3, silent = 4 };
std::string_view name(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view text);

using LogSink = std::function<void(LogLevel level, std::string_view message)>;

// An empty sink is stderr again. What a sink throws is dropped: logging never fails its caller.
void set_log_sink(LogSink sink);
void set_log_level(LogLevel level);
LogLevel log_level();
inline bool log_enabled(LogLevel level) { return level >= log_level(); }

void log_message(LogLevel level, std::string_view message) noexcept;  // whatever the level

// The arguments are formatted only if the level is on.
template <class... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_message(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_verbose(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::verbose, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::warning, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::error, format, std::forward<Args>(args)...);
}

}  // namespace tenrec
