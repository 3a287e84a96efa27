// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/nest.h"

#include <algorithm>

#include "base/error.h"

namespace tenrec::cpu {

int64_t Nest::rows() const {
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) rows *= sizes[i];
  return rows;
}

void Nest::collapse() {
  size_t kept = 0;  // loops that stay are moved to the front
  for (size_t axis = 0; axis < sizes.size(); ++axis) {
    if (sizes[axis] == 1) continue;
    const bool even = kept > 0 && std::ranges::all_of(strides, [&](const PerAxis& own) {
                        return own[kept - 1] == own[axis] * sizes[axis];
                      });
    if (!even) ++kept;
    sizes[kept - 1] = even ? sizes[kept - 1] * sizes[axis] : sizes[axis];
    for (PerAxis& own : strides) own[kept - 1] = own[axis];
  }
  sizes.resize(kept);
  for (PerAxis& own : strides) own.resize(kept);
  if (kept > 0) return;
  sizes.push_back(1);
  for (PerAxis& own : strides) own.push_back(0);
}

PerAxis broadcast_strides(std::span<const int64_t> dims, const Layout& layout,
                          std::span<const int64_t> out_dims, const Layout& out_layout) {
  const size_t rank = out_dims.size();
  const size_t shift = rank - dims.size();
  TENREC_CHECK(dims.size() <= rank, invalid_engine, "an operand of {} axes broadcast to {}",
               dims.size(), rank);
  const PerAxis own = dense_strides(physical_dims(dims, layout));
  const bool blocked = layout.block_axis >= 0;
  TENREC_CHECK(!blocked || (out_layout.block == layout.block &&
                            out_layout.block_axis == layout.block_axis + static_cast<int>(shift)),
               invalid_engine, "an operand in a blocked layout, the result is not");
  PerAxis logical(rank, 0);  // stride of each logical axis; of a block axis, between blocks
  int64_t lane = 0;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    TENREC_CHECK(dims[axis] == 1 || dims[axis] == out_dims[axis + shift], invalid_engine,
                 "an operand of {} cannot be broadcast to {}", to_string(dims),
                 to_string(out_dims));
    if (dims[axis] == 1) continue;
    size_t place = axis;
    if (layout.channels_last && dims.size() > 2)
      place = axis == 0 ? 0 : axis == 1 ? dims.size() - 1 : axis - 1;
    const bool split = out_layout.block_axis == static_cast<int>(axis + shift);
    logical[axis + shift] = own[place] * (split && !blocked ? out_layout.block : 1);
    if (split) lane = blocked ? 1 : own[place];
  }
  if (out_layout.block_axis >= 0) {
    logical.push_back(lane);
  } else if (out_layout.channels_last && rank > 2) {
    logical.move_to_back(1);
  }
  return logical;
}

void RowCursor::start(const Nest& nest, int64_t row) {
  nest_ = &nest;
  index_.assign(nest.sizes.size() - 1, 0);
  offsets_.assign(nest.strides.size(), 0);
  for (size_t axis = nest.sizes.size() - 1; axis-- > 0;) {
    index_[axis] = row % nest.sizes[axis];
    row /= nest.sizes[axis];
    for (size_t i = 0; i < offsets_.size(); ++i)
      offsets_[i] += index_[axis] * nest.strides[i][axis];
  }
}

}  // namespace tenrec::cpu
