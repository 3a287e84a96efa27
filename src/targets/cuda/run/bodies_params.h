// SPDX-License-Identifier: Apache-2.0
// The family "bodies": If, Loop and Scan whose values stay on the GPU. Only conditions and trip
// counts come to the host.
#pragma once
#include <cstdint>
#include <tuple>
#include <vector>

#include "base/fields.h"

namespace tenrec::cuda {

// Numbers are permanent (engine files hold them).
enum class BodyKind : uint8_t { branch = 0, loop = 1, scan = 2 };

// What one iteration gives of an output that collects them.
struct CollectedRow {
  std::vector<int64_t> dims;  // where there is no iteration
  bool backward = false;      // the last iteration's comes first (Scan)
  static auto fields(auto& s) {
    return std::tuple{field(1, "dims", s.dims), field(2, "backward", s.backward)};
  }
};

struct BodiesParams {
  BodyKind kind = BodyKind::branch;
  int64_t carried = 0;              // values that go from iteration to iteration
  std::vector<int64_t> backward{};  // Scan, of each sequence: 1 where it begins at its end
  std::vector<CollectedRow> collected{};
  static auto fields(auto& s) {
    return std::tuple{field(1, "kind", s.kind), field(2, "carried", s.carried),
                      field(3, "backward", s.backward), field(4, "collected", s.collected)};
  }
};

}  // namespace tenrec::cuda
