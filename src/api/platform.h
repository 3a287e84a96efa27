// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tenrec::trt {

// Whether the application's memory and streams are a GPU's, so that engines have to run there: the
// process uses NVIDIA's CUDA runtime or driver, not our runtime over host memory, and there is a
// GPU that this build has a target for.
bool is_on_gpu();

}  // namespace tenrec::trt
