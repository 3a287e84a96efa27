// SPDX-License-Identifier: Apache-2.0
// What the cores can do at most, measured: multiply-adds in registers, and reading at each level of
// the caches. Takes a tenth of a second.
#pragma once
#include "runtime/limits.h"
#include "targets/cpu/run/isa.h"

namespace tenrec::cpu {

// Loops for one instruction set; each gives a number that depends on all it did.
struct LimitLoops {
  float (*multiply_add)(int64_t rounds);  // multiply_adds_a_round(isa) each
  float (*read)(const float* data, int64_t count);
  int64_t multiply_adds_a_round;
};
LimitLoops limit_loops(Isa isa);

DeviceLimits measure_limits(const DeviceOptions& options);

}  // namespace tenrec::cpu
