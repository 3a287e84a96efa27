// SPDX-License-Identifier: Apache-2.0
// Puts Attention in the place of matrix product, scale, mask, softmax and matrix product, where the
// target has a kernel for it; and reads heads where they lie, so that the transposes around it go.
#pragma once
#include "targets/target.h"

namespace tenrec::cuda {

void recognise_attention(Graph& graph, const DeviceInfo& device);

}  // namespace tenrec::cuda
