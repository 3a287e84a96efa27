// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/conv_stem_plan.h"

#include <cstring>
#include <limits>

namespace tenrec::cpu {

const char* conv_stem_unsupported(const ConvStem& p, Isa isa) {
  const Conv& c = p.conv;
  if (c.d.kernel != 1 || c.d.in != 1 || c.d.out != 1) return "3-D convolution";
  if (c.groups != 1) return "more than one group";
  if (c.in_channels >= block_of(isa)) return "as many input channels as the vector width or more";
  if (p.out.plane * ceil_div(c.out_channels, block_of(isa)) + p.out.row * c.h.out >=
      std::numeric_limits<int>::max()) {
    return "an image of 2^31 floats or more";
  }
  return nullptr;
}

std::vector<ConvStemTactic> conv_stem_tactics(const ConvStem& p, Isa isa, int) {
  const int blocks = ceil_div(p.conv.out_channels, block_of(isa));
  const int vectors = blocks == 1 ? 1 : blocks == 3 ? 3 : 2;
  std::vector<ConvStemTactic> list = {
      {vectors, 384, false}, {vectors, 128, false}, {vectors, 1024, false}};
  if (blocks > 3) list.push_back({3, 384, false});
  return list;
}

size_t conv_stem_packed_size(const ConvStem& p, Isa isa) {
  const Conv& c = p.conv;
  return static_cast<size_t>(round_up(c.out_channels, block_of(isa))) *
         static_cast<size_t>(1 + c.in_channels * c.h.kernel * c.w.kernel);
}

void conv_stem_pack(const ConvStem& p, const ConvStemTactic& t, Isa isa, const float* weights,
                    const float* bias, float* packed) {
  const Conv& c = p.conv;
  const int block = block_of(isa), padded = round_up(c.out_channels, block);
  const int terms = c.in_channels * c.h.kernel * c.w.kernel, width = t.vectors * block;
  std::memset(packed, 0, conv_stem_packed_size(p, isa) * sizeof(float));
  if (bias) std::copy_n(bias, c.out_channels, packed);
  packed += padded;
  for (int o = 0; o < c.out_channels; o++) {
    const int first = o / width * width, line = std::min(width, padded - first);
    float* to = packed + int64_t{first} * terms + o - first;
    for (int i = 0; i < terms; i++) to[int64_t{i} * line] = *weights++;
  }
}

size_t conv_stem_scratch_size(const ConvStem& p, const ConvStemTactic& t, Isa isa, int threads) {
  return ConvStemPlan(p, t, block_of(isa)).scratch(p, threads).total;
}

}  // namespace tenrec::cpu
