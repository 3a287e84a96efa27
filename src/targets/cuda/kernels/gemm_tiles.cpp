// SPDX-License-Identifier: Apache-2.0
#include "targets/cuda/kernels/gemm_tiles.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tenrec::cuda {
namespace {

// Bytes a clock and SM, from the traces of the Hopper laboratory (device/conv_sm90.cuh).
constexpr double shared_rate = 128;   // shared memory, wgmma operands and copies together
constexpr double l2_rate = 50;        // loads of tiles; requests for the same lines are merged
constexpr double hbm_rate = 13;       // of one SM when all ask: 3 TB/s over 132 SMs at 1.75 GHz
constexpr double epilogue_rate = 16;  // results a clock
constexpr double tile_start = 1500;   // clocks from the first load's issue to the first product
constexpr double launch = 5000;       // ramp, cold weights, last stores

int64_t parts(int64_t size, int64_t tile) { return (size + tile - 1) / tile; }

// Clocks of one k block of 128 bytes a row.
double block_clocks(int channels, int pixels, int element_bytes) {
  const double rows = channels, columns = pixels;
  const double tensor = rows * columns / (element_bytes == 4 ? 32 : 32);
  const double copied = (rows + columns) * 128;
  const double read = rows / 64 * (8192 + columns * 128);
  return std::max({tensor, (copied + read) / shared_rate, copied / l2_rate});
}

double clocks(const ConvTile& t, const TileProblem& p) {
  const int64_t tiles_c = parts(p.channels, t.channels), tiles_p = parts(p.pixels, t.pixels);
  const double slots = double(p.multiprocessors) * t.ctas;
  const double waves = std::ceil(static_cast<double>(tiles_c * tiles_p) / slots) * t.ctas;
  const double loop =
      static_cast<double>(p.kblocks) * block_clocks(t.channels, t.pixels, p.element_bytes);
  const double results = double(t.channels) * t.pixels;
  const double epilogue = results / epilogue_rate * (p.residual ? 1.5 : 1);
  // With turns (or two CTAs an SM) one tile's epilogue runs beside another's main loop.
  const bool overlaps = t.turns != 0 || t.ctas > 1;
  const double tile = overlaps ? std::max(loop, epilogue) : loop + epilogue + tile_start / 4;
  const double moved = static_cast<double>(p.pixels) *
                       (static_cast<double>(p.channels) * p.element_bytes * (p.residual ? 2 : 1) +
                        static_cast<double>(p.kblocks) * 128 / 4);
  return std::max(waves * tile, moved / hbm_rate / p.multiprocessors) + launch +
         (overlaps ? epilogue : 0);
}

double clocks(const SplitTile& t, const TileProblem& p) {
  const int64_t tiles = parts(p.channels, t.channels) * parts(p.pixels, t.pixels);
  const int per_sm = std::clamp((227 << 10) / t.shared_bytes(), 1, 8);
  const double slots = double(p.multiprocessors) * per_sm;
  const double ctas = static_cast<double>(tiles * t.split);
  const double waves = std::ceil(ctas / slots);
  const double shared_by = std::min<double>(per_sm, std::ceil(ctas / p.multiprocessors));
  const double steps = std::ceil(static_cast<double>(p.kblocks) / t.split);
  const double step =
      std::max(block_clocks(t.channels, t.pixels, p.element_bytes) * shared_by, 110.0);
  const double combine = 300 + 250 * t.split +
                         double(t.channels) * t.pixels / t.split * (t.split + 2) / 40 * shared_by;
  return launch + waves * (steps * step + tile_start + combine);
}

constexpr double hopeless = 1.5;  // the model is never so far off

template <class Tile>
double least(const std::vector<Tile>& tiles, const TileProblem& problem) {
  double time = std::numeric_limits<double>::infinity();
  for (const Tile& tile : tiles) time = std::min(time, clocks(tile, problem));
  return time;
}

// Best first. Without anything near `floor` the best one alone.
template <class Tile>
std::vector<Tile> best(const std::vector<Tile>& tiles, const TileProblem& problem, double floor,
                       size_t most) {
  std::vector<std::pair<double, Tile>> ranked;
  for (const Tile& tile : tiles) ranked.emplace_back(clocks(tile, problem), tile);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Tile> result;
  for (const auto& [time, tile] : ranked)
    if (result.empty() || (result.size() < most && time < hopeless * floor)) result.push_back(tile);
  return result;
}

std::vector<ConvTile> all_conv_tiles(const TileProblem& problem) {
  std::vector<ConvTile> tiles;
  const int64_t rounded = parts(problem.channels, 64) * 64;
  const auto add = [&](ConvTile tile) {
    if (tile.channels > 64 && tile.channels > rounded) return;
    if (parts(problem.channels, tile.channels) % tile.share_p != 0) return;
    const auto fits = [&] { return tile.problem(problem.element_bytes, problem.residual).empty(); };
    for (tile.stages = 8; tile.stages >= 2 && !fits(); --tile.stages) {
    }
    if (tile.stages >= (tile.ctas > 1 ? 2 : 3) || (tile.stages == 2 && fits()))
      if (fits()) tiles.push_back(tile);
  };
  for (const int pixels : {64, 96, 128, 160, 192, 256}) {
    const bool narrow = problem.element_bytes == 4;
    const int slab = narrow ? 16 : 32;
    for (const int channels : {64, 128, 256}) {
      if (channels * pixels > 256 * 192) continue;  // 64K registers hold no more accumulators
      // A residual needs the tile's slabs whole when consumers take turns.
      const int whole = problem.residual ? pixels : slab;
      const int count = problem.residual ? channels / 64 : 2;
      if (channels >= 128 && !(problem.residual && channels == 256))
        add({channels, pixels, 4, 2, 1, 1, 0, slab, 2, 1});
      if (channels <= 128 && channels * pixels <= 128 * 192)
        add({channels, pixels, 4, 2, 1, 1, 1, whole, count, 1});
    }
    if (pixels <= 128) {
      add({64, pixels, 4, 1, 1, 1, 0,
           narrow                             ? 32
           : 64 <= pixels && pixels % 64 == 0 ? 64
                                              : 32,
           2, 2});
      if (pixels == 64) add({128, 64, 4, 2, 1, 1, 0, narrow ? 32 : 64, 2, 2});
    }
  }
  if (!problem.residual && problem.kblocks >= 16 && problem.pixels >= 8192) {
    add({256, 128, 4, 2, 2, 1, 0, 32, 2, 1});  // clusters pay for big k and many pixels only
    add({256, 160, 4, 2, 1, 2, 0, 32, 2, 1});
    add({128, 256, 4, 2, 2, 1, 0, 32, 2, 1});
  }
  return tiles;
}

std::vector<SplitTile> all_split_tiles(const TileProblem& problem) {
  std::vector<SplitTile> tiles;
  for (const int channels : {64, 128})
    for (const int pixels : {16, 32, 64, 128})
      for (const int split : {1, 2, 4, 8}) {
        if (split > problem.kblocks) continue;
        if (channels == 128 && (problem.channels <= 64 || pixels < 32)) continue;
        if (pixels > 16 && pixels / 2 >= problem.pixels) continue;  // half of it would do
        SplitTile tile{channels, pixels, 6, split};
        const int64_t own = parts(problem.kblocks, split);
        tile.stages = static_cast<int>(std::clamp<int64_t>(own, 3, 6));
        while (tile.stages < 8 && !tile.problem().empty()) ++tile.stages;
        const int64_t ctas =
            parts(problem.channels, channels) * parts(problem.pixels, pixels) * split;
        if (!tile.problem().empty() || ctas > int64_t{16} * problem.multiprocessors) continue;
        tiles.push_back(tile);
      }
  return tiles;
}

}  // namespace

std::vector<ConvTile> conv_tiles(const TileProblem& problem, size_t most) {
  const std::vector<ConvTile> tiles = all_conv_tiles(problem);
  double floor = least(tiles, problem);
  if (problem.both) floor = std::min(floor, least(all_split_tiles(problem), problem));
  return best(tiles, problem, floor, most);
}

std::vector<SplitTile> split_tiles(const TileProblem& problem, size_t most) {
  const std::vector<SplitTile> tiles = all_split_tiles(problem);
  double floor = least(tiles, problem);
  if (problem.both) floor = std::min(floor, least(all_conv_tiles(problem), problem));
  return best(tiles, problem, floor, most);
}

}  // namespace tenrec::cuda
