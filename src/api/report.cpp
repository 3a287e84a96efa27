// SPDX-License-Identifier: Apache-2.0
#include "api/report.h"

#include <atomic>

#include "api/awaited.h"

namespace tenrec::trt {
namespace {

std::atomic<nv::ILogger*> the_last_logger{nullptr};

nv::ErrorCode to_trt(ErrorCode code) {
  switch (code) {
    case ErrorCode::internal: return nv::ErrorCode::kINTERNAL_ERROR;
    case ErrorCode::usage:
    case ErrorCode::invalid_model:
    case ErrorCode::invalid_engine:
    case ErrorCode::invalid_input: return nv::ErrorCode::kINVALID_ARGUMENT;
    case ErrorCode::io: return nv::ErrorCode::kUNSPECIFIED_ERROR;
    case ErrorCode::unsupported: return nv::ErrorCode::kUNSUPPORTED_STATE;
    case ErrorCode::out_of_memory: return nv::ErrorCode::kFAILED_ALLOCATION;
    case ErrorCode::cancelled: return nv::ErrorCode::kINVALID_STATE;
    case ErrorCode::mismatch: return nv::ErrorCode::kFAILED_COMPUTATION;
    case ErrorCode::device: return nv::ErrorCode::kFAILED_INITIALIZATION;
  }
  return nv::ErrorCode::kUNSPECIFIED_ERROR;
}

}  // namespace

Report::Report(nv::ILogger* logger, nv::IErrorRecorder* recorder) : logger_(logger) {
  set_recorder(recorder);
}

Report::~Report() { set_recorder(nullptr); }

void Report::set_recorder(nv::IErrorRecorder* recorder) noexcept {
  if (recorder == recorder_) return;
  if (recorder != nullptr) recorder->incRefCount();
  if (recorder_ != nullptr) recorder_->decRefCount();
  recorder_ = recorder;
}

void Report::log(Severity severity, const std::string& message) const noexcept {
  if (logger_ != nullptr) logger_->log(severity, message.c_str());
}

void Report::error(nv::ErrorCode code, std::string_view call,
                   std::string_view message) const noexcept {
  try {
    const std::string text =
        fmt::format("{}: Error Code {}: {}", call, static_cast<int>(code), message);
    log(code == nv::ErrorCode::kINTERNAL_ERROR ? Severity::kINTERNAL_ERROR : Severity::kERROR,
        text);
    if (recorder_ != nullptr) recorder_->reportError(code, text.c_str());
  } catch (...) {
    if (logger_ != nullptr) logger_->log(Severity::kERROR, "there is not enough memory");
  }
}

void Report::error(std::string_view call, const Error& error) const noexcept {
  this->error(to_trt(error.code()), call, error.what());
}

void Report::not_yet(std::string_view call) const noexcept {
  error(nv::ErrorCode::kUNSUPPORTED_STATE, call,
        fmt::format("this waits for {}, which a later version of Tenrec will bring; "
                    "docs/tensorrt-methods.md lists what works",
                    awaited_by(call)));
}

std::string_view checked_name(const char* name) {
  TENREC_CHECK(name != nullptr, usage, "the name is a null pointer");
  return name;
}

void remember_logger(nv::ILogger* logger) noexcept {
  if (logger != nullptr) the_last_logger = logger;
}

nv::ILogger* last_logger() noexcept { return the_last_logger; }

}  // namespace tenrec::trt
