// SPDX-License-Identifier: Apache-2.0
// A bound graph with a draft step a node becomes a Plan: slots, values, buffers, steps.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "build/bind.h"
#include "plan/engine_file.h"
#include "plan/plan.h"
#include "targets/target.h"

namespace tenrec {

// Chooses a kernel and tactic for a node.
using SelectStep = std::function<StepDraft(const Node& node)>;

// Views that begin at no multiple of `view_alignment` bytes are copies.
plan::Plan lower(const BoundGraph& bound, const SelectStep& select, plan::WeightStore& weights,
                 plan::CodeStore& code, int64_t view_alignment = 1);

}  // namespace tenrec
