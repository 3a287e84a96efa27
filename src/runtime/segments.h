// SPDX-License-Identifier: Apache-2.0
// How recordable steps are cut into recordings.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

namespace tenrec {

// How many steps each segment has where sizes change from run to run: the device works on one
// while the host sizes the next. Short, so that neither waits long, but each costs a launch; the
// device waits for the first.
inline std::vector<size_t> short_segments(size_t steps) {
  constexpr size_t first = 6, usual = 12;
  std::vector<size_t> lengths;
  if (steps > usual) lengths.push_back(first);
  const size_t rest = steps - (lengths.empty() ? 0 : first);
  const size_t count = std::max<size_t>(1, (rest + usual / 2) / usual);
  for (size_t i = 0; i < count; ++i) lengths.push_back(rest * (i + 1) / count - rest * i / count);
  return lengths;
}

}  // namespace tenrec
