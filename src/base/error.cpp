// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <string_view>

namespace tenrec {

void assertion_failed(const char* condition, const char* file, int line,
                      const std::string& message) {
  std::string_view name(file);
  if (auto slash = name.find_last_of('/'); slash != name.npos) name.remove_prefix(slash + 1);
  fail(ErrorCode::internal, "internal error at {}:{}: {}{}{}; please report it with the model",
       name, line, condition, message.empty() ? "" : ": ", message);
}

}  // namespace tenrec
