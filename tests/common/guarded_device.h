// SPDX-License-Identifier: Apache-2.0
// The CPU as target "guarded": memory ends where an unreadable page begins, has guard bytes in
// front and behind, and is full of NaN when it is handed out.
#pragma once
#include <cstddef>
#include <span>

#include "plan/engine_file.h"

namespace tenrec::test {

void register_guarded_device();
int guard_violations();                // since the process began
std::span<std::byte> guarded_arena();  // the latest arena, as long as its context lives

// The engine for that target. With `spread`, no two buffers of a bounded plan share memory and
// there is a gap of NaN between them.
plan::EngineParts guarded(plan::EngineParts parts, bool spread);
// True if a run has left the gaps of a spread plan alone.
bool gaps_are_whole(const plan::Plan& plan);

}  // namespace tenrec::test
