// SPDX-License-Identifier: Apache-2.0
// Internal to conv_winograd: sizes derived from parameters and tactic, for planning and run.
#pragma once

#include "targets/cpu/run/conv_plan.h"
#include "targets/cpu/run/conv_winograd.h"

namespace tenrec::cpu {

struct ConvWinogradPlan {
  ConvWinogradPlan(const ConvWinograd& p, const ConvWinogradTactic& t, int block)
      : edge(t.outputs + 2),
        points(edge * edge),
        taps(ceil_div(p.conv.in_channels, kTapChannels)),
        in_blocks(ceil_div(p.conv.in_channels, block)),
        out_blocks(ceil_div(p.conv.out_channels, block)),
        panels(ceil_div(out_blocks, t.vectors)),
        tiles_x(ceil_div(p.conv.w.out, t.outputs)),
        tiles_y(ceil_div(p.conv.h.out, t.outputs)),
        band(std::clamp(t.band, 1, std::max(1, tiles_x * tiles_y))) {}

  int edge, points;  // of the transformed tile
  int taps;          // of the products' sums
  int in_blocks, out_blocks, panels;
  int tiles_x, tiles_y;
  int band;  // tiles at a time

  struct Scratch {
    // Floats to begin with: taps and tile offsets, shared by all workers; input transform of worker
    // w at input + w * input_size, shared by all with by_channel; products likewise.
    size_t taps, tile_at, zeros, input, input_size, products, products_size, total;  // bytes
  };
  Scratch scratch(const ConvWinogradTactic& t, int block, int threads) const {
    Scratch s{};
    ScratchLayout all;
    const auto workers = static_cast<size_t>(threads);
    const size_t tile = static_cast<size_t>(points * band) * static_cast<size_t>(block) * 4;
    s.taps = all.add(static_cast<size_t>(taps) * sizeof(int));
    s.tile_at = all.add(static_cast<size_t>(band) * sizeof(int));
    s.zeros = all.add(static_cast<size_t>(t.vectors * block) * sizeof(float));
    s.input_size = (tile * static_cast<size_t>(in_blocks) + 63) / 64 * 64;
    s.products_size = (tile * static_cast<size_t>(t.vectors) + 63) / 64 * 64;
    s.input = all.add(s.input_size * (t.by_channel ? 1 : workers));
    s.products = all.add(s.products_size * workers);
    s.total = all.bytes;
    return s;
  }
};

}  // namespace tenrec::cpu
