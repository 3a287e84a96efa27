// SPDX-License-Identifier: Apache-2.0
// What the client programs share. They use TensorRT's headers and the CUDA runtime only, as a
// user's program does.
#pragma once
#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#define REQUIRE(condition)                                                               \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                      \
    }                                                                                    \
  } while (false)

class Logger : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const char* message) noexcept override {
    if (severity <= Severity::kERROR) {
      ++errors;
      last_error = message;
    }
    if (severity <= Severity::kWARNING) std::fprintf(stderr, "%s\n", message);
  }
  int errors = 0;
  std::string last_error;
};

inline std::string model_path(const char* name) {
  const char* folder = std::getenv("MODELS");
  return std::string(folder == nullptr ? "." : folder) + "/" + name;
}

inline std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

inline bool near(float a, float b) { return std::fabs(a - b) <= 1e-5F * (1 + std::fabs(b)); }

// An engine of the model, with the profile that `configure` adds, as bytes.
template <class Configure>
std::unique_ptr<nvinfer1::IHostMemory> build(Logger& logger, const std::string& path,
                                             Configure&& configure) {
  const std::unique_ptr<nvinfer1::IBuilder> builder(nvinfer1::createInferBuilder(logger));
  REQUIRE(builder);
  const std::unique_ptr<nvinfer1::INetworkDefinition> network(builder->createNetworkV2(
      1U << static_cast<uint32_t>(nvinfer1::NetworkDefinitionCreationFlag::kEXPLICIT_BATCH)));
  const std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  REQUIRE(
      parser->parseFromFile(path.c_str(), static_cast<int>(nvinfer1::ILogger::Severity::kWARNING)));
  const std::unique_ptr<nvinfer1::IBuilderConfig> config(builder->createBuilderConfig());
  config->setBuilderOptimizationLevel(0);  // quick: nothing is timed
  configure(*builder, *network, *config);
  return std::unique_ptr<nvinfer1::IHostMemory>(builder->buildSerializedNetwork(*network, *config));
}

inline std::unique_ptr<nvinfer1::IHostMemory> build(Logger& logger, const std::string& path) {
  return build(
      logger, path,
      [](nvinfer1::IBuilder&, nvinfer1::INetworkDefinition&, nvinfer1::IBuilderConfig&) {});
}
