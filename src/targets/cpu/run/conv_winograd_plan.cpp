// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_winograd_plan.h"

#include <cstring>
#include <limits>

namespace tenrec::cpu {

const char* conv_winograd_unsupported(const ConvWinograd& p, Isa isa) {
  const Conv& c = p.conv;
  if (c.d.kernel != 1 || c.d.in != 1 || c.d.out != 1) return "3-D convolution";
  if (c.groups != 1) return "more than one group";
  for (const Axis& a : {c.h, c.w}) {
    if (a.kernel != 3) return "kernel is not 3x3";
    if (a.stride != 1 || a.dilation != 1) return "stride or dilation is not 1";
  }
  const int block = block_of(isa);
  const auto fits = [&](const View& v, int channels, int height) {
    return v.plane * ceil_div(channels, block) + v.row * height < std::numeric_limits<int>::max();
  };
  if (!fits(p.in, c.in_channels, c.h.in) || !fits(p.out, c.out_channels, c.h.out)) {
    return "an image of 2^31 floats or more";
  }
  return nullptr;
}

std::vector<ConvWinogradTactic> conv_winograd_tactics(const ConvWinograd& p, Isa isa, int threads) {
  const Conv& c = p.conv;
  const int block = block_of(isa), blocks = ceil_div(c.out_channels, block);
  const int vectors = blocks == 1 ? 1 : blocks == 3 ? 3 : 2;
  const int tile = block == 16 ? 14 : 6;
  const int pixels = c.h.out * c.w.out;
  std::vector<ConvWinogradTactic> list;
  // F(4,3) wastes part of its tiles on small maps, where its weights (4x direct's) come from
  // memory.
  const std::vector<int> order = pixels >= 400 ? std::vector<int>{4, 2} : std::vector<int>{2, 4};
  for (const int outputs : order) {
    const int tiles = ceil_div(c.h.out, outputs) * ceil_div(c.w.out, outputs);
    // The transformed weights against the transformed input of all tiles.
    const bool by_channel = threads > 1 && 2 * c.out_channels > 3 * tiles;
    const auto add = [&](int band, bool split) {
      list.push_back({outputs, vectors, std::min(band, tiles), split});
    };
    // The transformed input of a band stays in half of L2 if it can.
    const int points = (outputs + 2) * (outputs + 2);
    const int fit = 262144 / (points * round_up(c.in_channels, block) * 4);
    const int band = std::clamp(fit / tile * tile, 2 * tile, 16 * tile);
    add(by_channel ? 16 * tile : band, by_channel);
    add(by_channel ? band : 2 * band, by_channel);
    if (threads > 1) add(by_channel ? band : 16 * tile, !by_channel);
  }
  return list;
}

size_t conv_winograd_packed_size(const ConvWinograd& p, const ConvWinogradTactic& t, Isa isa) {
  const auto block = static_cast<size_t>(block_of(isa));
  const ConvWinogradPlan plan(p, t, block_of(isa));
  const size_t outputs = static_cast<size_t>(plan.out_blocks) * block;
  return outputs +
         outputs * static_cast<size_t>(plan.in_blocks) * block * static_cast<size_t>(plan.points);
}

namespace {

constexpr double kG2[4][3] = {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}};
constexpr double kG4[6][3] = {{1. / 4, 0, 0},
                              {-1. / 6, -1. / 6, -1. / 6},
                              {-1. / 6, 1. / 6, -1. / 6},
                              {1. / 24, 1. / 12, 1. / 6},
                              {1. / 24, -1. / 12, 1. / 6},
                              {0, 0, 1}};

// G g G^T for one 3x3 filter.
void transform(const double (*g)[3], int edge, const float* w, double* out) {
  double half[6][3];
  for (int i = 0; i < edge; i++) {
    for (int x = 0; x < 3; x++) {
      half[i][x] = g[i][0] * w[x] + g[i][1] * w[3 + x] + g[i][2] * w[6 + x];
    }
  }
  for (int i = 0; i < edge; i++) {
    for (int j = 0; j < edge; j++) {
      *out++ = half[i][0] * g[j][0] + half[i][1] * g[j][1] + half[i][2] * g[j][2];
    }
  }
}

}  // namespace

void conv_winograd_pack(const ConvWinograd& p, const ConvWinogradTactic& t, Isa isa,
                        const float* weights, const float* bias, float* packed) {
  const Conv& c = p.conv;
  const int block = block_of(isa);
  const ConvWinogradPlan plan(p, t, block);
  std::memset(packed, 0, conv_winograd_packed_size(p, t, isa) * sizeof(float));
  if (bias) std::copy_n(bias, c.out_channels, packed);
  packed += plan.out_blocks * block;
  const int width = t.vectors * block, inputs = plan.in_blocks * block;
  for (int o = 0; o < c.out_channels; o++) {
    const int first = o / width * width, line = std::min(width, plan.out_blocks * block - first);
    float* panel = packed + int64_t{first} * plan.points * inputs + o - first;
    for (int i = 0; i < c.in_channels; i++, weights += 9) {
      double point[36];
      transform(t.outputs == 2 ? kG2 : kG4, plan.edge, weights, point);
      for (int e = 0; e < plan.points; e++) {
        panel[(int64_t{e} * inputs + i) * line] = static_cast<float>(point[e]);
      }
    }
  }
}

size_t conv_winograd_scratch_size(const ConvWinograd& p, const ConvWinogradTactic& t, Isa isa,
                                  int threads) {
  return ConvWinogradPlan(p, t, block_of(isa)).scratch(t, block_of(isa), threads).total;
}

}  // namespace tenrec::cpu
