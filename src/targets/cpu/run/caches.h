// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace tenrec::cpu {

// Bytes of a core's data cache of this level; `otherwise` where the machine does not tell.
uint64_t cache_bytes(int level, uint64_t otherwise);

// Of an output this large, with what it is made from and what others keep there, little is left in
// the last cache when the next step reads it: better written past the caches, which saves fetching
// its lines first.
bool leaves_caches(uint64_t output_bytes);

}  // namespace tenrec::cpu
