// SPDX-License-Identifier: Apache-2.0
// Segments a picture with an engine of FCN-ResNet-101, at the picture's own size:
//
//   segmentation_tutorial [fcn-resnet101.engine [input.ppm [output.ppm]]]
//
// The engine's input is "input" f32[1, 3, H, W]; its output is "output", either class numbers
// [1, H, W] (i64 or i32) or class scores f32[1, C, H, W].
#include <algorithm>
#include <array>

#include "common.h"

namespace {

// Like an image folder's: subtract the mean, divide by the deviation, channel by channel.
std::vector<float> to_planes(const samples::Picture& picture) {
  constexpr std::array mean{0.485F, 0.456F, 0.406F}, deviation{0.229F, 0.224F, 0.225F};
  const size_t pixels = picture.rgb.size() / 3;
  std::vector<float> planes(picture.rgb.size());
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = 0; i < pixels; ++i)
      planes[c * pixels + i] =
          (static_cast<float>(picture.rgb[i * 3 + c]) / 255 - mean[c]) / deviation[c];
  return planes;
}

// A colour a class, the same in every run; class 0 is black.
std::array<unsigned char, 3> colour_of(int64_t label) {
  const auto mixed = static_cast<uint64_t>(label) * 0x9E3779B97F4A7C15U;
  if (label == 0) return {0, 0, 0};
  return {static_cast<unsigned char>(64 + (mixed >> 16) % 192),
          static_cast<unsigned char>(64 + (mixed >> 32) % 192),
          static_cast<unsigned char>(64 + (mixed >> 48) % 192)};
}

template <class T>
std::vector<int64_t> labels_of(const std::vector<char>& bytes, size_t pixels) {
  const T* values = reinterpret_cast<const T*>(bytes.data());
  return {values, values + pixels};
}

std::vector<int64_t> best_of(const std::vector<char>& bytes, size_t pixels, size_t classes) {
  const auto* scores = reinterpret_cast<const float*>(bytes.data());
  std::vector<int64_t> labels(pixels);
  for (size_t i = 0; i < pixels; ++i)
    for (size_t c = 1; c < classes; ++c)
      if (scores[c * pixels + i] > scores[static_cast<size_t>(labels[i]) * pixels + i])
        labels[i] = static_cast<int64_t>(c);
  return labels;
}

std::vector<int64_t> segment(nvinfer1::ICudaEngine& engine, const samples::Picture& picture) {
  const std::unique_ptr<nvinfer1::IExecutionContext> context(engine.createExecutionContext());
  samples::check(
      context->setInputShape("input", nvinfer1::Dims4(1, 3, picture.height, picture.width)),
      "setting the picture's size");
  const nvinfer1::Dims shape = context->getTensorShape("output");
  const nvinfer1::DataType type = engine.getTensorDataType("output");
  const size_t pixels = picture.rgb.size() / 3;
  const size_t classes = shape.nbDims == 4 ? static_cast<size_t>(shape.d[1]) : 1;
  const size_t width = type == nvinfer1::DataType::kINT64 ? 8 : 4;
  const std::vector<float> planes = to_planes(picture);
  const samples::DeviceMemory input(planes.size() * 4), output(pixels * classes * width);
  std::vector<char> result(output.bytes());
  const samples::Stream stream;
  samples::check(context->setTensorAddress("input", input.get()), "binding the input");
  samples::check(context->setTensorAddress("output", output.get()), "binding the output");
  stream.to_device(input, planes.data(), input.bytes());
  samples::check(context->enqueueV3(stream.get()), "enqueueV3");
  stream.to_host(result.data(), output, result.size());
  stream.wait();
  if (type == nvinfer1::DataType::kINT64) return labels_of<int64_t>(result, pixels);
  if (type == nvinfer1::DataType::kINT32) return labels_of<int32_t>(result, pixels);
  return best_of(result, pixels, classes);
}

void run(const std::string& engine_path, const std::string& input, const std::string& output) {
  samples::Logger logger;
  const auto engine = samples::load_engine(logger, engine_path);
  samples::Picture picture = samples::read_ppm(input);
  const std::vector<int64_t> labels = segment(*engine, picture);
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto colour = colour_of(labels[i]);
    std::copy(colour.begin(), colour.end(),
              picture.rgb.begin() + static_cast<std::ptrdiff_t>(i * 3));
  }
  samples::write_picture(
      output,
      "P6\n" + std::to_string(picture.width) + " " + std::to_string(picture.height) + "\n255\n",
      picture.rgb);
  std::printf("%s: %d x %d pixels, classes 0 to %ld\n", output.c_str(), picture.width,
              picture.height, static_cast<long>(*std::max_element(labels.begin(), labels.end())));
}

}  // namespace

int main(int count, char** values) {
  try {
    run(count > 1 ? values[1] : "fcn-resnet101.engine", count > 2 ? values[2] : "input.ppm",
        count > 3 ? values[3] : "output.ppm");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
