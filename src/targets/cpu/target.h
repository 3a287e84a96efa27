// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "targets/target.h"

namespace tenrec::cpu {

const Target& cpu_target();

}  // namespace tenrec::cpu
