// SPDX-License-Identifier: Apache-2.0
// How the facade answers for what went wrong: every call of the interface runs inside guard, which
// turns an exception into a message to the application's logger and error recorder and a failure
// value. Nothing leaves by an exception.
#pragma once
#include <NvInfer.h>

#include <new>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tenrec::trt {

namespace nv = nvinfer1;
using Severity = nv::ILogger::Severity;

class Report {
 public:
  explicit Report(nv::ILogger* logger, nv::IErrorRecorder* recorder = nullptr);
  Report(const Report& other) : Report(other.logger_, other.recorder_) {}
  Report& operator=(const Report&) = delete;
  ~Report();

  nv::ILogger* logger() const { return logger_; }
  nv::IErrorRecorder* recorder() const { return recorder_; }
  void set_recorder(nv::IErrorRecorder* recorder) noexcept;  // counted as a reference

  void log(Severity severity, const std::string& message) const noexcept;
  void error(nv::ErrorCode code, std::string_view call, std::string_view message) const noexcept;
  void error(std::string_view call, const Error& error) const noexcept;
  // For what a later version will do.
  void not_yet(std::string_view call) const noexcept;

  // The value of `body`, or `failed` and a message when it throws.
  template <class Result, class Body>
  Result guard(const char* call, Result failed, Body&& body) const noexcept {
    try {
      return body();
    } catch (const Error& thrown) {
      error(call, thrown);
    } catch (const std::bad_alloc&) {
      error(nv::ErrorCode::kFAILED_ALLOCATION, call, "there is not enough memory");
    } catch (const std::exception& thrown) {
      error(nv::ErrorCode::kINTERNAL_ERROR, call, thrown.what());
    }
    return failed;
  }
  template <class Body>
  void guard(const char* call, Body&& body) const noexcept {
    guard(call, false, [&] {
      body();
      return true;
    });
  }

 private:
  nv::ILogger* logger_;
  nv::IErrorRecorder* recorder_ = nullptr;
};

// A usage Error for a name that is not there.
std::string_view checked_name(const char* name);

void remember_logger(nv::ILogger* logger) noexcept;
nv::ILogger* last_logger() noexcept;  // the one given last, null before

}  // namespace tenrec::trt
