// SPDX-License-Identifier: Apache-2.0
#include "plan/dims.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace tenrec::plan {

Stages::Stages(std::span<const int32_t> stage_of, size_t steps, std::span<const int32_t> items) {
  start_.assign(steps + 2, 0);
  for (const int32_t stage : stage_of) ++start_[static_cast<size_t>(stage + 1) + 1];
  std::partial_sum(start_.begin(), start_.end(), start_.begin());
  items_.resize(stage_of.size());
  std::vector<size_t> next(start_.begin(), start_.end() - 1);
  for (size_t i = 0; i < stage_of.size(); ++i)
    items_[next[static_cast<size_t>(stage_of[i] + 1)]++] =
        items.empty() ? static_cast<int32_t>(i) : items[i];
}

DimSchedule::DimSchedule(const Plan& plan) {
  const size_t symbols = plan.symbols.size();
  slot_stage_.resize(symbols + plan.program.size());
  for (size_t i = 0; i < symbols; ++i) {
    const SymbolDef& symbol = plan.symbols[i];
    slot_stage_[i] = symbol.source == SymbolSource::step ? symbol.index : at_start;
  }
  for (size_t i = 0; i < plan.program.size(); ++i) {
    const DimInstruction& instruction = plan.program[i];
    slot_stage_[symbols + i] = std::max(slot_stage(instruction.a), slot_stage(instruction.b));
  }
  const size_t steps = plan.steps.size();
  instructions_ = Stages(std::span(slot_stage_).subspan(symbols), steps);
  std::vector<int32_t> check_stage;
  check_stage.reserve(plan.checks.size());
  for (const Check& check : plan.checks)
    check_stage.push_back(std::max(slot_stage(check.a), slot_stage(check.b)));
  checks_ = Stages(check_stage, steps);
  stage_values(plan);
}

void DimSchedule::stage_values(const Plan& plan) {
  const size_t count = plan.values.size();
  value_stage_.assign(count, at_start);
  std::vector<int32_t> producer(count, at_start);
  for (size_t s = 0; s < plan.steps.size(); ++s)
    for (const int32_t output : plan.steps[s].outputs)
      if (output != none) producer[static_cast<size_t>(output)] = static_cast<int32_t>(s);
  for (size_t v = 0; v < count; ++v) {
    const ValueDef& value = plan.values[v];
    int32_t stage = std::max(slot_stage(value.bytes), slot_stage(value.offset));
    for (const int32_t slot : value.dims) stage = std::max(stage, slot_stage(slot));
    for (const int32_t slot : value.elements) stage = std::max(stage, slot_stage(slot));
    if (!value.ranked && value.storage != Storage::host) stage = std::max(stage, producer[v]);
    value_stage_[v] = stage;
  }
  // Aliases wait for their base. Chains are short; each is walked once per member.
  std::vector<int32_t> depth(count, 0);
  const std::vector<int32_t> own = value_stage_;
  for (size_t v = 0; v < count; ++v) {
    const ValueDef* value = &plan.values[v];
    while (value->storage == Storage::alias) {
      const size_t base = static_cast<size_t>(value->index);
      value_stage_[v] = std::max(value_stage_[v], own[base]);
      value = &plan.values[base];
      ++depth[v];
    }
  }
  // Bases first: sort by depth, then bucket stably by stage.
  std::vector<int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return depth[static_cast<size_t>(a)] < depth[static_cast<size_t>(b)];
  });
  std::vector<int32_t> stage_of(count);
  for (size_t i = 0; i < count; ++i) stage_of[i] = value_stage_[static_cast<size_t>(order[i])];
  values_ = Stages(stage_of, plan.steps.size(), order);
}

namespace {

[[noreturn]] void overflow(std::string_view operation, int64_t a, int64_t b) {
  fail(ErrorCode::invalid_input,
       "computing sizes: {} {} {} does not fit into 64 bits; use smaller input sizes", a, operation,
       b);
}

int64_t scale(int64_t a, int64_t bits) {
  const float factor = std::bit_cast<float>(static_cast<uint32_t>(bits));
  const float product = static_cast<float>(a) * factor;
  TENREC_CHECK(std::isfinite(product) && std::abs(product) < 9.2e18F, invalid_input,
               "computing sizes: {} scaled by {} is no valid size; use a finite, smaller scale", a,
               factor);
  return static_cast<int64_t>(product);
}

int64_t floor_divide(int64_t a, int64_t b) {
  TENREC_CHECK(b > 0, invalid_input, "computing sizes: {} divided by {}; the divisor must be >= 1",
               a, b);
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

int64_t apply(DimOp op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case DimOp::constant: return a;
    case DimOp::add:
      if (__builtin_add_overflow(a, b, &result)) overflow("+", a, b);
      return result;
    case DimOp::sub:
      if (__builtin_sub_overflow(a, b, &result)) overflow("-", a, b);
      return result;
    case DimOp::mul:
      if (__builtin_mul_overflow(a, b, &result)) overflow("*", a, b);
      return result;
    case DimOp::floordiv: return floor_divide(a, b);
    case DimOp::mod: return a - floor_divide(a, b) * b;
    case DimOp::min: return std::min(a, b);
    case DimOp::max: return std::max(a, b);
    case DimOp::scaled: return scale(a, b);
    case DimOp::broadcast: return a == 1 ? b : a;
  }
  fail(ErrorCode::internal, "dim program: operation {} is unknown", static_cast<int>(op));
}

DimValues::DimValues(const Plan& plan, const DimSchedule& schedule)
    : plan_(plan), schedule_(schedule), slots_(plan.symbols.size() + plan.program.size(), 0) {}

void DimValues::set_symbol(int32_t slot, int64_t value) {
  const SymbolDef& symbol = plan_.symbols[static_cast<size_t>(slot)];
  // A float is checked where a size is computed from it: `scale`.
  if (!symbol.is_float) {
    TENREC_CHECK(value >= symbol.lower && value <= symbol.upper, invalid_input,
                 "size \"{}\" is {}; this engine allows {} to {}", symbol.name, value, symbol.lower,
                 symbol.upper == unbounded ? std::string("any") : std::to_string(symbol.upper));
  }
  slots_[static_cast<size_t>(slot)] = value;
}

void DimValues::evaluate(int32_t stage) {
  const size_t symbols = plan_.symbols.size();
  for (const int32_t i : schedule_.instructions(stage)) {
    const DimInstruction& in = plan_.program[static_cast<size_t>(i)];
    slots_[symbols + static_cast<size_t>(i)] =
        in.op == DimOp::constant ? in.constant : apply(in.op, (*this)[in.a], (*this)[in.b]);
  }
  for (const int32_t i : schedule_.checks(stage)) run_check(plan_.checks[static_cast<size_t>(i)]);
}

void DimValues::run_check(const Check& check) const {
  const int64_t a = (*this)[check.a];
  const int64_t b = (*this)[check.b];
  bool holds = false;
  const char* relation = "==";
  switch (check.relation) {
    case Relation::equal: holds = a == b; break;
    case Relation::greater_equal:
      holds = a >= b;
      relation = ">=";
      break;
    case Relation::equal_or_one:
      holds = b == 1 || b == a;
      relation = "broadcasts with";
      break;
  }
  TENREC_CHECK(holds, invalid_input, "{} (needed: {} {} {})", check.message, a, relation, b);
}

uint64_t layout_bytes(const ValueDef& value, std::span<const int64_t> dims) {
  if (value.storage == Storage::host || value.dtype == DType::string) return 0;
  int64_t elements = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    int64_t dim = dims[i];
    TENREC_CHECK(dim >= 0, invalid_input, "\"{}\": dim {} would be {}; sizes cannot be negative",
                 value.name, i, dim);
    if (value.block_axis == static_cast<int32_t>(i) && value.block > 0)
      dim = apply(DimOp::mul, floor_divide(apply(DimOp::add, dim, value.block - 1), value.block),
                  value.block);
    if (__builtin_mul_overflow(elements, dim, &elements))
      fail(ErrorCode::invalid_input, "\"{}\": {} elements do not fit into 64 bits", value.name,
           fmt::join(dims, " x "));
  }
  int64_t bits = 0;
  TENREC_CHECK(
      !__builtin_mul_overflow(elements, static_cast<int64_t>(bit_width(value.dtype)), &bits),
      invalid_input, "\"{}\": {} elements are too many bytes", value.name, elements);
  return (static_cast<uint64_t>(bits) + 7) / 8;
}

}  // namespace tenrec::plan
