// SPDX-License-Identifier: Apache-2.0
// The tiles of our tensor-core kernels, as the device headers take them, and their text.
#pragma once
#include <algorithm>
#include <string>

#include "base/dtype.h"

namespace tenrec::cuda {

struct GemmParams;

// conv_sm90.cuh: "tile=256x160 stages=4 consumers=2 share=1x1 turns=0 slab=32x2 ctas=1".
struct ConvTile {
  int channels = 128, pixels = 128, stages = 4, consumers = 2;
  int share_w = 1, share_p = 1;  // CTAs of a cluster that share weights, pixels
  int turns = 0;                 // 1: each consumer owns whole tiles (ping-pong)
  int slab_pixels = 32, slabs = 2;
  int ctas = 1;  // an SM
  bool operator==(const ConvTile&) const = default;

  int cluster() const { return share_w * share_p; }
  int threads() const { return 128 * (consumers + 1); }
  int shared_bytes(int element_bytes) const;
  // What the kernel's static_asserts demand; "" or the reason.
  std::string problem(int element_bytes, bool residual) const;
};
std::string to_text(const ConvTile& tile);
ConvTile parse_conv_tile(const std::string& text);  // an invalid_engine Error

// gemm_sm90.cuh: "tile=64x32 stages=6 split=4".
struct SplitTile {
  int channels = 64, pixels = 64, stages = 4, split = 1;
  bool operator==(const SplitTile&) const = default;
  static constexpr int threads = 160;
  int shared_bytes() const { return stages * (channels + pixels) * 128 + 16 * stages; }
  std::string problem() const;
};
std::string to_text(const SplitTile& tile);
SplitTile parse_split_tile(const std::string& text);

// gemm_mma.cuh: "tile=128x128 warp=64x32 vector=11"; rows (pixels) x columns (channels); vector:
// 16-byte loads of a and b along k.
struct MmaTile {
  int rows = 128, columns = 128, warp_rows = 64, warp_columns = 32;
  int vector_a = 0, vector_b = 0;
  bool operator==(const MmaTile&) const = default;
  int threads(bool plain) const {
    return plain ? 256 : rows / warp_rows * (columns / warp_columns) * 32;
  }
  int shared_bytes() const { return 3 * (rows + columns) * 80; }
};
std::string to_text(const MmaTile& tile);
MmaTile parse_mma_tile(const std::string& text);

// What a convolution reads of its input; stride and dilation are the same along both axes.
struct DirectWindow {
  int64_t taps_h = 1, taps_w = 1, stride = 1, dilation = 1;
  static DirectWindow of(const GemmParams& params);
  // A thread's pixels and their border stay in registers.
  bool is_small() const { return std::max(taps_h, taps_w) <= 7 && std::max(stride, dilation) <= 2; }
  // Pixels from one output's to the next one's, as they lie in shared memory: a single tap needs
  // none of those that a stride leaves out.
  int64_t pitch() const { return taps_h * taps_w == 1 ? 1 : stride; }
  int64_t rows(int64_t outputs) const {
    return (outputs - 1) * pitch() + (taps_h - 1) * dilation + 1;
  }
  int64_t columns(int64_t outputs) const {
    return (outputs - 1) * pitch() + (taps_w - 1) * dilation + 1;
  }
};

// conv_direct.cuh: "thread=4x8 lanes=16 warps=4x1 split=1 depth=16 stages=2"; rows of pixels x
// channels of a thread, lanes of a warp along a row, warps by rows x channels, groups of warps that
// share the sum, channels of a stage.
struct DirectTile {
  int rows = 4, columns = 8, lanes = 16, warps_y = 4, warps_n = 1;
  int split = 1, depth = 16, stages = 2;
  bool operator==(const DirectTile&) const = default;

  int height() const { return rows * warps_y; }  // of a block, in pixels; `lanes` is its width
  int channels() const { return columns * (32 / lanes) * warps_n; }
  int threads() const { return 32 * warps_y * warps_n * split; }
  int shared_bytes(const DirectWindow& window) const;
  // What the kernel's static_asserts demand; "" or the reason.
  std::string problem(const DirectWindow& window) const;
};
std::string to_text(const DirectTile& tile);
DirectTile parse_direct_tile(const std::string& text);

}  // namespace tenrec::cuda
