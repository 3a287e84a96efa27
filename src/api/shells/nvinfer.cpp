// SPDX-License-Identifier: Apache-2.0
// libnvinfer.so.10: TensorRT's entry points, forwarded to libtenrec.
#include <NvInfer.h>

#include "api/entry.h"

#pragma GCC visibility push(default)
extern "C" {

void* createInferBuilder_INTERNAL(void* logger, int32_t version) noexcept {
  return tenrec::trt::create_builder(logger, version);
}
void* createInferRuntime_INTERNAL(void* logger, int32_t version) noexcept {
  return tenrec::trt::create_runtime(logger, version);
}
void* createInferRefitter_INTERNAL(void* engine, void* logger, int32_t) noexcept {
  return tenrec::trt::create_refitter(engine, logger);
}
int32_t getInferLibVersion() noexcept { return NV_TENSORRT_VERSION; }
int32_t getInferLibMajorVersion() noexcept { return NV_TENSORRT_MAJOR; }
int32_t getInferLibMinorVersion() noexcept { return NV_TENSORRT_MINOR; }
int32_t getInferLibPatchVersion() noexcept { return NV_TENSORRT_PATCH; }
int32_t getInferLibBuildVersion() noexcept { return NV_TENSORRT_BUILD; }
nvinfer1::IPluginRegistry* getPluginRegistry() noexcept { return tenrec::trt::registry(); }
nvinfer1::ILogger* getLogger() noexcept { return tenrec::trt::logger(); }

}  // extern "C"

namespace nvinfer1 {

extern "C" IPluginRegistry* getBuilderPluginRegistry(EngineCapability capability) noexcept {
  return capability == EngineCapability::kSTANDARD ? tenrec::trt::registry() : nullptr;
}
extern "C" safe::IPluginRegistry* getBuilderSafePluginRegistry(EngineCapability) noexcept {
  return nullptr;
}
extern "C" bool setInternalLibraryPath(const AsciiChar* path) noexcept { return path != nullptr; }

}  // namespace nvinfer1
#pragma GCC visibility pop
