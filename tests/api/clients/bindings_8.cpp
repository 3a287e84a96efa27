// SPDX-License-Identifier: Apache-2.0
// A matting client in TensorRT 8's style: hard-coded binding indices, runtime destroyed before use,
// enqueueV2, states kept on the device.
#include "common.h"

namespace {

enum Index { kSrc = 0, kR1i = 1, kR1o = 2, kFgr = 3, kPha = 4, kCount = 5 };
constexpr size_t kPixels = 8 * 6;
constexpr size_t kBytes[kCount] = {3 * kPixels * 4, kPixels * 4, kPixels * 4, 3 * kPixels * 4,
                                   kPixels * 4};

void check_bindings(const nvinfer1::ICudaEngine& engine) {
  const char* names[kCount] = {"src", "r1i", "r1o", "fgr", "pha"};
  REQUIRE(engine.getNbBindings() == kCount);
  REQUIRE(engine.getMaxBatchSize() == 1);
  for (int i = 0; i < kCount; ++i) {
    REQUIRE(std::string(engine.getBindingName(i)) == names[i]);
    REQUIRE(engine.getBindingIndex(names[i]) == i);
    REQUIRE(engine.bindingIsInput(i) == (i < kR1o));
    REQUIRE(engine.getBindingDataType(i) == nvinfer1::DataType::kFLOAT);
    const nvinfer1::Dims dims = engine.getBindingDimensions(i);
    REQUIRE(dims.nbDims == 4 && dims.d[2] == 8 && dims.d[3] == 6);
  }
  REQUIRE(engine.getBindingName(kCount) == nullptr);
  REQUIRE(engine.getBindingIndex("nothing") == -1);
}

}  // namespace

int main() {
  Logger logger;
  const auto plan = build(logger, model_path("matting.onnx"));
  REQUIRE(plan);
  nvinfer1::IRuntime* runtime = nvinfer1::createInferRuntime(logger);
  nvinfer1::ICudaEngine* engine =
      runtime->deserializeCudaEngine(plan->data(), plan->size(), nullptr);
  REQUIRE(engine != nullptr);
  runtime->destroy();
  check_bindings(*engine);
  nvinfer1::IExecutionContext* context = engine->createExecutionContext();

  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);
  void* memory[kCount] = {};
  for (int i = 0; i < kCount; ++i) REQUIRE(cudaMalloc(&memory[i], kBytes[i]) == cudaSuccess);
  const std::vector<float> picture(3 * kPixels, 0.5F), zeros(kPixels, 0.0F);
  std::vector<float> fgr(3 * kPixels), pha(kPixels);
  cudaMemcpyAsync(memory[kSrc], picture.data(), kBytes[kSrc], cudaMemcpyHostToDevice, stream);
  cudaMemcpyAsync(memory[kR1i], zeros.data(), kBytes[kR1i], cudaMemcpyHostToDevice, stream);
  for (int frame = 1; frame <= 3; ++frame) {
    REQUIRE(context->enqueueV2(memory, stream, nullptr));
    cudaMemcpyAsync(fgr.data(), memory[kFgr], kBytes[kFgr], cudaMemcpyDeviceToHost, stream);
    cudaMemcpyAsync(pha.data(), memory[kPha], kBytes[kPha], cudaMemcpyDeviceToHost, stream);
    REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
    const float state = 0.5F * static_cast<float>(frame);
    for (const float value : fgr) REQUIRE(near(value, 1.0F));
    for (const float value : pha) REQUIRE(near(value, 1 / (1 + std::exp(-state))));
    std::swap(memory[kR1i], memory[kR1o]);
  }
  REQUIRE(context->executeV2(memory));
  for (void* each : memory) cudaFree(each);
  cudaStreamDestroy(stream);
  context->destroy();
  engine->destroy();
  REQUIRE(logger.errors == 0);
  std::puts("passed");
}
