// SPDX-License-Identifier: Apache-2.0
// The one timing loop of all targets.
#pragma once

#include "plan/engine_file.h"
#include "runtime/device.h"

namespace tenrec {

// Median time in microseconds of the steps of a small static plan on seeded random inputs, with
// warm-up. Buffers rotate beyond the last-level cache where the working set is small enough to do
// so. Gives up early (returning what it has) on a plan that is hopeless against `best`
// microseconds.
double time_plan(Device& device, const plan::Plan& plan, const plan::WeightStore& weights,
                 std::span<const plan::KernelImage> code, uint64_t seed, double best);

}  // namespace tenrec
