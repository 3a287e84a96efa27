// SPDX-License-Identifier: Apache-2.0
// The building side: parser errors, support queries, timing cache, progress, error recorder,
// serialisation, inspector and profiler.
#include <atomic>

#include "common.h"

namespace {

class Recorder : public nvinfer1::IErrorRecorder {
 public:
  int32_t getNbErrors() const noexcept override { return static_cast<int32_t>(texts.size()); }
  nvinfer1::ErrorCode getErrorCode(int32_t) const noexcept override {
    return nvinfer1::ErrorCode::kUNSPECIFIED_ERROR;
  }
  ErrorDesc getErrorDesc(int32_t index) const noexcept override {
    return texts[static_cast<size_t>(index)].c_str();
  }
  bool hasOverflowed() const noexcept override { return false; }
  void clear() noexcept override { texts.clear(); }
  bool reportError(nvinfer1::ErrorCode, ErrorDesc text) noexcept override {
    texts.emplace_back(text);
    return true;
  }
  RefCount incRefCount() noexcept override { return ++references; }
  RefCount decRefCount() noexcept override { return --references; }
  std::vector<std::string> texts;
  std::atomic<int32_t> references{0};
};

class Monitor : public nvinfer1::IProgressMonitor {
 public:
  void phaseStart(const char*, const char*, int32_t) noexcept override { ++open; }
  bool stepComplete(const char*, int32_t) noexcept override {
    ++steps;
    return !cancel;
  }
  void phaseFinish(const char*) noexcept override { --open; }
  int open = 0, steps = 0;
  bool cancel = false;
};

class Times : public nvinfer1::IProfiler {
 public:
  void reportLayerTime(const char*, float) noexcept override { ++layers; }
  int layers = 0;
};

struct Parsed {
  std::unique_ptr<nvinfer1::IBuilder> builder;
  std::unique_ptr<nvinfer1::INetworkDefinition> network;
  std::unique_ptr<nvonnxparser::IParser> parser;
  std::unique_ptr<nvinfer1::IBuilderConfig> config;
};
Parsed make(Logger& logger) {
  Parsed parsed;
  parsed.builder.reset(nvinfer1::createInferBuilder(logger));
  parsed.network.reset(parsed.builder->createNetworkV2(0));
  parsed.parser.reset(nvonnxparser::createParser(*parsed.network, logger));
  parsed.config.reset(parsed.builder->createBuilderConfig());
  return parsed;
}

void read_a_broken_model() {
  Logger logger;
  Parsed parsed = make(logger);
  const std::vector<char> bytes = read_file(model_path("broken.onnx"));
  REQUIRE(!parsed.parser->parse(bytes.data(), bytes.size()));
  REQUIRE(parsed.parser->getNbErrors() == 1);
  const nvonnxparser::IParserError& error = *parsed.parser->getError(0);
  REQUIRE(error.node() == 1 && std::string(error.nodeOperator()) == "NoSuchOperator");
  REQUIRE(std::string(error.desc()).find("NoSuchOperator") != std::string::npos);
  REQUIRE(parsed.parser->getError(1) == nullptr);
  REQUIRE(!parsed.parser->supportsModelV2(bytes.data(), bytes.size()));
  REQUIRE(parsed.parser->getNbSubgraphs() == 2 && parsed.parser->isSubgraphSupported(0));
  int64_t count = 0;
  REQUIRE(parsed.parser->getSubgraphNodes(1, count)[0] == 1 && count == 1);
  REQUIRE(parsed.parser->supportsOperator("Conv"));
  REQUIRE(!parsed.parser->supportsOperator("NoSuchOperator"));
}

std::unique_ptr<nvinfer1::IHostMemory> build_with_everything() {
  Logger logger;
  Recorder recorder;
  Monitor monitor;
  Parsed parsed = make(logger);
  parsed.builder->setErrorRecorder(&recorder);
  REQUIRE(recorder.references == 1);
  REQUIRE(parsed.parser->parseFromFile(model_path("matting.onnx").c_str(), 2));
  const std::unique_ptr<nvinfer1::ITimingCache> cache(parsed.config->createTimingCache(nullptr, 0));
  REQUIRE(parsed.config->setTimingCache(*cache, false));
  parsed.config->setProgressMonitor(&monitor);
  parsed.config->setMaxWorkspaceSize(1 << 20);
  REQUIRE(parsed.config->getMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE) == 1 << 20);
  parsed.config->setFlag(nvinfer1::BuilderFlag::kFP16);
  REQUIRE(parsed.config->getFlag(nvinfer1::BuilderFlag::kFP16));
  std::unique_ptr<nvinfer1::IHostMemory> plan(
      parsed.builder->buildSerializedNetwork(*parsed.network, *parsed.config));
  REQUIRE(plan && plan->size() > 0 && monitor.steps > 0 && monitor.open == 0);
  const std::unique_ptr<nvinfer1::IHostMemory> times(cache->serialize());
  const std::unique_ptr<nvinfer1::ITimingCache> again(
      parsed.config->createTimingCache(times->data(), times->size()));
  REQUIRE(again && again->combine(*cache, false));
  REQUIRE(parsed.config->createTimingCache("garbage", 7) == nullptr);
  monitor.cancel = true;
  REQUIRE(parsed.builder->buildSerializedNetwork(*parsed.network, *parsed.config) == nullptr);
  REQUIRE(recorder.getNbErrors() >= 1);
  parsed.builder->setErrorRecorder(nullptr);
  return plan;
}

void look_at(const nvinfer1::IHostMemory& plan) {
  Logger logger;
  const std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(logger));
  const std::unique_ptr<nvinfer1::ICudaEngine> engine(
      runtime->deserializeCudaEngine(plan.data(), plan.size()));
  REQUIRE(engine && engine->getNbLayers() > 0);
  const std::unique_ptr<nvinfer1::IHostMemory> bytes(engine->serialize());
  REQUIRE(bytes->size() == plan.size());
  const std::unique_ptr<nvinfer1::IExecutionContext> context(engine->createExecutionContext());
  const std::unique_ptr<nvinfer1::IEngineInspector> inspector(engine->createEngineInspector());
  REQUIRE(inspector->setExecutionContext(context.get()));
  const std::string json = inspector->getEngineInformation(nvinfer1::LayerInformationFormat::kJSON);
  REQUIRE(json.find("\"Layers\"") != std::string::npos);
  REQUIRE(json.find("\"Bindings\"") != std::string::npos);
  REQUIRE(inspector->getLayerInformation(0, nvinfer1::LayerInformationFormat::kONELINE));
  REQUIRE(!inspector->getLayerInformation(9999, nvinfer1::LayerInformationFormat::kJSON));
  std::vector<std::vector<float>> memory(5, std::vector<float>(3 * 48));
  std::vector<void*> bindings;
  for (std::vector<float>& each : memory) bindings.push_back(each.data());
  Times times;
  context->setProfiler(&times);
  REQUIRE(context->executeV2(bindings.data()));
  REQUIRE(times.layers >= engine->getNbLayers());
  context->setEnqueueEmitsProfile(false);
  times.layers = 0;
  REQUIRE(context->executeV2(bindings.data()) && times.layers == 0);
  REQUIRE(context->reportToProfiler() && times.layers > 0);
}

}  // namespace

int main() {
  read_a_broken_model();
  const auto plan = build_with_everything();
  look_at(*plan);
  REQUIRE(getInferLibVersion() == NV_TENSORRT_VERSION);
  std::puts("passed");
}
