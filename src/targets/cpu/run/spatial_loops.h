// SPDX-License-Identifier: Apache-2.0
// SIMD loops of pooling and resizing over one row of output pixels. A pixel is `lanes` floats that
// lie together: 1 in plain tensors, the block in blocked ones, all channels when those are last.
#pragma once
#include <cstdint>

#include "targets/cpu/run/isa.h"

namespace tenrec::cpu {

// The taps of one output position along an axis that fall inside the input.
struct Taps {
  int64_t first = 0;  // input index of the first
  int64_t taps = 0;   // how many, `dilation` apart
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
  // What an average multiplies sums by: that of depth and height times that of the column.
  float factor = 1;
  const float* factors = nullptr;
  // Where there is one lane: columns of the input, and room for as many as the windows of a row
  // cover with the padding, and pool_line_slack floats behind.
  int64_t in_width = 0, line_size = 0;
  int64_t ahead = 0;  // floats to the rows of the next row of outputs, to be prefetched
  float* line = nullptr;
};
constexpr int64_t pool_line_slack = 64;

// How a row of output pixels comes from a row of input pixels.
struct ResizeColumns {
  int64_t width = 0, lanes = 1, taps = 1;
  const int64_t* places = nullptr;  // `taps` input pixels of each output pixel
  const float* weights = nullptr;
  int64_t ahead = 0;  // floats to the row that will be resized in its turn, to be prefetched
  // Plain rows of which each vector of outputs comes from 1, 2 or 4 vectors of inputs that follow
  // each other: where these begin, then places in them and weights by [vector][tap][lane]. Null:
  // they come from further apart.
  int window_vectors = 1;
  const int32_t* windows = nullptr;
  const int32_t* window_places = nullptr;
  const float* window_weights = nullptr;
};

// Rows of output pixels of one block of channels that come from the same two rows of inputs.
struct ResizeBlocks {
  const ResizeColumns* columns = nullptr;          // two taps each
  const float *upper = nullptr, *lower = nullptr;  // input rows
  const float* weights = nullptr;                  // of both, for each output row
  int64_t rows = 1, row_step = 0;                  // 1 or 2 output rows; floats between them
  bool past = false;                               // as in mix_rows
};

struct SpatialLoops {
  void (*pool)(const PoolRow& row, float* to);
  // May write whole vectors behind the end.
  void (*resize_columns)(const ResizeColumns& columns, const float* from, float* to);
  // to = sum of `count` weighted rows of n floats, which may be read in whole vectors. `past`: to
  // memory past the caches where that is possible; flush_stream() then ends a thread's part.
  void (*mix_rows)(const float* const* rows, const float* weights, int64_t count, int64_t n,
                   bool past, float* to);
  void (*resize_blocks)(const ResizeBlocks& blocks, float* to);
  void (*flush_stream)();
  int64_t vector;  // floats of the vectors in ResizeColumns
};

const SpatialLoops& spatial_loops(Isa isa);

}  // namespace tenrec::cpu
