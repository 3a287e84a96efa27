// SPDX-License-Identifier: Apache-2.0
// The families that can do everything: "generic" evaluates the operator's reference code on the
// step's memory, which must be the host's; "infer" learns sizes that follow from values known only
// at run time.
#pragma once
#include <memory>

#include "runtime/device.h"

namespace tenrec {

std::unique_ptr<StepRunner> make_reference_step(const plan::Step& step);
std::unique_ptr<StepRunner> make_infer_step(const plan::Step& step);

}  // namespace tenrec
