// SPDX-License-Identifier: Apache-2.0
// What follows from a validated plan and is shared by all that run it.
#pragma once
#include <cstdint>
#include <vector>

#include "plan/dims.h"
#include "plan/memory.h"
#include "plan/plan.h"

namespace tenrec {

struct PlanInfo {
  explicit PlanInfo(const plan::Plan& plan);

  // Buffers that become sized at one stage and are placed together then.
  struct Group {
    std::vector<int32_t> values;         // roots in the arena
    std::vector<int32_t> scratch_steps;  // steps whose scratch belongs here
    int32_t last = -1;                   // last step that uses any of them
    bool empty() const { return values.empty() && scratch_steps.empty(); }
  };

  const plan::Plan& plan;
  plan::DimSchedule schedule;
  plan::Lifetimes live;
  std::vector<size_t> dims_start;   // per value: where its dims lie in one flat list
  std::vector<size_t> words_start;  // per value: where its elements (Storage::dims) lie
  size_t dims_total = 0, words_total = 0;
  std::vector<std::vector<int32_t>> users;  // per value: steps that take it as an argument
  std::vector<Group> groups;                // per stage, at_start first
  std::vector<bool> has_own_block;          // per value: sized by the step that writes it
  std::vector<std::vector<int32_t>> own_released_after;     // per step: such values
  std::vector<std::vector<int32_t>> groups_released_after;  // per step: indices of groups
  std::vector<bool> step_sizes_something;                   // per step: values or slots wait for it
  std::vector<int32_t> start_symbols;                       // slots read before the first step
  std::vector<int32_t> start_values;  // values of stage at_start that a run may size or move
  std::vector<size_t> inputs_start, outputs_start,
      bodies_start;  // per step, in flat lists; + total
  std::vector<PlanInfo> bodies;

  const Group& group(int32_t stage) const { return groups[static_cast<size_t>(stage + 1)]; }

 private:
  void lay_out();
  void find_start_values();
  void group_buffers();
};

}  // namespace tenrec
