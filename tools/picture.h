// SPDX-License-Identifier: Apache-2.0
// Pictures as tensors and back, through stb_image.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tenrec/tensor.h"

namespace tenrec {

struct PictureOptions {
  std::string layout = "nchw";
  float scale = 1.0F / 255;  // value = (pixel * scale - mean[c]) / std[c]
  std::vector<float> mean, deviation;
  void add_to(CLI::App& command);
};

bool is_picture(const std::string& path);
// Channels follow from `dims` (1 or 3; unknown: 3). Sizes in `dims` must be the picture's, or -1.
HostTensor read_picture(const std::string& path, DType dtype, const std::vector<int64_t>& dims,
                        const PictureOptions& options);
// The first picture of a batch: [N, 1 or 3, H, W] or [H, W] of f32 in 0..1, as PNG.
void write_picture(const std::string& path, const HostTensor& tensor);

}  // namespace tenrec
