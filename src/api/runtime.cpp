// SPDX-License-Identifier: Apache-2.0
#include "api/runtime.h"

#include <thread>

#include "api/convert.h"
#include "api/registry.h"

namespace tenrec::trt {
namespace {

constexpr size_t chunk = size_t{1} << 20;

double mebibytes(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// Everything that `read` gives, front to back.
template <class Read>
std::vector<std::byte> read_all(Read&& read) {
  std::vector<std::byte> bytes;
  for (;;) {
    const size_t begin = bytes.size();
    bytes.resize(begin + chunk);
    const int64_t got = read(bytes.data() + begin, static_cast<int64_t>(chunk));
    TENREC_CHECK(got >= 0 && got <= static_cast<int64_t>(chunk), io,
                 "the stream failed after {} bytes", begin);
    bytes.resize(begin + static_cast<size_t>(got));
    if (got < static_cast<int64_t>(chunk)) return bytes;
  }
}

}  // namespace

nv::ICudaEngine* Runtime::load(std::vector<std::byte> bytes) {
  const size_t size = bytes.size();
  auto engine = std::make_unique<EngineObject>(
      report_, Engine::from_bytes(std::move(bytes), {.threads = threads_}));
  const MemoryReport memory = engine->state()->engine.memory();
  report_.log(Severity::kINFO, fmt::format("Loaded engine size: {:.2f} MiB", mebibytes(size)));
  report_.log(Severity::kINFO,
              fmt::format("Device: {} ({}). Memory: weights {:.2f} MiB, activations {:.2f} MiB, "
                          "scratch {:.2f} MiB",
                          engine->state()->engine.target(), engine->state()->engine.device(),
                          mebibytes(memory.weights), mebibytes(memory.activations),
                          mebibytes(memory.scratch)));
  return engine.release();
}

nv::ICudaEngine* Runtime::deserializeCudaEngine(const void* blob, std::size_t size) noexcept {
  return report_.guard<nv::ICudaEngine*>("IRuntime::deserializeCudaEngine", nullptr, [&] {
    TENREC_CHECK(blob != nullptr && size > 0, usage, "the engine has no bytes");
    const auto* begin = static_cast<const std::byte*>(blob);
    return load({begin, begin + size});
  });
}

nv::ICudaEngine* Runtime::deserializeCudaEngine(nv::IStreamReader& streamReader) noexcept {
  return report_.guard<nv::ICudaEngine*>("IRuntime::deserializeCudaEngine", nullptr, [&] {
    return load(read_all([&](void* to, int64_t bytes) { return streamReader.read(to, bytes); }));
  });
}

nv::ICudaEngine* Runtime::deserializeCudaEngineV2(nv::IStreamReaderV2& streamReader) noexcept {
  return report_.guard<nv::ICudaEngine*>("IRuntime::deserializeCudaEngine", nullptr, [&] {
    return load(
        read_all([&](void* to, int64_t bytes) { return streamReader.read(to, bytes, nullptr); }));
  });
}

void Runtime::setDLACore(int32_t dlaCore) noexcept {
  report_.guard("IRuntime::setDLACore", [&] {
    TENREC_CHECK(dlaCore < 0, unsupported, "there is no DLA core {} on this machine", dlaCore);
  });
}

bool Runtime::setMaxThreads(int32_t maxThreads) noexcept {
  return report_.guard("IRuntime::setMaxThreads", false, [&] {
    TENREC_CHECK(maxThreads >= 1, usage, "{} threads; at least 1 is needed", maxThreads);
    threads_ = maxThreads;
    return true;
  });
}

int32_t Runtime::getMaxThreads() const noexcept {
  return threads_ > 0 ? threads_ : static_cast<int32_t>(std::thread::hardware_concurrency());
}

void Runtime::setTemporaryDirectory(const char* path) noexcept {
  report_.guard("IRuntime::setTemporaryDirectory",
                [&] { temporary_directory_ = path == nullptr ? "" : path; });
}

void Runtime::setTempfileControlFlags(nv::TempfileControlFlags flags) noexcept {
  tempfile_flags_ = flags;
}

nv::IPluginRegistry& Runtime::getPluginRegistry() noexcept { return process_registry(); }

nv::IRuntime* Runtime::loadRuntime(const char*) noexcept {
  report_.error(nv::ErrorCode::kUNSUPPORTED_STATE, "IRuntime::loadRuntime",
                "this runtime loads engines of every version; no other one can be loaded");
  return nullptr;
}

}  // namespace tenrec::trt
