// SPDX-License-Identifier: Apache-2.0
// Reads a handwritten digit with an engine made of mnist.onnx:
//
//   tenrec build samples/mnist/mnist.onnx -o mnist.engine
//   sample_mnist mnist.engine samples/mnist/digits/7.pgm
//
// Prints the picture and a bar of stars for each of the ten scores. Where the file is named after a
// digit, another answer is an error.
#include <tenrec/tenrec.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int kSize = 28;
constexpr size_t kPixels = size_t{kSize} * kSize;
using Scores = std::array<double, 10>;

// A binary PGM picture of 28 x 28 grey pixels.
std::vector<uint8_t> read_picture(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string kind;
  int width = 0, height = 0, white = 0;
  file >> kind >> width >> height >> white;
  file.get();
  std::vector<uint8_t> pixels(kPixels);
  file.read(reinterpret_cast<char*>(pixels.data()), static_cast<std::streamsize>(pixels.size()));
  if (!file || kind != "P5" || width != kSize || height != kSize || white != 255)
    throw std::runtime_error(path + ": expected a binary PGM picture of 28 x 28 pixels");
  return pixels;
}

void print_picture(std::span<const uint8_t> pixels) {
  constexpr std::string_view kInk = " .:-=+*#%@";
  for (size_t row = 0; row < kSize; ++row) {
    std::string line;
    for (const uint8_t pixel : pixels.subspan(row * kSize, kSize))
      line += kInk[size_t{pixel} * (kInk.size() - 1) / 255];
    std::puts(line.c_str());
  }
}

Scores classify(const tenrec::Engine& engine, std::span<const uint8_t> pixels) {
  std::vector<float> image(pixels.begin(), pixels.end());
  for (float& value : image) value /= 255;

  tenrec::Context context = engine.create_context();
  context.set_input("Input3", tenrec::HostTensor::of<float>({1, 1, kSize, kSize}, image));
  context.run();
  const std::span<const float> logits = context.output("Plus214_Output_0").as<float>();

  Scores scores{};
  const float highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (size_t digit = 0; digit < scores.size(); ++digit)
    sum += scores[digit] = std::exp(double{logits[digit]} - highest);
  for (double& score : scores) score /= sum;
  return scores;
}

void print_scores(const Scores& scores) {
  for (size_t digit = 0; digit < scores.size(); ++digit) {
    const std::string bar(static_cast<size_t>(std::lround(scores[digit] * 40)), '*');
    std::printf("  %zu  %.4f  %s\n", digit, scores[digit], bar.c_str());
  }
}

int run(const std::string& engine_path, const std::string& picture_path) {
  const std::vector<uint8_t> pixels = read_picture(picture_path);
  print_picture(pixels);
  const Scores scores = classify(tenrec::Engine::load(engine_path), pixels);
  print_scores(scores);

  const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  std::printf("This is a %d.\n", static_cast<int>(best));
  const std::string name = std::filesystem::path(picture_path).stem().string();
  const bool named = name.size() == 1 && std::isdigit(static_cast<unsigned char>(name[0]));
  return named && name[0] - '0' != best ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: sample_mnist ENGINE PICTURE.pgm\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sample_mnist: %s\n", error.what());
    return 1;
  }
}
