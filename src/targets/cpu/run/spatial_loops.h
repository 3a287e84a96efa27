// SPDX-License-Identifier: Apache-2.0
// SIMD loops of pooling and resizing over one row of output pixels. A pixel is `lanes` floats that
// lie together: 1 in plain tensors, the block in blocked ones, all channels when those are last.
#pragma once
#include <cstdint>

#include "targets/cpu/run/isa.h"

namespace tenrec::cpu {

// The taps of one output position along an axis that fall inside the input.
struct Taps {
  int64_t first = 0;    // input index of the first
  int64_t taps = 0;     // how many, `dilation` apart
  int64_t skipped = 0;  // taps of the window before the first
  int64_t counted = 0;  // positions that an average counts
};

struct PoolRow {
  const float* from = nullptr;    // input pixel (depth.first, height.first, 0)
  int64_t depth = 1, height = 1;  // taps
  int64_t depth_step = 0, height_step = 0, width_step = 0;  // floats between taps
  const Taps* columns = nullptr;                            // of each output pixel
  int64_t width = 0;                                        // output pixels
  int64_t lanes = 1;
  int64_t stride = 1, kernel = 1, dilation = 1;  // along the row
  int64_t pad = 0;
  bool is_max = true;
  int64_t counted = 1;  // of depth and height, for averages
};

struct ResizeRow {
  const float* const* rows = nullptr;  // input rows to combine
  const float* row_weights = nullptr;
  int64_t row_count = 1;
  const int64_t* columns = nullptr;  // `taps` input pixels of each output pixel
  const float* column_weights = nullptr;
  int64_t taps = 1;
  int64_t in_width = 0, out_width = 0, lanes = 1;
  float* buffer = nullptr;  // in_width * lanes
};

struct SpatialLoops {
  void (*pool)(const PoolRow& row, float* to);
  void (*resize)(const ResizeRow& row, float* to);
};

const SpatialLoops& spatial_loops(Isa isa);

}  // namespace tenrec::cpu
