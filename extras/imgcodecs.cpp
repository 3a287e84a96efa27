// SPDX-License-Identifier: Apache-2.0
// libtenrec_imgcodecs.so: image files through OpenCV. A library of its own, since OpenCV's brings
// dozens of others with it that only ImageDecoder needs.
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string_view>

#include "ops/image_decoder_api.h"

extern "C" __attribute__((visibility("default"))) void tenrec_decode_image(
    const std::byte* bytes, size_t size, const char* pixel_format, tenrec_image_allocator* allocate,
    void* context) {
  const std::string_view format = pixel_format;
  const cv::Mat encoded(1, static_cast<int>(size), CV_8UC1, const_cast<std::byte*>(bytes));
  cv::Mat image;
  try {
    image = cv::imdecode(encoded, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception&) {  // bytes that are no image
    return;
  }
  if (image.empty()) return;
  if (format == "RGB") cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  if (format == "Grayscale") cv::cvtColor(image, image, cv::COLOR_BGR2GRAY);
  const size_t row = static_cast<size_t>(image.cols) * image.elemSize();
  std::byte* to = allocate(context, image.rows, image.cols, image.channels());
  for (int y = 0; y < image.rows; ++y)
    std::memcpy(to + static_cast<size_t>(y) * row, image.ptr(y), row);
}
