// SPDX-License-Identifier: Apache-2.0
// Wrong use gives false or nullptr and a message; it never crashes.
#include "common.h"

namespace {

int failures(Logger& logger) {
  const int count = logger.errors;
  logger.errors = 0;
  return count;
}

void misuse_builder(Logger& logger) {
  const std::unique_ptr<nvinfer1::IBuilder> builder(nvinfer1::createInferBuilder(logger));
  const std::unique_ptr<nvinfer1::INetworkDefinition> network(builder->createNetworkV2(0));
  const std::unique_ptr<nvinfer1::IBuilderConfig> config(builder->createBuilderConfig());
  const std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  REQUIRE(!builder->buildSerializedNetwork(*network, *config) && failures(logger) == 1);
  REQUIRE(!parser->parse(nullptr, 0) && failures(logger) == 1);
  REQUIRE(!parser->parse("garbage", 7) && failures(logger) == 1);
  REQUIRE(!parser->parseFromFile(nullptr, 0) && failures(logger) == 1);
  REQUIRE(!parser->parseFromFile("no/such/file.onnx", 0) && failures(logger) == 1);
  REQUIRE(parser->getNbErrors() == 4);
  REQUIRE(network->getInput(0) == nullptr && network->getLayer(-1) == nullptr);
  REQUIRE(!network->addInput("x", nvinfer1::DataType::kFLOAT, nvinfer1::Dims{1, {4}}));
  REQUIRE(failures(logger) == 1 && logger.last_error.find("addInput") != std::string::npos);
  REQUIRE(logger.last_error.find("waits for network definition by hand") != std::string::npos);
  nvinfer1::IOptimizationProfile* profile = builder->createOptimizationProfile();
  using Select = nvinfer1::OptProfileSelector;
  REQUIRE(!profile->setDimensions(nullptr, Select::kMIN, nvinfer1::Dims{1, {4}}));
  REQUIRE(!profile->setDimensions("x", Select::kMIN, nvinfer1::Dims{99, {}}));
  REQUIRE(profile->setDimensions("x", Select::kMIN, nvinfer1::Dims{1, {4}}));
  REQUIRE(!profile->setDimensions("x", Select::kMAX, nvinfer1::Dims{1, {2}}));
  REQUIRE(failures(logger) >= 3);
  REQUIRE(config->addOptimizationProfile(profile) == -1);  // no opt, no max
  REQUIRE(config->addOptimizationProfile(nullptr) == -1 && failures(logger) == 2);
  config->setBuilderOptimizationLevel(99);
  REQUIRE(config->getBuilderOptimizationLevel() == 3 && failures(logger) == 1);
}

void misuse_runtime(Logger& logger) {
  const auto plan = build(logger, model_path("matting.onnx"));
  REQUIRE(plan && failures(logger) == 0);
  const std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(logger));
  REQUIRE(!runtime->deserializeCudaEngine(nullptr, 10) && failures(logger) == 1);
  REQUIRE(!runtime->deserializeCudaEngine("no engine", 9) && failures(logger) == 1);
  for (const size_t size : {plan->size() / 2, plan->size() - 1, size_t{16}})
    REQUIRE(!runtime->deserializeCudaEngine(plan->data(), size) && failures(logger) == 1);
  REQUIRE(!runtime->loadRuntime("libnvinfer_lean.so") && failures(logger) == 1);
  const std::unique_ptr<nvinfer1::ICudaEngine> engine(
      runtime->deserializeCudaEngine(plan->data(), plan->size()));
  REQUIRE(!nvinfer1::createInferRefitter(*engine, logger) && failures(logger) == 1);
  REQUIRE(logger.last_error.find("waits for refit") != std::string::npos);
  REQUIRE(engine->getTensorShape("nothing").nbDims == -1 && failures(logger) == 1);
  REQUIRE(engine->getTensorShape(nullptr).nbDims == -1 && failures(logger) == 1);
  REQUIRE(!engine->getIOTensorName(99) && failures(logger) == 1);
  REQUIRE(engine->getProfileShape("src", 7, nvinfer1::OptProfileSelector::kMIN).nbDims == -1);
  REQUIRE(failures(logger) == 1);
  const std::unique_ptr<nvinfer1::IExecutionContext> context(engine->createExecutionContext());
  REQUIRE(!context->enqueueV3(nullptr) && failures(logger) == 1);
  REQUIRE(logger.last_error.find("src") != std::string::npos);
  REQUIRE(!context->executeV2(nullptr) && failures(logger) == 1);
  REQUIRE(!context->enqueueV2(nullptr, nullptr, nullptr));
  REQUIRE(!context->setTensorAddress("nothing", nullptr) && failures(logger) == 1);
  REQUIRE(!context->setInputShape("src", nvinfer1::Dims{2, {1, 1}}) && failures(logger) == 1);
  REQUIRE(!context->setInputShape("fgr", nvinfer1::Dims4(1, 3, 8, 6)) && failures(logger) == 1);
  REQUIRE(!context->setOptimizationProfileAsync(3, nullptr) && failures(logger) == 1);
  REQUIRE(!context->reportToProfiler() && failures(logger) == 1);
  REQUIRE(context->inferShapes(-1, nullptr) == -1 && failures(logger) == 1);
}

}  // namespace

int main() {
  Logger logger;
  REQUIRE(createInferRuntime_INTERNAL(nullptr, NV_TENSORRT_VERSION) == nullptr);
  REQUIRE(createInferRuntime_INTERNAL(&logger, 8601) == nullptr && failures(logger) == 1);
  misuse_builder(logger);
  misuse_runtime(logger);
  REQUIRE(cudaFree(&logger) == cudaErrorInvalidValue);
  REQUIRE(cudaGetLastError() == cudaErrorInvalidValue && cudaGetLastError() == cudaSuccess);
  std::puts("passed");
}
