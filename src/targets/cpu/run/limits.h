// SPDX-License-Identifier: Apache-2.0
// What the cores can do at most, measured: multiply-adds in registers, and moving sets of any size.
// A set is written and then read, as what lies between two steps is; how much of it the caches
// still have by then is a part of the answer.
#pragma once
#include "runtime/device.h"
#include "targets/cpu/run/isa.h"
#include "targets/cpu/run/threads.h"

namespace tenrec::cpu {

// Loops for one instruction set; each gives a number that depends on all it did.
struct LimitLoops {
  float (*multiply_add)(int64_t rounds);  // of `multiply_adds_a_round` each
  void (*write)(float* data, int64_t count);
  float (*read)(const float* data, int64_t count);
  int64_t multiply_adds_a_round;
};
LimitLoops limit_loops(Isa isa);

DeviceLimits measure_limits(Isa isa, const Threads& threads);

}  // namespace tenrec::cpu
