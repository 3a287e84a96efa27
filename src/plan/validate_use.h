// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "plan/dims.h"
#include "plan/plan.h"

namespace tenrec::plan {

// Proof that the steps of a plan read what is written before, write what is theirs, and that
// buffers alive at once do not share memory. Indices and sizes are validated already.
void validate_use(const Plan& plan, const DimSchedule& schedule);

}  // namespace tenrec::plan
