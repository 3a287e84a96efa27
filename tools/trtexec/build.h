// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <NvInfer.h>

#include <memory>
#include <vector>

#include "options.h"

namespace trtexec {

struct Loaded {
  std::unique_ptr<nvinfer1::IRuntime> runtime;
  std::unique_ptr<nvinfer1::ICudaEngine> engine;
};

// Builds from --onnx (and writes --saveEngine), or reads --loadEngine. Throws with the reason; what
// the library has to say went to the log.
std::vector<char> engine_bytes(const Options& options);
Loaded load(const std::vector<char>& bytes);
// Loads again and again and prints the times; false when the first was more than twice the average.
bool time_deserialization(const std::vector<char>& bytes);

}  // namespace trtexec
