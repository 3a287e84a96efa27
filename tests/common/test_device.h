// SPDX-License-Identifier: Apache-2.0
// A device for tests of the runtime (target "test"): a few families on host memory.
//   add      f32: input 1 is repeated along input 0
//   copy     any element type, contiguous
//   nonzero  f32[N] -> i64[K], K decided by the step
//   spread   dims tensor i64[R] -> f32 of those dims, filled with 1; dims decided by the step
//   call     runs body 0 on all inputs
#pragma once
#include <atomic>

#include "runtime/device.h"

namespace tenrec {

struct TestCounters {
  std::atomic<int> reshapes{0};
  std::atomic<int> runs{0};
};
TestCounters& test_counters();
void register_test_device();

}  // namespace tenrec
