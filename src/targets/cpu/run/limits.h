// SPDX-License-Identifier: Apache-2.0
// What the cores can do at most, measured: multiply-adds in registers, and reading at each level of
// the caches.
#pragma once
#include "runtime/device.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

// Loops for one instruction set; each gives a number that depends on all it did.
struct LimitLoops {
  float (*multiply_add)(int64_t rounds);  // of `multiply_adds_a_round` each
  float (*read)(const float* data, int64_t count);
  int64_t multiply_adds_a_round;
};
LimitLoops limit_loops(Isa isa);

DeviceLimits measure_limits(Isa isa, const Threads& threads);

}  // namespace tenrec::cpu
