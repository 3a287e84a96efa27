// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <NvInfer.h>

#include <vector>

#include "options.h"
#include "report.h"

namespace trtexec {

// Creates contexts, fills inputs, runs as the options say, prints and writes the results.
void run_inference(nvinfer1::ICudaEngine& engine, const Options& options);

}  // namespace trtexec
