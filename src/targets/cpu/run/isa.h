// SPDX-License-Identifier: Apache-2.0
// Instruction sets the loops are built for. The set decides the channel block B of the blocked
// layouts, hence the layout of packed weights: an engine packed for one block runs on any set with
// the same block.
#pragma once

#include <cstdint>

namespace tenrec::cpu {

enum class Isa : uint8_t {
  baseline,  // SSE4.2 on x86-64, NEON on aarch64
  avx2,      // with FMA and F16C
  avx512,    // F, VL, DQ, BW
};

// Floats in a channel block: nChw8c, or nChw16c with AVX-512. TENREC_CPU_BLOCK=16 builds every set
// with AVX-512's block, so that its layouts and index arithmetic are tested where there is none.
#ifdef TENREC_CPU_BLOCK
constexpr int block_of(Isa) { return TENREC_CPU_BLOCK; }
#else
constexpr int block_of(Isa isa) { return isa == Isa::avx512 ? 16 : 8; }
#endif

const char* to_string(Isa isa);

// True if this build has the set and this machine runs it.
bool supported(Isa isa);

// The best supported set: asked once, when a Device opens.
Isa best_isa();

}  // namespace tenrec::cpu
