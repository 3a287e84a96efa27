// SPDX-License-Identifier: Apache-2.0
// SIMD loops that move words of four bytes between layouts; what the words mean does not matter.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "targets/cpu/run/isa.h"

namespace tenrec::cpu {

// Part of every block of a run: lanes [first, last) come from the same lanes of `from`, whose
// blocks are `step` bytes apart. (Lanes that shift have a `from` beside their block.)
struct LanePiece {
  const std::byte* from = nullptr;
  int64_t step = 0;
  int first = 0, last = 0;
};

struct CopyLoops {
  int64_t vector;  // words
  int64_t block;   // words, of join_lanes
  // to[r * to_row + c] = from[c * from_row + r]; behind each row `zeros`, which is 0 or at most
  // what a vector has left.
  void (*transpose)(const float* from, int64_t from_row, float* to, int64_t to_row, int64_t rows,
                    int64_t columns, int64_t zeros);
  // `count` blocks, `to_step` bytes apart, out of `pieces`; lanes that none has become zero.
  void (*join_lanes)(std::span<const LanePiece> pieces, int64_t count, std::byte* to,
                     int64_t to_step);
};

const CopyLoops& copy_loops(Isa isa);

}  // namespace tenrec::cpu
