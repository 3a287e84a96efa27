// SPDX-License-Identifier: Apache-2.0
// Loop nests over tensors: an output visited in memory order, inputs by strides, with as few loops
// as the strides allow.
#pragma once
#include <vector>

#include "targets/common/run/memory_layout.h"

namespace tenrec::cpu {

struct Nest {
  PerAxis sizes;                 // outermost first; never empty
  std::vector<PerAxis> strides;  // of each input, in elements, one a loop

  int64_t rows() const;  // product of all loops but the innermost
  // Drops loops of size 1 and merges neighbours that every input runs through evenly.
  void collapse();
};

// Strides of a tensor of `dims` in `layout`, broadcast to the loops over an output of `out_dims` in
// `out_layout`. An invalid_engine Error when the two layouts do not fit together.
PerAxis broadcast_strides(std::span<const int64_t> dims, const Layout& layout,
                          std::span<const int64_t> out_dims, const Layout& out_layout);

// Steps the offsets of all inputs through the rows of a nest.
class RowCursor {
 public:
  void start(const Nest& nest, int64_t row);
  void next() {
    for (size_t axis = index_.size(); axis-- > 0;) {
      const bool wraps = ++index_[axis] == nest_->sizes[axis];
      for (size_t i = 0; i < offsets_.size(); ++i) {
        const int64_t stride = nest_->strides[i][axis];
        offsets_[i] += wraps ? stride * (1 - nest_->sizes[axis]) : stride;
      }
      if (!wraps) return;
      index_[axis] = 0;
    }
  }
  int64_t offset(size_t input) const { return offsets_[input]; }
  // Makes room, so that start() need not.
  void reserve(const Nest& nest) { offsets_.reserve(nest.strides.size()); }

 private:
  const Nest* nest_ = nullptr;
  PerAxis index_;
  std::vector<int64_t> offsets_;  // of each input
};

}  // namespace tenrec::cpu
