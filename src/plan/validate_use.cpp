// SPDX-License-Identifier: Apache-2.0
#include "plan/validate_use.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "plan/memory.h"

namespace tenrec::plan {
namespace {

#define PLAN_CHECK(condition, ...) TENREC_CHECK(condition, invalid_engine, __VA_ARGS__)

// Steps read only what is written, write only what may be written, once, and after its memory is
// there.
class Order {
 public:
  Order(const Plan& plan, const DimSchedule& schedule, const Lifetimes& live)
      : plan_(plan), schedule_(schedule), live_(live) {}

  void check() {
    const size_t count = plan_.values.size();
    touched_.assign(count, false);
    producer_.assign(count, none);
    for (size_t v = 0; v < count; ++v) {
      const Storage storage = plan_.values[v].storage;
      if (storage == Storage::weight || storage == Storage::dims)
        mark_written(static_cast<int32_t>(v));
    }
    for (const int32_t input : plan_.inputs) mark_written(input);
    for (const StringConstant& constant : plan_.strings) {
      PLAN_CHECK(!touched_[static_cast<size_t>(constant.value)],
                 "strings: value {} is an input or has two contents", constant.value);
      mark_written(constant.value);
    }
    starts_written_ = touched_;
    for (size_t s = 0; s < plan_.steps.size(); ++s)
      with_context([&] { return fmt::format("step {}", s); },
                   [&] { check_step(plan_.steps[s], static_cast<int32_t>(s)); });
    for (const int32_t value : plan_.outputs)
      check_read(value, static_cast<int32_t>(plan_.steps.size()));
  }

 private:
  void check_step(const Step& step, int32_t s) {
    for (const int32_t value : step.inputs) check_read(value, s);
    if (step.scratch != none)
      PLAN_CHECK(schedule_.slot_stage(step.scratch) < s, "scratch: slot {} is not known yet",
                 step.scratch);
    for (const int32_t slot : step.sizes)
      PLAN_CHECK(schedule_.slot_stage(slot) < s, "sizes: slot {} is not known yet", slot);
    for (const int32_t value : step.outputs) check_write(value, s);
  }

  const ValueDef& value_at(int32_t value) const { return plan_.values[static_cast<size_t>(value)]; }

  // A value and all its bases hold data now (a part of a base counts: views make up
  // concatenations).
  void mark_written(int32_t value) {
    for (;;) {
      touched_[static_cast<size_t>(value)] = true;
      if (value_at(value).storage != Storage::alias) return;
      value = value_at(value).index;
    }
  }

  bool is_written(int32_t value) const {
    for (;;) {
      if (touched_[static_cast<size_t>(value)]) return true;
      if (value_at(value).storage != Storage::alias) return false;
      value = value_at(value).index;
    }
  }

  void check_read(int32_t value, int32_t step) const {
    if (value == none) return;
    PLAN_CHECK(is_written(value), "reads value {} (\"{}\"), which nothing has written yet", value,
               value_at(value).name);
    PLAN_CHECK(schedule_.value_stage(value) < step,
               "reads value {} (\"{}\"), whose size is not known yet", value, value_at(value).name);
  }

  void check_write(int32_t value, int32_t step) {
    if (value == none) return;
    const int32_t root = live_.root[static_cast<size_t>(value)];
    const Storage storage = value_at(root).storage;
    PLAN_CHECK(storage == Storage::arena || storage == Storage::output || storage == Storage::host,
               "writes value {} (\"{}\"), which is read-only", value, value_at(value).name);
    PLAN_CHECK(producer_[static_cast<size_t>(value)] == none, "writes value {}, as step {} does",
               value, producer_[static_cast<size_t>(value)]);
    producer_[static_cast<size_t>(value)] = step;
    PLAN_CHECK(storage != Storage::host || !starts_written_[static_cast<size_t>(value)],
               "writes value {}, which is an input or a constant", value);
    PLAN_CHECK(schedule_.value_stage(value) <= step, "writes value {}, whose size is not known yet",
               value);
    PLAN_CHECK(value == root || schedule_.value_stage(root) < step,
               "writes value {} into value {}, whose size is not known yet", value, root);
    mark_written(value);
  }

  const Plan& plan_;
  const DimSchedule& schedule_;
  const Lifetimes& live_;
  std::vector<bool> touched_;         // values that hold data, whole or in part
  std::vector<bool> starts_written_;  // inputs and constants
  std::vector<int32_t> producer_;
};

// What was placed at build time.
class Arena {
 public:
  Arena(const Plan& plan, const Lifetimes& live) : plan_(plan), live_(live) {}

  void check() const {
    std::vector<Interval> placed;
    for (size_t v = 0; v < plan_.values.size(); ++v) {
      const ValueDef& value = plan_.values[v];
      if (value.arena_offset == -1) continue;
      PLAN_CHECK(value.storage == Storage::arena, "value {}: arena_offset: it is not in the arena",
                 v);
      check_offset(value.arena_offset, value.upper_bytes, fmt::format("value {}: arena_offset", v));
      placed.push_back({live_.first[v], live_.last[v], value.arena_offset, value.upper_bytes,
                        fmt::format("value {}", v)});
    }
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      const Step& step = plan_.steps[s];
      if (step.scratch_offset == -1) continue;
      PLAN_CHECK(step.scratch != none, "step {}: scratch_offset without scratch", s);
      check_offset(step.scratch_offset, step.scratch_upper,
                   fmt::format("step {}: scratch_offset", s));
      const auto at = static_cast<int32_t>(s);
      placed.push_back(
          {at, at, step.scratch_offset, step.scratch_upper, fmt::format("step {}", s)});
    }
    check_overlaps(placed);
  }

 private:
  struct Interval {
    int32_t first, last;
    int64_t offset, bytes;
    std::string what;
  };

  void check_offset(int64_t offset, int64_t bytes, const std::string& what) const {
    PLAN_CHECK(offset >= 0 && offset % static_cast<int64_t>(arena_alignment) == 0 &&
                   offset <= plan_.arena_bytes && bytes <= plan_.arena_bytes - offset,
               "{}: {} bytes at {} do not lie inside the arena of {} bytes", what, bytes, offset,
               plan_.arena_bytes);
  }

  // Buffers alive at the same time must not share memory: swept over the steps, neighbours
  // compared.
  static void check_overlaps(const std::vector<Interval>& placed) {
    struct Event {
      int32_t step;
      bool starts;
      size_t item;
    };
    std::vector<Event> events;
    for (size_t i = 0; i < placed.size(); ++i) {
      if (placed[i].first > placed[i].last || placed[i].bytes == 0) continue;
      events.push_back({placed[i].first, true, i});
      events.push_back({placed[i].last + 1, false, i});
    }
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return a.step != b.step ? a.step < b.step : a.starts < b.starts;
    });
    std::map<int64_t, size_t> alive;  // by offset
    const auto check_disjoint = [&](const Interval& low, const Interval& high) {
      PLAN_CHECK(low.offset + low.bytes <= high.offset,
                 "{} and {} are alive at once and share memory at {}", low.what, high.what,
                 high.offset);
    };
    for (const Event& event : events) {
      const Interval& item = placed[event.item];
      if (!event.starts) {
        alive.erase(item.offset);
        continue;
      }
      const auto [position, inserted] = alive.emplace(item.offset, event.item);
      PLAN_CHECK(inserted, "{} and {} are alive at once and share memory at {}", item.what,
                 placed[position->second].what, item.offset);
      if (position != alive.begin()) check_disjoint(placed[std::prev(position)->second], item);
      if (std::next(position) != alive.end())
        check_disjoint(item, placed[std::next(position)->second]);
    }
  }

  const Plan& plan_;
  const Lifetimes& live_;
};

}  // namespace

void validate_use(const Plan& plan, const DimSchedule& schedule) {
  const Lifetimes live = lifetimes(plan);
  Order(plan, schedule, live).check();
  Arena(plan, live).check();
}

}  // namespace tenrec::plan
