// SPDX-License-Identifier: Apache-2.0
#include "api/entry.h"

#include "api/builder.h"
#include "api/parser.h"
#include "api/registry.h"
#include "api/runtime.h"

namespace tenrec::trt {
namespace {

// Versions count major * 10000 since 10.0 and major * 1000 before.
void check_version(int32_t version) {
  const int32_t major = version >= 10000 ? version / 10000 : version / 1000;
  TENREC_CHECK(major == NV_TENSORRT_MAJOR, usage,
               "the program was built for TensorRT {}, this library has the interface of {}; "
               "build it with Tenrec's headers",
               major, NV_TENSORRT_MAJOR);
}

// Callers cast what they get to the public class.
template <class Public, class Object>
void* create(const char* call, void* logger, int32_t version) noexcept {
  auto* sink = static_cast<nv::ILogger*>(logger);
  remember_logger(sink);
  const Report report(sink);
  return report.guard<void*>(call, nullptr, [&]() -> void* {
    TENREC_CHECK(sink != nullptr, usage, "the logger is a null pointer");
    check_version(version);
    return static_cast<Public*>(new Object(sink));
  });
}

}  // namespace

void* create_builder(void* logger, int32_t version) noexcept {
  return create<nv::IBuilder, Builder>("createInferBuilder", logger, version);
}

void* create_runtime(void* logger, int32_t version) noexcept {
  return create<nv::IRuntime, Runtime>("createInferRuntime", logger, version);
}

void* create_refitter(void*, void* logger) noexcept {
  Report(static_cast<nv::ILogger*>(logger)).not_yet("createInferRefitter");
  return nullptr;
}

void* create_parser(void* network, void* logger) noexcept {
  const Report report(static_cast<nv::ILogger*>(logger));
  return report.guard<void*>("createParser", nullptr, [&]() -> void* {
    TENREC_CHECK(network != nullptr && logger != nullptr, usage,
                 "the network or the logger is a null pointer");
    auto& target = static_cast<Network&>(*static_cast<nv::INetworkDefinition*>(network));
    return static_cast<nvonnxparser::IParser*>(new Parser(target, report));
  });
}

void* create_parser_refitter(void*, void* logger) noexcept {
  Report(static_cast<nv::ILogger*>(logger)).not_yet("createParserRefitter");
  return nullptr;
}

nv::IPluginRegistry* registry() noexcept { return &process_registry(); }
nv::ILogger* logger() noexcept { return last_logger(); }

nvonnxparser::IOnnxConfig* create_onnx_config() noexcept {
  return Report(last_logger()).guard<nvonnxparser::IOnnxConfig*>("createONNXConfig", nullptr, [] {
    return make_onnx_config();
  });
}

void log_info(void* logger, const char* text) noexcept {
  if (logger != nullptr) static_cast<nv::ILogger*>(logger)->log(Severity::kINFO, text);
}

}  // namespace tenrec::trt
