// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdexcept>
#include <string>
#include <utility>

#include "tenrec/export.h"

namespace tenrec {

// What went wrong, in the terms a caller can act on. The command line uses the number as its exit
// code, so values are permanent.
enum class ErrorCode : int {
  internal = 1,        // a bug in Tenrec: please report it
  usage = 2,           // the request itself makes no sense (unknown option, missing argument)
  io = 3,              // a file could not be read or written
  invalid_model = 4,   // the model breaks the ONNX rules
  unsupported = 5,     // valid, but Tenrec cannot do it
  invalid_engine = 6,  // the engine file is damaged, too new, or not for this machine
  invalid_input = 7,   // a run-time input has the wrong name, type or shape
  out_of_memory = 8,   // an allocation failed or the memory limit was reached
  cancelled = 9,       // the caller's progress callback asked to stop
  mismatch = 10,       // a comparison found a difference
  device = 11,         // a device or one of its libraries is missing or failed
};

// The one exception type. `what()` reads: what failed, on what, expected against got, what to do.
class TENREC_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace tenrec
