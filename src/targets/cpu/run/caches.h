// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace tenrec::cpu {

// Bytes of a core's data cache of this level; `otherwise` where the machine does not tell.
uint64_t cache_bytes(int level, uint64_t otherwise);

}  // namespace tenrec::cpu
