// SPDX-License-Identifier: Apache-2.0
// What the thin libraries under TensorRT's names forward to (src/api/shells).
#pragma once
#include <cstdint>

#include "tenrec/export.h"

namespace nvinfer1 {
class ILogger;
class IPluginRegistry;
}  // namespace nvinfer1
namespace nvonnxparser {
class IOnnxConfig;
}

namespace tenrec::trt {

// nullptr and a message when the program was built for another major version.
TENREC_API void* create_builder(void* logger, int32_t version) noexcept;
TENREC_API void* create_runtime(void* logger, int32_t version) noexcept;
TENREC_API void* create_refitter(void* engine, void* logger) noexcept;
TENREC_API void* create_parser(void* network, void* logger) noexcept;
TENREC_API void* create_parser_refitter(void* refitter, void* logger) noexcept;
TENREC_API nvinfer1::IPluginRegistry* registry() noexcept;
TENREC_API nvinfer1::ILogger* logger() noexcept;
TENREC_API nvonnxparser::IOnnxConfig* create_onnx_config() noexcept;
TENREC_API void log_info(void* logger, const char* text) noexcept;

}  // namespace tenrec::trt
