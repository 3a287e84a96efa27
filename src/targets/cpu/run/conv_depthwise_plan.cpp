// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_depthwise_plan.h"

#include <cstring>

namespace tenrec::cpu {

const char* conv_depthwise_unsupported(const ConvDepthwise& p) {
  const Conv& c = p.conv;
  if (c.d.kernel != 1 || c.d.in != 1 || c.d.out != 1) return "3-D convolution";
  if (c.groups != c.in_channels || c.in_channels != c.out_channels) {
    return "not one filter for each channel";
  }
  return nullptr;
}

std::vector<ConvDepthwiseTactic> conv_depthwise_tactics(const ConvDepthwise& p, Isa, int) {
  const Conv& c = p.conv;
  // The most pixels at a time that cut a row without a short rest.
  int pixels = 8;
  for (int most = 8; most >= 6; most--) {
    const auto waste = [&](int n) { return ceil_div(c.w.out, n) * n; };
    if (waste(most) < waste(pixels)) pixels = most;
  }
  const bool pads = !is_tiled(c.w) && (reads_outside(c.h, 0) || reads_outside(c.w, 0));
  // Pixels at an edge are done one by one unless the map is copied: up to 56 wide that is dearer.
  const bool small = c.w.in <= 28 * (c.w.kernel - 1) * c.w.dilation;
  std::vector<ConvDepthwiseTactic> list = {{.copies = pads && small, .pixels = pixels}};
  if (pads) list.push_back({.copies = !small, .pixels = pixels});
  if (pixels != 8) list.push_back({.copies = pads && small, .pixels = 8});
  return list;
}

size_t conv_depthwise_packed_size(const ConvDepthwise& p, Isa isa) {
  const Conv& c = p.conv;
  return static_cast<size_t>(round_up(c.out_channels, block_of(isa))) *
         static_cast<size_t>(1 + c.h.kernel * c.w.kernel);
}

void conv_depthwise_pack(const ConvDepthwise& p, Isa isa, const float* weights, const float* bias,
                         float* packed) {
  const Conv& c = p.conv;
  const int block = block_of(isa), taps = c.h.kernel * c.w.kernel;
  std::memset(packed, 0, conv_depthwise_packed_size(p, isa) * sizeof(float));
  if (bias) std::copy_n(bias, c.out_channels, packed);
  packed += round_up(c.out_channels, block);
  for (int channel = 0; channel < c.out_channels; channel++) {
    float* to = packed + int64_t{channel / block} * taps * block + channel % block;
    for (int i = 0; i < taps; i++) to[i * block] = *weights++;
  }
}

size_t conv_depthwise_scratch_size(const ConvDepthwise& p, const ConvDepthwiseTactic& t, Isa isa,
                                   int threads) {
  return ConvDepthwisePlan(p, t, block_of(isa)).worker_size() * static_cast<size_t>(threads);
}

}  // namespace tenrec::cpu
