// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/type.h"
#include "runtime/device.h"

namespace tenrec {

// The type of a run-time value in host memory; small tensors with their elements.
Type type_of(const TensorView& view);

}  // namespace tenrec
