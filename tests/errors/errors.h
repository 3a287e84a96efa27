// SPDX-License-Identifier: Apache-2.0
// The exact words of what goes wrong. They are part of the interface: what failed, on what,
// expected against got, what to do.
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tenrec/error.h"

namespace tenrec::test {

inline std::string code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::internal: return "internal";
    case ErrorCode::usage: return "usage";
    case ErrorCode::io: return "io";
    case ErrorCode::invalid_model: return "invalid_model";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::invalid_engine: return "invalid_engine";
    case ErrorCode::invalid_input: return "invalid_input";
    case ErrorCode::out_of_memory: return "out_of_memory";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::mismatch: return "mismatch";
    case ErrorCode::device: return "device";
  }
  return "?";
}

// "invalid_model: the text", with `folder` written as $DIR; "" where nothing was thrown.
inline std::string error_of(const std::function<void()>& body, const std::string& folder = {}) {
  try {
    body();
  } catch (const Error& error) {
    std::string text = code_name(error.code()) + ": " + error.what();
    for (size_t at; !folder.empty() && (at = text.find(folder)) != std::string::npos;)
      text.replace(at, folder.size(), "$DIR");
    return text;
  }
  return "";
}

}  // namespace tenrec::test
