// SPDX-License-Identifier: Apache-2.0
// Running a plan's dim program. Which slots are known before the first step and which wait for a
// step is a property of the plan, worked out once (DimSchedule); a run then only walks lists.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "plan/plan.h"

namespace tenrec::plan {

constexpr int32_t at_start = -1;  // the stage of slots that inputs alone determine

// Items grouped by stage; stage s is kept at position s + 1.
class Stages {
 public:
  Stages() = default;
  // `stage_of[i]` in [-1, steps) is the stage of item i, or of `items[i]`; the order stays within a
  // stage.
  Stages(std::span<const int32_t> stage_of, size_t steps, std::span<const int32_t> items = {});
  std::span<const int32_t> at(int32_t stage) const {
    const size_t s = static_cast<size_t>(stage + 1);
    return std::span(items_).subspan(start_[s], start_[s + 1] - start_[s]);
  }

 private:
  std::vector<size_t> start_;
  std::vector<int32_t> items_;
};

// When each slot and value of a plan becomes known: at_start or after a step. The plan must have
// valid slot, step and value indices (validate checks these before it makes a schedule).
class DimSchedule {
 public:
  explicit DimSchedule(const Plan& plan);
  int32_t slot_stage(int32_t slot) const {
    return slot < 0 ? at_start : slot_stage_[static_cast<size_t>(slot)];
  }
  // Dims, size, offset and (aliases) the base are known. Values of unknown rank: their producer.
  int32_t value_stage(int32_t value) const { return value_stage_[static_cast<size_t>(value)]; }
  std::span<const int32_t> instructions(int32_t stage) const { return instructions_.at(stage); }
  std::span<const int32_t> checks(int32_t stage) const { return checks_.at(stage); }
  std::span<const int32_t> values(int32_t stage) const { return values_.at(stage); }  // bases first

 private:
  void stage_values(const Plan& plan);
  std::vector<int32_t> slot_stage_, value_stage_;
  Stages instructions_, checks_, values_;
};

// op(a, b) on run-time values; an invalid_input Error where it overflows or divides by zero.
int64_t apply(DimOp op, int64_t a, int64_t b);

// The slots of one run. Reading a slot whose stage was not evaluated yet is a bug of the caller.
class DimValues {
 public:
  DimValues(const Plan& plan, const DimSchedule& schedule);
  int64_t operator[](int32_t slot) const { return slots_[static_cast<size_t>(slot)]; }
  std::span<const int64_t> slots() const { return slots_; }
  // Outside the symbol's bounds: an invalid_input Error naming the symbol and where it came from.
  void set_symbol(int32_t slot, int64_t value);
  // Computes what became known at `stage`, then runs the checks that did.
  void evaluate(int32_t stage);

 private:
  void run_check(const Check& check) const;
  const Plan& plan_;
  const DimSchedule& schedule_;
  std::vector<int64_t> slots_;
};

// Bytes of a value with these dims in its layout; an invalid_input Error for a negative dim or an
// overflow. Strings and other host data: 0.
uint64_t layout_bytes(const ValueDef& value, std::span<const int64_t> dims);

}  // namespace tenrec::plan
