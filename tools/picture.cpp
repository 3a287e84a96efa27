// SPDX-License-Identifier: Apache-2.0
#include "picture.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/file.h"

namespace tenrec {

void PictureOptions::add_to(CLI::App& command) {
  command.add_option("--layout", layout, "Of picture inputs: nchw or nhwc")
      ->check(CLI::IsMember({"nchw", "nhwc"}));
  command.add_option("--scale", scale, "Pixels are multiplied by this first")
      ->capture_default_str();
  command.add_option("--mean", mean, "Then these are subtracted, one a channel");
  command.add_option("--std", deviation, "Then divided by these");
}

bool is_picture(const std::string& path) {
  for (const char* ending : {".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".bmp"}) {
    if (path.ends_with(ending)) return true;
  }
  return false;
}

HostTensor read_picture(const std::string& path, DType dtype, const std::vector<int64_t>& dims,
                        const PictureOptions& options) {
  const bool nchw = options.layout == "nchw";
  TENREC_CHECK(dims.size() == 4, usage,
               "\"{}\": a picture fits an input of 4 dims, this one has {}", path, dims.size());
  const int64_t wanted = dims[nchw ? 1 : 3];
  const int channels = wanted == 1 || wanted == 4 ? static_cast<int>(wanted) : 3;
  int width = 0, height = 0, own = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load(path.c_str(), &width, &height, &own, channels), stbi_image_free);
  TENREC_CHECK(pixels, io, "\"{}\" cannot be read as a picture: {}", path, stbi_failure_reason());
  const int64_t rows = dims[nchw ? 2 : 1];
  const int64_t columns = dims[nchw ? 3 : 2];
  TENREC_CHECK((rows < 0 || rows == height) && (columns < 0 || columns == width), usage,
               "\"{}\" is {}x{} pixels, the input takes {}x{}; resize the picture", path, width,
               height, columns, rows);
  TENREC_CHECK(dtype == DType::f32 || dtype == DType::u8, unsupported,
               "pictures are read as f32 or u8, the input is {}", dtype_name(dtype));
  const int64_t h = height, w = width, c = channels;
  HostTensor tensor(dtype,
                    nchw ? std::vector<int64_t>{1, c, h, w} : std::vector<int64_t>{1, h, w, c});
  for (int64_t y = 0; y < h; ++y) {
    for (int64_t x = 0; x < w; ++x) {
      for (int64_t k = 0; k < c; ++k) {
        const stbi_uc pixel = pixels.get()[(y * w + x) * c + k];
        const auto at = static_cast<size_t>(nchw ? (k * h + y) * w + x : (y * w + x) * c + k);
        if (dtype == DType::u8) {
          tensor.as<uint8_t>()[at] = pixel;
          continue;
        }
        float value = static_cast<float>(pixel) * options.scale;
        if (static_cast<size_t>(k) < options.mean.size())
          value -= options.mean[static_cast<size_t>(k)];
        if (static_cast<size_t>(k) < options.deviation.size())
          value /= options.deviation[static_cast<size_t>(k)];
        tensor.as<float>()[at] = value;
      }
    }
  }
  return tensor;
}

void write_picture(const std::string& path, const HostTensor& tensor) {
  const std::vector<int64_t>& dims = tensor.dims;
  TENREC_CHECK(tensor.dtype == DType::f32 && dims.size() >= 2, unsupported,
               "\"{}\": only f32 tensors of 2 to 4 dims can be written as a picture", path);
  const int64_t h = dims[dims.size() - 2];
  const int64_t w = dims[dims.size() - 1];
  const int64_t c = dims.size() > 2 ? dims[dims.size() - 3] : 1;
  TENREC_CHECK(c == 1 || c == 3, unsupported,
               "\"{}\": a picture has 1 or 3 channels, the tensor {}", path, c);
  std::vector<unsigned char> pixels(static_cast<size_t>(h * w * c));
  const auto values = tensor.as<float>();
  for (int64_t i = 0; i < h * w; ++i) {
    for (int64_t k = 0; k < c; ++k) {
      const float value = values[static_cast<size_t>(k * h * w + i)];
      pixels[static_cast<size_t>(i * c + k)] =
          static_cast<unsigned char>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255.0F));
    }
  }
  std::string png;
  const auto collect = [](void* to, void* data, int size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(data),
                                          static_cast<size_t>(size));
  };
  stbi_write_png_to_func(collect, &png, static_cast<int>(w), static_cast<int>(h),
                         static_cast<int>(c), pixels.data(), static_cast<int>(w * c));
  write_file_atomic(path, [&](FileWriter& file) { file.write(png); });
}

}  // namespace tenrec
