// SPDX-License-Identifier: Apache-2.0
// Builds mnist.onnx and reads a handwritten digit, through TensorRT's interface:
//
//   sample_mnist -d data/mnist/ [--fp16] [--digit=7]
//
// The folder holds mnist.onnx and 0.pgm to 9.pgm.
#include <NvOnnxParser.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common.h"

namespace {

constexpr size_t kPixels = 28 * 28;

struct Arguments {
  std::string folder = "data/mnist/";
  int digit = 7;
  bool fp16 = false;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string value = values[i];
    if ((value == "-d" || value == "--datadir") && i + 1 < count) arguments.folder = values[++i];
    else if (value.rfind("--datadir=", 0) == 0) arguments.folder = value.substr(10);
    else if (value.rfind("--digit=", 0) == 0) arguments.digit = std::stoi(value.substr(8));
    else if (value == "--fp16") arguments.fp16 = true;
    else throw std::runtime_error("usage: sample_mnist [-d FOLDER] [--fp16] [--digit=N]");
  }
  if (arguments.folder.back() != '/') arguments.folder += '/';
  return arguments;
}

// Ink is bright for the network, whichever way round the picture is.
std::vector<float> read_digit(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string kind;
  int width = 0, height = 0, white = 0;
  file >> kind >> width >> height >> white;
  file.get();
  std::vector<unsigned char> grey(kPixels);
  file.read(reinterpret_cast<char*>(grey.data()), kPixels);
  samples::check(file && kind == "P5" && width == 28 && height == 28 && white == 255,
                 "reading " + path + " as a binary PGM picture of 28 x 28 pixels");
  const bool dark_ink = std::accumulate(grey.begin(), grey.end(), 0) > 128 * int{kPixels};
  std::vector<float> pixels(kPixels);
  for (size_t i = 0; i < kPixels; ++i)
    pixels[i] = static_cast<float>(dark_ink ? 255 - grey[i] : grey[i]) / 255;
  return pixels;
}

void print_picture(const std::vector<float>& pixels) {
  for (size_t i = 0; i < kPixels; ++i) {
    std::putchar(" .:-=+*#%@"[static_cast<int>(pixels[i] * 9.99F)]);
    if (i % 28 == 27) std::putchar('\n');
  }
}

std::unique_ptr<nvinfer1::ICudaEngine> build(nvinfer1::ILogger& logger,
                                             const Arguments& arguments) {
  const std::unique_ptr<nvinfer1::IBuilder> builder(nvinfer1::createInferBuilder(logger));
  const std::unique_ptr<nvinfer1::INetworkDefinition> network(builder->createNetworkV2(0));
  const std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  samples::check(parser->parseFromFile((arguments.folder + "mnist.onnx").c_str(), 2),
                 "parsing mnist.onnx");
  const std::unique_ptr<nvinfer1::IBuilderConfig> config(builder->createBuilderConfig());
  if (arguments.fp16) config->setFlag(nvinfer1::BuilderFlag::kFP16);
  const std::unique_ptr<nvinfer1::IHostMemory> plan(
      builder->buildSerializedNetwork(*network, *config));
  samples::check(plan != nullptr, "building the engine");
  const std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(logger));
  return std::unique_ptr<nvinfer1::ICudaEngine>(
      runtime->deserializeCudaEngine(plan->data(), plan->size()));
}

std::vector<float> classify(nvinfer1::ICudaEngine& engine, const std::vector<float>& pixels) {
  const std::unique_ptr<nvinfer1::IExecutionContext> context(engine.createExecutionContext());
  const samples::Stream stream;
  const samples::DeviceMemory input(kPixels * 4), output(10 * 4);
  samples::check(context->setTensorAddress(engine.getIOTensorName(0), input.get()), "binding");
  samples::check(context->setTensorAddress(engine.getIOTensorName(1), output.get()), "binding");
  stream.to_device(input, pixels.data(), kPixels * 4);
  samples::check(context->enqueueV3(stream.get()), "enqueueV3");
  std::vector<float> scores(10);
  stream.to_host(scores.data(), output, 10 * 4);
  stream.wait();
  const float largest = *std::max_element(scores.begin(), scores.end());
  for (float& score : scores) score = std::exp(score - largest);
  const float sum = std::accumulate(scores.begin(), scores.end(), 0.0F);
  for (float& score : scores) score /= sum;
  return scores;
}

int run(const Arguments& arguments) {
  samples::Logger logger;
  const auto engine = build(logger, arguments);
  samples::check(engine != nullptr, "loading the engine");
  const std::vector<float> pixels =
      read_digit(arguments.folder + std::to_string(arguments.digit) + ".pgm");
  std::puts("Input:");
  print_picture(pixels);
  const std::vector<float> scores = classify(*engine, pixels);
  std::puts("Output:");
  for (size_t i = 0; i < scores.size(); ++i) {
    const std::string stars(static_cast<size_t>(std::lround(scores[i] * 10)), '*');
    std::printf(" Prob %zu  %.4f Class %zu: %s\n", i, static_cast<double>(scores[i]), i,
                stars.c_str());
  }
  const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  return best == arguments.digit && scores[static_cast<size_t>(best)] > 0.9F ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
  std::string command;
  for (int i = 0; i < count; ++i) command += (i == 0 ? "" : " ") + std::string(values[i]);
  std::printf("&&&& RUNNING TensorRT.sample_mnist # %s\n", command.c_str());
  int result = 1;
  try {
    result = run(parse(count, values));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  std::printf("&&&& %s TensorRT.sample_mnist # %s\n", result == 0 ? "PASSED" : "FAILED",
              command.c_str());
  return result;
}
