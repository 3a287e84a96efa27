// SPDX-License-Identifier: Apache-2.0
#include "runtime/plan_info.h"

#include <algorithm>

namespace tenrec {

using plan::Storage;

PlanInfo::PlanInfo(const plan::Plan& source)
    : plan(source), schedule(source), live(plan::lifetimes(source)) {
  lay_out();
  find_start_values();
  group_buffers();
  bodies.reserve(plan.bodies.size());
  for (const plan::Plan& body : plan.bodies) bodies.emplace_back(body);
}

void PlanInfo::lay_out() {
  for (const plan::ValueDef& value : plan.values) {
    dims_start.push_back(dims_total);
    dims_total += value.dims.size();
    words_start.push_back(words_total);
    words_total += value.elements.size();
  }
  users.resize(plan.values.size());
  size_t inputs = 0, outputs = 0, body_count = 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const plan::Step& step = plan.steps[s];
    for (const auto* list : {&step.inputs, &step.outputs})
      for (const int32_t value : *list)
        if (value != plan::none)
          users[static_cast<size_t>(value)].push_back(static_cast<int32_t>(s));
    inputs_start.push_back(inputs);
    outputs_start.push_back(outputs);
    bodies_start.push_back(body_count);
    inputs += step.inputs.size();
    outputs += step.outputs.size();
    body_count += step.bodies.size();
  }
  inputs_start.push_back(inputs);
  outputs_start.push_back(outputs);
  bodies_start.push_back(body_count);
  for (size_t i = 0; i < plan.symbols.size(); ++i)
    if (plan.symbols[i].source != plan::SymbolSource::step)
      start_symbols.push_back(static_cast<int32_t>(i));
}

// Weights and constants, whose sizes are constants, stay as the first run finds them.
void PlanInfo::find_start_values() {
  const size_t symbols = plan.symbols.size();
  const auto constant = [&](int32_t slot) {
    if (slot == plan::none) return true;
    const auto at = static_cast<size_t>(slot);
    return at >= symbols && plan.program[at - symbols].op == plan::DimOp::constant;
  };
  for (const int32_t id : schedule.values(plan::at_start)) {
    const plan::ValueDef& value = plan.values[static_cast<size_t>(id)];
    const bool stays = (value.storage == Storage::weight || value.storage == Storage::dims) &&
                       constant(value.bytes) && std::ranges::all_of(value.dims, constant) &&
                       std::ranges::all_of(value.elements, constant);
    if (!stays) start_values.push_back(id);
  }
}

void PlanInfo::group_buffers() {
  const size_t steps = plan.steps.size();
  groups.resize(steps + 1);
  has_own_block.assign(plan.values.size(), false);
  own_released_after.resize(steps);
  groups_released_after.resize(steps);
  step_sizes_something.assign(steps, false);
  std::vector<int32_t> producer(plan.values.size(), plan::at_start);
  for (size_t s = 0; s < steps; ++s) {
    for (const int32_t value : plan.steps[s].outputs)
      if (value != plan::none) producer[static_cast<size_t>(value)] = static_cast<int32_t>(s);
    const auto stage = static_cast<int32_t>(s);
    step_sizes_something[s] = !plan.steps[s].defines.empty() || !schedule.values(stage).empty() ||
                              !schedule.instructions(stage).empty() ||
                              !schedule.checks(stage).empty();
  }
  const auto join = [&](int32_t stage, int32_t last) -> Group& {
    Group& group = groups[static_cast<size_t>(stage + 1)];
    group.last = std::max(group.last, last);
    return group;
  };
  for (size_t v = 0; v < plan.values.size(); ++v) {
    const plan::ValueDef& value = plan.values[v];
    const auto id = static_cast<int32_t>(v);
    if (value.storage != Storage::arena || value.arena_offset >= 0 || !live.is_used(id)) continue;
    const int32_t stage = schedule.value_stage(id);
    const int32_t last = live.last[v];
    if (stage != plan::at_start && producer[v] == stage) {
      has_own_block[v] = true;
      if (last < static_cast<int32_t>(steps))
        own_released_after[static_cast<size_t>(last)].push_back(id);
    } else {
      join(stage, last).values.push_back(id);
    }
  }
  for (size_t s = 0; s < steps; ++s) {
    const plan::Step& step = plan.steps[s];
    if (step.scratch == plan::none || step.scratch_offset >= 0) continue;
    const auto at = static_cast<int32_t>(s);
    join(schedule.slot_stage(step.scratch), at).scratch_steps.push_back(at);
  }
  for (size_t g = 1; g < groups.size(); ++g)
    if (!groups[g].empty() && groups[g].last < static_cast<int32_t>(steps))
      groups_released_after[static_cast<size_t>(groups[g].last)].push_back(static_cast<int32_t>(g) -
                                                                           1);
}

}  // namespace tenrec
