// SPDX-License-Identifier: Apache-2.0
// libnvonnxparser.so.10: the ONNX parser's entry points, forwarded to libtenrec.
#include <NvOnnxConfig.h>
#include <NvOnnxParser.h>

#include "api/entry.h"

#pragma GCC visibility push(default)
extern "C" {

void* createNvOnnxParser_INTERNAL(void* network, void* logger, int) noexcept {
  return tenrec::trt::create_parser(network, logger);
}
void* createNvOnnxParserRefitter_INTERNAL(void* refitter, void* logger, int32_t) noexcept {
  return tenrec::trt::create_parser_refitter(refitter, logger);
}
int getNvOnnxParserVersion() noexcept { return NV_ONNX_PARSER_VERSION; }

}  // extern "C"

nvonnxparser::IOnnxConfig* nvonnxparser::createONNXConfig() {
  return tenrec::trt::create_onnx_config();
}
#pragma GCC visibility pop
