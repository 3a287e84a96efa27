// SPDX-License-Identifier: Apache-2.0
// What kernels made of parts share: blocks that take turns, tiles that go through shared memory.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "targets/cuda/kernel_text.h"

namespace tenrec::cuda {

// Statements of a block of `block_threads` threads; `block`, an idx, counts from the part's first.
struct BlockPart {
  std::string text;
  Dim blocks = 0;
};

// The loop along which `from` runs, where that is not the innermost, along which `to` runs.
std::optional<size_t> transposed_loop(const Loops& loops, const Walk& to, const Walk& from);

// Elements of `type` from walks[1] to walks[0] in tiles, so that both sides are read and written in
// rows. `load(offset)` is the body of a function that gives the element there.
BlockPart transpose_part(const Loops& loops, size_t along, const std::string& type,
                         const std::function<std::string(const std::string& offset)>& load,
                         const std::string& target, KernelText& kernel);

// All parts in one launch, blocks for each in turn: a launch costs more than most of them.
void launch_in_turn(const std::vector<BlockPart>& parts, KernelText& kernel, StepWriter& step);

}  // namespace tenrec::cuda
