// SPDX-License-Identifier: Apache-2.0
// Errors: TENREC_CHECK is for what a user can cause (tested in tests/errors), TENREC_ASSERT for
// what only a bug of ours can cause. Context is added while unwinding, outermost last:
//   importing node "conv_12" (Conv, opset 17): weight has 4 dims, input has 3; ...
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "tenrec/error.h"

namespace tenrec {

template <class... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const std::string& message);

// Runs `body`; an Error leaving it gets "<describe()>: " put in front.
template <class Describe, class Body>
auto with_context(Describe&& describe, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", describe(), error.what()));
  }
}

}  // namespace tenrec

#define TENREC_CHECK(condition, code, ...)                                    \
  do {                                                                        \
    if (!(condition)) ::tenrec::fail(::tenrec::ErrorCode::code, __VA_ARGS__); \
  } while (false)

#define TENREC_ASSERT(condition, ...)                                                          \
  do {                                                                                         \
    if (!(condition))                                                                          \
      ::tenrec::assertion_failed(#condition, __FILE__, __LINE__, fmt::format("" __VA_ARGS__)); \
  } while (false)
