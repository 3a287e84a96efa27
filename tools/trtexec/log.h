// SPDX-License-Identifier: Apache-2.0
// Lines as trtexec writes them: "[MM/DD/YYYY-HH:MM:SS] [I] text", warnings and worse to stderr.
#pragma once
#include <NvInfer.h>

#include <cstdio>
#include <ctime>
#include <sstream>
#include <string>

namespace trtexec {

class Logger : public nvinfer1::ILogger {
 public:
  void set_verbose(bool verbose) { verbose_ = verbose; }
  void set_silent(bool silent) { silent_ = silent; }  // while something may well fail
  void log(Severity severity, const char* message) noexcept override {
    write(severity, "[TRT] ", message);
  }
  void write(Severity severity, const char* lead, const char* message) noexcept {
    if (silent_ || (severity == Severity::kVERBOSE && !verbose_)) return;
    char stamp[32] = "";
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    if (localtime_r(&now, &local) != nullptr)
      std::strftime(stamp, sizeof(stamp), "%m/%d/%Y-%H:%M:%S", &local);
    std::FILE* file = severity <= Severity::kWARNING ? stderr : stdout;
    std::fprintf(file, "[%s] [%c] %s%s\n", stamp, "FEWIV"[static_cast<int>(severity)], lead,
                 message);
    std::fflush(file);
  }

 private:
  bool verbose_ = false, silent_ = false;
};

inline Logger& logger() {
  static Logger the_logger;
  return the_logger;
}

// One line; the parts are written one after the other.
template <class... Parts>
void say(nvinfer1::ILogger::Severity severity, const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  logger().write(severity, "", text.str().c_str());
}
template <class... Parts>
void info(const Parts&... parts) {
  say(nvinfer1::ILogger::Severity::kINFO, parts...);
}
template <class... Parts>
void warn(const Parts&... parts) {
  say(nvinfer1::ILogger::Severity::kWARNING, parts...);
}
template <class... Parts>
void complain(const Parts&... parts) {
  say(nvinfer1::ILogger::Severity::kERROR, parts...);
}

}  // namespace trtexec
