// SPDX-License-Identifier: Apache-2.0
// Tensors in blocks of channels whose lanes shift: concats, splits and slices along the block axis
// where parts do not begin at a block's edge. Every block of the result is written once, out of
// the pieces that its lanes come from.
#pragma once
#include <span>
#include <vector>

#include "runtime/device.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/copy_loops.h"
#include "targets/cpu/run/nest.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

class LaneCopy {
 public:
  // A new copy, which keeps its memory: output `output` in blocks of `block` along `axis`, of the
  // given physical sizes, lanes behind.
  void start(size_t output, size_t element, const PerAxis& physical, size_t axis, int64_t block);
  // Channels [from, from + count) of input `input` become those from `to` on, each add's behind
  // those of the add before. The input's first element is at `offset`, its axes are stepped
  // through by `strides`.
  void add(size_t input, const PerAxis& strides, int64_t offset, int64_t from, int64_t to,
           int64_t count);
  // Call once after the last add.
  void prepare(const CopyLoops& loops);
  void run(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
           const Threads& threads) const;

 private:
  struct Piece {  // lanes [first, last) of a block; lane 0 would be at `offset` of the source
    size_t source;
    int64_t block, offset;
    int first, last;
  };
  void run_part(std::span<const TensorView> inputs, std::byte* to, int64_t row, int64_t begin,
                int64_t end) const;
  void join_elements(std::span<const LanePiece> pieces, int64_t count, std::byte* to,
                     int64_t to_step) const;
  int64_t offset(size_t source, int64_t row) const;

  size_t output_ = 0, element_ = 4, axis_ = 0;
  int64_t block_ = 0, block_stride_ = 0, blocks_ = 0;
  std::vector<size_t> inputs_;  // of each source, as `add` gave them
  std::vector<Piece> pieces_;   // in the order of the result's lanes
  Nest nest_;                   // pixels: all axes but blocks and lanes; the result's behind
  const CopyLoops* loops_ = nullptr;
};

// Some of them, and the memory of those that were.
class LaneCopies {
 public:
  void clear() { count_ = 0; }
  LaneCopy& next() {
    if (count_ == copies_.size()) copies_.emplace_back();
    return copies_[count_++];
  }
  std::span<LaneCopy> all() { return std::span(copies_).first(count_); }

 private:
  std::vector<LaneCopy> copies_;
  size_t count_ = 0;
};

}  // namespace tenrec::cpu
