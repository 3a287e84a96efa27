// SPDX-License-Identifier: Apache-2.0
// What a call that does nothing yet waits for, in words a user knows. scripts/trt_table.py reads
// the same lines for docs/tensorrt-methods.md.
#pragma once
#include <string_view>

namespace tenrec::trt {

struct Awaited {
  std::string_view part, subject;
};

// The first whose part lies in the call's name ("ITensor::setDynamicRange").
inline constexpr Awaited awaited_subjects[] = {
    {"Plugin", "plugins"},
    {"DimensionExpr", "plugins"},
    {"ExprBuilder", "plugins"},
    {"Refitter", "refit"},
    {"Int8", "calibrators"},
    {"DynamicRange", "calibrators"},
    {"Algorithm", "algorithm selectors"},
    {"ITimingCache", "timing caches edited by the program"},
    {"loadInitializer", "weights given to the parser by the program"},
    {"Debug", "debug tensors"},
    {"DistCollective", "several devices in one network"},
    {"NbRanks", "several devices in one network"},
    {"Layer", "network definition by hand"},
    {"ITensor", "network definition by hand"},
    {"INetworkDefinition", "network definition by hand"},
    {"ILoop", "network definition by hand"},
    {"IIfConditional", "network definition by hand"},
    {"IAttention", "network definition by hand"},
};

constexpr std::string_view awaited_by(std::string_view call) {
  for (const Awaited& awaited : awaited_subjects) {
    if (call.find(awaited.part) != call.npos) return awaited.subject;
  }
  return {};
}

}  // namespace tenrec::trt
