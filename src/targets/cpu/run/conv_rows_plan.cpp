// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "targets/cpu/run/conv_rows.h"

namespace tenrec::cpu {

const char* conv_rows_unsupported(const ConvRows& p) {
  const Conv& c = p.conv;
  if (c.d.kernel != 1 || c.d.in != 1 || c.d.out != 1) return "3-D convolution";
  if (c.groups != c.in_channels || c.in_channels != c.out_channels) {
    return "not one filter for each channel";
  }
  return c.w.stride == 1 ? nullptr : "a stride along rows";
}

std::vector<ConvRowsTactic> conv_rows_tactics() { return {{.vectors = 4}, {.vectors = 8}}; }

size_t conv_rows_packed_size(const ConvRows& p) {
  const Conv& c = p.conv;
  return static_cast<size_t>(c.out_channels) * static_cast<size_t>(1 + c.h.kernel * c.w.kernel);
}

void conv_rows_pack(const ConvRows& p, const float* weights, const float* bias, float* packed) {
  const Conv& c = p.conv;
  if (bias) std::copy_n(bias, c.out_channels, packed);
  else std::fill_n(packed, c.out_channels, 0.0f);
  std::copy_n(weights, int64_t{c.out_channels} * c.h.kernel * c.w.kernel, packed + c.out_channels);
}

}  // namespace tenrec::cpu
