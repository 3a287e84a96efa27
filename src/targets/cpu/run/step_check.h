// SPDX-License-Identifier: Apache-2.0
// A plan that is valid as a plan may still ask a family for nonsense. What all families would have
// to check stands here once: the operator's own inference is run on the actual inputs and held
// against the outputs the plan has, and the memory layouts are those the family knows.
#pragma once
#include <memory>

#include "targets/cpu/run/family.h"

namespace tenrec::cpu {

// `runner` behind the checks that `family` wants; they are made when the step is shaped.
std::unique_ptr<StepRunner> checked(const Family& family, const plan::Plan& plan,
                                    const plan::Step& step, std::unique_ptr<StepRunner> runner);

}  // namespace tenrec::cpu
