// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/run/gemm_tactic.h"

#include <cstdio>

#include "base/error.h"
#include "targets/cuda/run/gemm_params.h"

namespace tenrec::cuda {
namespace {

constexpr int max_shared = 227 << 10;

void demand(bool holds, const std::string& text) {
  TENREC_CHECK(holds, invalid_engine, "unknown tactic '{}' of a product", text);
}

}  // namespace

int ConvTile::shared_bytes(int element_bytes) const {
  const int slab = slab_pixels * 64 * element_bytes;
  const int bars = 2 * stages + 3 * consumers * slabs + consumers;
  return stages * (channels + pixels) * 128 + consumers * slabs * slab + 8 * bars;
}

std::string ConvTile::problem(int element_bytes, bool residual) const {
  const int owners = turns ? 1 : consumers;
  if (slab_pixels % 16 != 0 || pixels % slab_pixels != 0) return "slabs do not fill the tile";
  if (channels % (64 * owners) != 0) return "consumers do not divide the channels";
  if (shared_bytes(element_bytes) * ctas > max_shared) return "too much shared memory";
  // A residual that finds no slab waits for the tile before it, which waits for the residual's
  // turn.
  if (residual && turns && slabs * slab_pixels < channels / 64 * pixels)
    return "the slabs do not hold a tile of the residual";
  return "";
}

std::string to_text(const ConvTile& t) {
  return fmt::format("tile={}x{} stages={} consumers={} share={}x{} turns={} slab={}x{} ctas={}",
                     t.channels, t.pixels, t.stages, t.consumers, t.share_w, t.share_p, t.turns,
                     t.slab_pixels, t.slabs, t.ctas);
}

ConvTile parse_conv_tile(const std::string& text) {
  ConvTile t;
  const int read = std::sscanf(
      text.c_str(), "tile=%dx%d stages=%d consumers=%d share=%dx%d turns=%d slab=%dx%d ctas=%d",
      &t.channels, &t.pixels, &t.stages, &t.consumers, &t.share_w, &t.share_p, &t.turns,
      &t.slab_pixels, &t.slabs, &t.ctas);
  const auto in = [](int value, int low, int high) { return value >= low && value <= high; };
  demand(read == 10 && in(t.channels, 64, 256) && in(t.pixels, 16, 256) && in(t.stages, 2, 16) &&
             in(t.consumers, 1, 2) && in(t.share_w, 1, 2) && in(t.share_p, 1, 2) &&
             in(t.turns, 0, 1) && in(t.slab_pixels, 16, 256) && in(t.slabs, 1, 16) &&
             in(t.ctas, 1, 4) && text == to_text(t) && t.problem(2, false).empty(),
         text);
  return t;
}

std::string SplitTile::problem() const {
  if (pixels * (channels + 4) * 4 > stages * (channels + pixels) * 128)
    return "partial sums do not fit where the ring was";
  if (split != 1 && split != 2 && split != 4 && split != 8) return "the cluster is no power of two";
  if (pixels % split != 0) return "the cluster does not divide the pixels";
  if (shared_bytes() > max_shared) return "too much shared memory";
  return "";
}

std::string to_text(const SplitTile& t) {
  return fmt::format("tile={}x{} stages={} split={}", t.channels, t.pixels, t.stages, t.split);
}

SplitTile parse_split_tile(const std::string& text) {
  SplitTile t;
  const int read = std::sscanf(text.c_str(), "tile=%dx%d stages=%d split=%d", &t.channels,
                               &t.pixels, &t.stages, &t.split);
  const auto in = [](int value, int low, int high) { return value >= low && value <= high; };
  demand(read == 4 && in(t.channels, 64, 128) && t.channels % 64 == 0 && in(t.pixels, 8, 128) &&
             t.pixels % 8 == 0 && in(t.stages, 2, 16) && in(t.split, 1, 8) && text == to_text(t) &&
             t.problem().empty(),
         text);
  return t;
}

std::string to_text(const MmaTile& t) {
  return fmt::format("tile={}x{} warp={}x{} vector={}{}", t.rows, t.columns, t.warp_rows,
                     t.warp_columns, t.vector_a, t.vector_b);
}

MmaTile parse_mma_tile(const std::string& text) {
  MmaTile t;
  const int read = std::sscanf(text.c_str(), "tile=%dx%d warp=%dx%d vector=%1d%1d", &t.rows,
                               &t.columns, &t.warp_rows, &t.warp_columns, &t.vector_a, &t.vector_b);
  const auto in = [](int value, int low, int high) { return value >= low && value <= high; };
  demand(read == 6 && in(t.rows, 64, 128) && in(t.columns, 64, 128) && in(t.warp_rows, 16, 64) &&
             in(t.warp_columns, 16, 64) && t.rows % t.warp_rows == 0 &&
             t.columns % t.warp_columns == 0 && in(t.vector_a, 0, 1) && in(t.vector_b, 0, 1) &&
             text == to_text(t),
         text);
  return t;
}

DirectWindow DirectWindow::of(const GemmParams& params) {
  return {params.kernel[0], params.kernel[1], params.strides[0], params.dilations[0]};
}

int DirectTile::shared_bytes(const DirectWindow& window) const {
  const int64_t patch = window.columns(lanes) * window.rows(height()), quads = depth / 4;
  const int64_t plane = (patch * 4 + 31) / 32 * 32 + 32 / quads;
  const int64_t stage = quads * plane + window.taps_h * window.taps_w * depth * channels();
  const int64_t sums = split > 1 ? int64_t{1} * threads() * rows * columns : 0;
  return static_cast<int>(4 * std::max(stages * stage, sums));
}

std::string DirectTile::problem(const DirectWindow& window) const {
  if (!window.is_small()) return "a large kernel, stride or dilation";
  if (depth / 4 % split != 0) return "the groups do not divide a stage";
  if (threads() % (channels() / 4) != 0) return "the threads do not divide the channels";
  if (threads() > 512) return "too many threads";
  if (shared_bytes(window) > 96 << 10) return "too much shared memory";  // of sm_86
  return "";
}

std::string to_text(const DirectTile& t) {
  return fmt::format("thread={}x{} lanes={} warps={}x{} split={} depth={} stages={}", t.rows,
                     t.columns, t.lanes, t.warps_y, t.warps_n, t.split, t.depth, t.stages);
}

DirectTile parse_direct_tile(const std::string& text) {
  DirectTile t;
  const int read = std::sscanf(
      text.c_str(), "thread=%dx%d lanes=%d warps=%dx%d split=%d depth=%d stages=%d", &t.rows,
      &t.columns, &t.lanes, &t.warps_y, &t.warps_n, &t.split, &t.depth, &t.stages);
  const auto in = [](int value, int low, int high) { return value >= low && value <= high; };
  const auto power = [](int value) { return (value & (value - 1)) == 0; };
  demand(read == 8 && in(t.rows, 1, 8) && in(t.columns, 4, 16) && t.columns % 4 == 0 &&
             in(t.lanes, 4, 32) && power(t.lanes) && in(t.warps_y, 1, 8) && in(t.warps_n, 1, 8) &&
             in(t.split, 1, 8) && in(t.depth, 4, 32) && power(t.depth) && in(t.stages, 2, 4) &&
             text == to_text(t) && t.problem({}).empty(),
         text);
  return t;
}

}  // namespace tenrec::cuda
