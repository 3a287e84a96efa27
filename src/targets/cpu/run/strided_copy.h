// SPDX-License-Identifier: Apache-2.0
// Moving elements: two strided loops nests over raw bytes. Transposes, slices, concats, expands,
// tiles, layout changes are all one of these; pads and nearest resizes go through tables of places.
#pragma once
#include <cstddef>
#include <vector>

#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/copy_loops.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

// to[to_offset + i . to_strides] = from[from_offset + i . from_strides] for every i below sizes.
struct StridedCopy {
  size_t element = 4;  // bytes
  PerAxis sizes, from_strides, to_strides;
  int64_t from_offset = 0, to_offset = 0;
  // Elements behind each run along the last of `sizes` that become zero: lanes that no channel has.
  // Runs and zeros then follow each other in `to` without gaps.
  int64_t zeros_behind = 0;

  // Merges loops and orders them; call once before run.
  void prepare(const CopyLoops& loops);
  void run(const std::byte* from, std::byte* to, const Threads& threads) const;

 private:
  enum class Kind { nothing, rows, transpose, elements };
  struct Part {  // outer iterations [begin, end) of the last two loops, cut to rows x row
    int64_t begin, end, rows, row;
  };
  void run_part(const std::byte* from, std::byte* to, const Part& part) const;
  void run_padded(const std::byte* from, std::byte* to, int64_t rows) const;
  void run_inner(const std::byte* from, std::byte* to, int64_t rows, int64_t row) const;
  void run_transpose(const std::byte* from, std::byte* to, int64_t rows, int64_t row,
                     int64_t zeros) const;
  void share_side(bool cut_rows, const std::byte* from, std::byte* to,
                  const Threads& threads) const;
  const CopyLoops* loops_ = nullptr;
  Kind kind_ = Kind::nothing;
  int64_t outer_ = 1;           // iterations of all loops but the last two
  int64_t row_ = 1, rows_ = 1;  // the last two loops
};

// to[i] = from[tables[0][i0] + tables[1][i1] + ...], or `fill` where one of them is negative; `to`
// is row-major. Every place is the start of `block` elements that lie together in both.
struct TableCopy {
  size_t element = 4;
  int64_t block = 1;
  std::vector<std::vector<int64_t>> tables;  // places of each axis, in elements, outermost first

  // A new copy of so many empty tables, which keep their memory.
  void start(size_t element_bytes, int64_t elements_a_block, size_t axes);
  // Finds runs; call once before run.
  void prepare();
  // `fill` holds one element; null: zeros.
  void run(const std::byte* from, std::byte* to, const std::byte* fill,
           const Threads& threads) const;

 private:
  struct Piece {              // of the last axis: `count` blocks that follow each other
    int64_t to, from, count;  // from < 0: fill
  };
  void copy_scattered(const std::byte* from, std::byte* to, const std::byte* fill) const;
  bool scattered_ = false;  // the last axis place by place
  std::vector<Piece> pieces_;
  int64_t rows_ = 1, row_bytes_ = 0;
};

void fill_elements(std::byte* to, const std::byte* value, size_t element, int64_t count);

}  // namespace tenrec::cpu
