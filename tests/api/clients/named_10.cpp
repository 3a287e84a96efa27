// SPDX-License-Identifier: Apache-2.0
// A matting client in TensorRT 10's style: named tensors, sizes that change from run to run, an
// output allocator for a size that only running tells.
#include <optional>

#include "common.h"

namespace {

using nvinfer1::Dims4;
using nvinfer1::OptProfileSelector;

class Memory {
 public:
  explicit Memory(size_t bytes) { REQUIRE(cudaMalloc(&data_, bytes) == cudaSuccess); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { cudaFree(data_); }
  void* get() const { return data_; }

 private:
  void* data_ = nullptr;
};

class Growing : public nvinfer1::IOutputAllocator {
 public:
  void* reallocateOutputAsync(const char*, void*, uint64_t size, uint64_t, cudaStream_t) override {
    memory.emplace(size + 1);
    return memory->get();
  }
  void notifyShape(const char*, const nvinfer1::Dims& dims) noexcept override { shape = dims; }
  std::optional<Memory> memory;
  nvinfer1::Dims shape{};
};

void add_profile(nvinfer1::IBuilder& builder, nvinfer1::IBuilderConfig& config) {
  nvinfer1::IOptimizationProfile* profile = builder.createOptimizationProfile();
  for (const char* name : {"src", "r1i"}) {
    const int64_t channels = name[0] == 's' ? 3 : 1;
    REQUIRE(profile->setDimensions(name, OptProfileSelector::kMIN, Dims4(1, channels, 2, 2)));
    REQUIRE(profile->setDimensions(name, OptProfileSelector::kOPT, Dims4(1, channels, 8, 8)));
    REQUIRE(profile->setDimensions(name, OptProfileSelector::kMAX, Dims4(1, channels, 16, 32)));
  }
  REQUIRE(profile->isValid());
  REQUIRE(config.addOptimizationProfile(profile) == 0);
}

void run(nvinfer1::IExecutionContext& context, int64_t height, int64_t width, cudaStream_t stream) {
  const auto pixels = static_cast<size_t>(height * width);
  const Memory src(3 * pixels * 4), r1i(pixels * 4), fgr(3 * pixels * 4), pha(pixels * 4),
      r1o(pixels * 4);
  REQUIRE(context.setInputShape("src", Dims4(1, 3, height, width)));
  REQUIRE(context.setInputShape("r1i", Dims4(1, 1, height, width)));
  REQUIRE(context.allInputDimensionsSpecified());
  REQUIRE(context.inferShapes(0, nullptr) == 0);
  const nvinfer1::Dims shape = context.getTensorShape("fgr");
  REQUIRE(shape.nbDims == 4 && shape.d[1] == 3 && shape.d[2] == height && shape.d[3] == width);
  REQUIRE(context.getTensorStrides("fgr").d[1] == height * width);
  REQUIRE(context.getMaxOutputSize("pha") >= static_cast<int64_t>(pixels * 4));
  const std::pair<const char*, const Memory&> all[] = {
      {"src", src}, {"r1i", r1i}, {"fgr", fgr}, {"pha", pha}, {"r1o", r1o}};
  for (const auto& [name, memory] : all) {
    REQUIRE(context.setTensorAddress(name, memory.get()));
    REQUIRE(context.getTensorAddress(name) == memory.get());
  }
  std::vector<float> picture(3 * pixels), state(pixels, 1.0F), result(pixels);
  for (size_t i = 0; i < picture.size(); ++i) picture[i] = static_cast<float>(i % pixels) / 100;
  cudaMemcpyAsync(src.get(), picture.data(), 3 * pixels * 4, cudaMemcpyHostToDevice, stream);
  cudaMemcpyAsync(r1i.get(), state.data(), pixels * 4, cudaMemcpyHostToDevice, stream);
  REQUIRE(context.enqueueV3(stream));
  cudaMemcpyAsync(result.data(), r1o.get(), pixels * 4, cudaMemcpyDeviceToHost, stream);
  REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
  for (size_t i = 0; i < pixels; ++i) REQUIRE(near(result[i], 1 + static_cast<float>(i) / 100));
}

void run_changing_sizes(Logger& logger) {
  const auto plan = build(logger, model_path("matting_dynamic.onnx"),
                          [](nvinfer1::IBuilder& builder, nvinfer1::INetworkDefinition& network,
                             nvinfer1::IBuilderConfig& config) {
                            REQUIRE(network.getNbInputs() == 2 && network.getNbOutputs() == 3);
                            REQUIRE(network.getInput(0)->getDimensions().d[2] == -1);
                            REQUIRE(network.getNbLayers() >= 4);
                            add_profile(builder, config);
                          });
  REQUIRE(plan);
  const std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(logger));
  const std::unique_ptr<nvinfer1::ICudaEngine> engine(
      runtime->deserializeCudaEngine(plan->data(), plan->size()));
  REQUIRE(engine && engine->getNbIOTensors() == 5);
  REQUIRE(std::string(engine->getIOTensorName(2)) == "r1o");
  REQUIRE(engine->getTensorShape("src").d[2] == -1);
  REQUIRE(engine->getProfileShape("src", 0, OptProfileSelector::kMAX).d[3] == 32);
  REQUIRE(engine->getTensorIOMode("nothing") == nvinfer1::TensorIOMode::kNONE);
  const std::unique_ptr<nvinfer1::IExecutionContext> context(engine->createExecutionContext());
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);
  run(*context, 8, 8, stream);
  run(*context, 16, 32, stream);
  run(*context, 2, 5, stream);
  REQUIRE(logger.errors == 0);
  REQUIRE(!context->setInputShape("src", Dims4(1, 3, 17, 8)));  // outside the profile
  REQUIRE(logger.errors == 1 && logger.last_error.find("src") != std::string::npos);
  logger.errors = 0;
  cudaStreamDestroy(stream);
}

void run_unknown_size(Logger& logger) {
  const auto plan = build(logger, model_path("non_zero.onnx"));
  REQUIRE(plan);
  const std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(logger));
  const std::unique_ptr<nvinfer1::ICudaEngine> engine(
      runtime->deserializeCudaEngine(plan->data(), plan->size()));
  const std::unique_ptr<nvinfer1::IExecutionContext> context(engine->createExecutionContext());
  const std::vector<float> values{0, 1, 2, 0, 3};
  const Memory x(values.size() * 4);
  REQUIRE(cudaMemcpy(x.get(), values.data(), values.size() * 4, cudaMemcpyHostToDevice) ==
          cudaSuccess);
  Growing output;
  REQUIRE(context->setInputShape("x", nvinfer1::Dims{1, {5}}));
  REQUIRE(context->getTensorShape("y").d[1] == -1);
  REQUIRE(context->setTensorAddress("x", x.get()));
  REQUIRE(context->setOutputAllocator("y", &output));
  REQUIRE(context->enqueueV3(nullptr));
  REQUIRE(output.shape.nbDims == 2 && output.shape.d[1] == 3);
  int64_t found[3] = {};
  REQUIRE(cudaMemcpy(found, output.memory->get(), sizeof found, cudaMemcpyDeviceToHost) ==
          cudaSuccess);
  REQUIRE(found[0] == 1 && found[1] == 2 && found[2] == 4);
}

}  // namespace

int main() {
  Logger logger;
  run_changing_sizes(logger);
  run_unknown_size(logger);
  REQUIRE(logger.errors == 0);
  std::puts("passed");
}
