// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "targets/target.h"

namespace tenrec::cuda {

const Target& cuda_target();

}  // namespace tenrec::cuda
