// SPDX-License-Identifier: Apache-2.0
// trtexec on Tenrec: builds an engine from an ONNX model, or loads one, and measures it.
#include <NvInfer.h>
#include <NvInferPlugin.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "build.h"
#include "log.h"
#include "measure.h"
#include "options.h"
#include "report.h"

namespace trtexec {
namespace {

void banner(const char* state, const std::string& command) {
  std::printf("&&&& %s TensorRT.trtexec [TensorRT v%d] [b%d] # %s\n", state, NV_TENSORRT_VERSION,
              NV_TENSORRT_BUILD, command.c_str());
  std::fflush(stdout);
}

// Tenrec's engines begin with their own magic and format version; TensorRT's with another.
void print_plan_version(const std::vector<char>& bytes) {
  if (bytes.size() >= 4 && std::memcmp(bytes.data(), "ftrt", 4) == 0)
    throw std::runtime_error("this is an engine of TensorRT; build the model again");
  const Loaded loaded = load(bytes);
  info("Plan was created with TensorRT version: ", getInferLibMajorVersion(), ".",
       getInferLibMinorVersion(), ".", getInferLibPatchVersion(), ".", getInferLibBuildVersion());
}

bool run(const Options& options) {
  print_options(options);
  print_device(options.device);
  info("TensorRT version: ", NV_TENSORRT_MAJOR, ".", NV_TENSORRT_MINOR, ".", NV_TENSORRT_PATCH);
  info("Loading standard plugins");
  initLibNvInferPlugins(&logger(), "");
  for (const std::string& warning : options.warnings) warn(warning);
  if (options.dla_core >= 0) throw std::runtime_error("there is no DLA on this machine");
  if (!options.plugins.empty())
    throw std::runtime_error("plugin libraries are not there in this version: " +
                             options.plugins.front());
  const std::vector<char> bytes = engine_bytes(options);
  if (options.plan_version_only) {
    print_plan_version(bytes);
    return true;
  }
  if (options.time_deserialize) return time_deserialization(bytes);
  if (options.skip_inference) {
    info("Skipped inference phase since --skipInference is added.");
    return true;
  }
  const Loaded loaded = load(bytes);
  run_inference(*loaded.engine, options);
  return true;
}

}  // namespace
}  // namespace trtexec

int main(int count, char** arguments) {
  using namespace trtexec;
  std::string command;
  for (int i = 0; i < count; ++i) command += (i == 0 ? "" : " ") + std::string(arguments[i]);
  bool passed = false;
  try {
    if (count <= 1) {
      std::printf("%s\n", help_text().c_str());
      return 0;
    }
    const Options options = parse_options({arguments + 1, arguments + count});
    if (options.help) {
      std::printf("%s\n", help_text().c_str());
      return 0;
    }
    logger().set_verbose(options.verbose);
    banner("RUNNING", command);
    passed = run(options);
  } catch (const UsageError& error) {
    banner("RUNNING", command);
    std::printf("%s\n", help_text().c_str());
    complain(error.what());
  } catch (const std::exception& error) {
    complain(error.what());
  }
  banner(passed ? "PASSED" : "FAILED", command);
  return passed ? 0 : 1;
}
