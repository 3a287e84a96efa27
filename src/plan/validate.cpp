// SPDX-License-Identifier: Apache-2.0
#include "plan/validate.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "base/error.h"
#include "plan/dims.h"
#include "plan/validate_use.h"

namespace tenrec::plan {
namespace {

#define PLAN_CHECK(condition, ...) TENREC_CHECK(condition, invalid_engine, __VA_ARGS__)

bool known_dtype(DType dtype) { return is_valid(dtype) && dtype != DType::undefined; }

// Element types whose values may decide sizes: integers of whole bytes, bool, and f32 as scales.
bool holds_sizes(DType dtype) {
  return dtype == DType::f32 || dtype == DType::boolean ||
         (is_integer(dtype) && !is_sub_byte(dtype));
}

// Errors of size computations, which a run would blame on the input.
template <class Body>
auto as_engine_error(Body&& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_engine, error.what());
  }
}

// The slots of the enclosing plan that a body may read.
struct Outer {
  const Plan& plan;
  const DimSchedule& schedule;
  int32_t step;  // the first step that runs the body
};

class Validator {
 public:
  Validator(const Plan& plan, std::span<const Weight> weights, size_t code, const Outer* outer,
            int depth)
      : plan_(plan), weights_(weights), code_(code), outer_(outer), depth_(depth) {}

  void run() {
    check_counts();
    each("symbol", plan_.symbols.size(), [&](size_t i) { check_symbol(i); });
    each("dim instruction", plan_.program.size(), [&](size_t i) { check_instruction(i); });
    each("check", plan_.checks.size(), [&](size_t i) { check_check(plan_.checks[i]); });
    each("value", plan_.values.size(), [&](size_t i) { check_value(plan_.values[i]); });
    each("value", plan_.values.size(), [&](size_t i) { check_storage(i); });
    check_bindings();
    each("step", plan_.steps.size(), [&](size_t i) { check_step_indices(i); });
    schedule_.emplace(plan_);
    fold_constants();
    each("value", plan_.values.size(), [&](size_t i) { check_sizes(i); });
    check_input_stages();
    each("string constant", plan_.strings.size(), [&](size_t i) { check_strings(i); });
    validate_use(plan_, *schedule_);
    check_bodies();
  }

 private:
  template <class Body>
  static void each(std::string_view what, size_t count, Body&& body) {
    for (size_t i = 0; i < count; ++i)
      with_context([&] { return fmt::format("{} {}", what, i); }, [&] { body(i); });
  }

  size_t slots() const { return plan_.symbols.size() + plan_.program.size(); }
  bool is_float_symbol(int32_t slot) const {
    const size_t i = static_cast<size_t>(slot);
    return i < plan_.symbols.size() && plan_.symbols[i].is_float;
  }
  void check_slot(int32_t slot, std::string_view field, size_t limit) const {
    PLAN_CHECK(slot >= 0 && static_cast<size_t>(slot) < limit,
               "{}: slot {} is not one of the {} that exist there", field, slot, limit);
  }
  // A slot that holds a size: no float.
  void check_size_slot(int32_t slot, std::string_view field) const {
    check_slot(slot, field, slots());
    PLAN_CHECK(!is_float_symbol(slot), "{}: slot {} is a float, used as a size", field, slot);
  }
  void check_value_index(int32_t value, std::string_view field) const {
    PLAN_CHECK(value >= 0 && static_cast<size_t>(value) < plan_.values.size(),
               "{}: value {} is not one of the plan's {}", field, value, plan_.values.size());
  }
  const ValueDef& value_at(int32_t value) const { return plan_.values[static_cast<size_t>(value)]; }
  static void check_text(std::string_view text, std::string_view field) {
    PLAN_CHECK(text.size() <= max_name_bytes, "{}: {} bytes of text are too long", field,
               text.size());
  }

  void check_counts() const {
    PLAN_CHECK(depth_ <= max_body_depth, "bodies are nested more than {} deep", max_body_depth);
    const std::pair<std::string_view, size_t> counts[] = {
        {"symbols", plan_.symbols.size()}, {"program", plan_.program.size()},
        {"checks", plan_.checks.size()},   {"values", plan_.values.size()},
        {"inputs", plan_.inputs.size()},   {"outputs", plan_.outputs.size()},
        {"steps", plan_.steps.size()},     {"bodies", plan_.bodies.size()},
        {"strings", plan_.strings.size()}};
    for (const auto& [field, count] : counts)
      PLAN_CHECK(count <= max_plan_items, "{}: {} are too many", field, count);
    PLAN_CHECK(plan_.arena_bytes >= -1, "arena_bytes: {} is no size", plan_.arena_bytes);
  }

  void check_symbol(size_t i) const {
    const SymbolDef& symbol = plan_.symbols[i];
    check_text(symbol.name, "name");
    PLAN_CHECK(symbol.source <= SymbolSource::outer, "source: {} is unknown",
               static_cast<int>(symbol.source));
    PLAN_CHECK(symbol.index >= 0 && symbol.element >= 0, "index {} or element {} is negative",
               symbol.index, symbol.element);
    PLAN_CHECK(symbol.is_float || symbol.lower <= symbol.upper, "lower {} is above upper {}",
               symbol.lower, symbol.upper);
    const auto index = static_cast<size_t>(symbol.index);
    const auto element = static_cast<size_t>(symbol.element);
    if (symbol.source == SymbolSource::step) {
      PLAN_CHECK(index < plan_.steps.size() && element < plan_.steps[index].defines.size() &&
                     plan_.steps[index].defines[element].symbol == static_cast<int32_t>(i),
                 "step {} has no define {} of this symbol", index, element);
      PLAN_CHECK(!symbol.is_float, "is_float: steps define sizes only");
    } else if (symbol.source == SymbolSource::outer) {
      check_outer_symbol(symbol);
    } else {
      PLAN_CHECK(index < plan_.inputs.size(), "index: the plan has no input {}", index);
      check_value_index(plan_.inputs[index], "inputs");
      check_input_symbol(symbol, value_at(plan_.inputs[index]));
    }
  }

  void check_input_symbol(const SymbolDef& symbol, const ValueDef& input) const {
    if (symbol.source == SymbolSource::input_dim) {
      const size_t rank = input.storage == Storage::host ? max_rank : input.dims.size();
      PLAN_CHECK(input.ranked && static_cast<size_t>(symbol.element) < rank,
                 "element: input {} has no dim {}", symbol.index, symbol.element);
      PLAN_CHECK(!symbol.is_float, "is_float: a dim is an integer");
      return;
    }
    PLAN_CHECK(input.storage == Storage::input, "input {} is no tensor in memory", symbol.index);
    PLAN_CHECK(symbol.is_float ? input.dtype == DType::f32
                               : holds_sizes(input.dtype) && input.dtype != DType::f32,
               "input {} is {}; a size is read from integers or, as a scale, from f32",
               symbol.index, name(input.dtype));
  }

  void check_outer_symbol(const SymbolDef& symbol) const {
    PLAN_CHECK(outer_ != nullptr, "source: only bodies read slots of an enclosing plan");
    const size_t outer_slots = outer_->plan.symbols.size() + outer_->plan.program.size();
    check_slot(symbol.index, "index", outer_slots);
    const auto index = static_cast<size_t>(symbol.index);
    const bool is_float =
        index < outer_->plan.symbols.size() && outer_->plan.symbols[index].is_float;
    PLAN_CHECK(symbol.is_float == is_float, "is_float differs from the enclosing plan's slot {}",
               index);
    PLAN_CHECK(outer_->schedule.slot_stage(symbol.index) < outer_->step,
               "slot {} of the enclosing plan is not known yet at step {}", index, outer_->step);
  }

  void check_instruction(size_t i) const {
    const DimInstruction& instruction = plan_.program[i];
    PLAN_CHECK(instruction.op <= DimOp::broadcast, "op: {} is unknown",
               static_cast<int>(instruction.op));
    if (instruction.op == DimOp::constant) {
      PLAN_CHECK(instruction.a == none && instruction.b == none, "a constant has no operands");
      return;
    }
    const size_t limit = plan_.symbols.size() + i;
    check_slot(instruction.a, "a", limit);
    check_slot(instruction.b, "b", limit);
    PLAN_CHECK(!is_float_symbol(instruction.a), "a: slot {} is a float", instruction.a);
    if (instruction.op == DimOp::scaled) {
      const auto b = static_cast<size_t>(instruction.b);
      PLAN_CHECK(is_float_symbol(instruction.b) ||
                     (b >= plan_.symbols.size() &&
                      plan_.program[b - plan_.symbols.size()].op == DimOp::constant),
                 "b: slot {} is no scale", instruction.b);
    } else {
      PLAN_CHECK(!is_float_symbol(instruction.b), "b: slot {} is a float", instruction.b);
    }
  }

  void check_check(const Check& check) const {
    PLAN_CHECK(check.relation <= Relation::equal_or_one, "relation: {} is unknown",
               static_cast<int>(check.relation));
    check_slot(check.a, "a", slots());
    check_slot(check.b, "b", slots());
    check_text(check.message, "message");
  }

  void check_value(const ValueDef& value) const {
    check_text(value.name, "name");
    // Sequences and optionals have no element type of their own.
    const bool may_lack = value.storage == Storage::host && value.dtype == DType::undefined;
    PLAN_CHECK(may_lack || known_dtype(value.dtype), "dtype: {} is unknown",
               static_cast<int>(value.dtype));
    PLAN_CHECK(value.storage <= Storage::host, "storage: {} is unknown",
               static_cast<int>(value.storage));
    PLAN_CHECK(value.dtype != DType::string || value.storage == Storage::host,
               "storage: strings are host values");
    PLAN_CHECK(value.dims.size() <= max_rank, "dims: rank {} is above {}", value.dims.size(),
               max_rank);
    for (const int32_t slot : value.dims) check_size_slot(slot, "dims");
    if (value.offset != none) check_size_slot(value.offset, "offset");
    if (value.bytes != none) check_size_slot(value.bytes, "bytes");
    PLAN_CHECK(value.offset == none || value.storage == Storage::alias,
               "offset: only aliases have one");
    PLAN_CHECK(value.elements.empty() || value.storage == Storage::dims,
               "elements: only dims values have them");
    for (const int32_t slot : value.elements) check_slot(slot, "elements", slots());
    const auto rank = static_cast<int32_t>(value.dims.size());
    PLAN_CHECK(value.block_axis >= -1 && value.block_axis < rank && value.block >= 0 &&
                   value.block <= 4096 && (value.block_axis < 0 || value.block > 0),
               "block_axis {} with block {} is no layout of {} dims", value.block_axis, value.block,
               rank);
    PLAN_CHECK(!value.channels_last || (value.block_axis < 0 && rank >= 3),
               "channels_last does not fit rank {} or a blocked layout", rank);
    PLAN_CHECK(value.upper_bytes >= 0, "upper_bytes: {} is negative", value.upper_bytes);
    PLAN_CHECK(value.ranked || (value.dims.empty() && value.bytes == none && value.block_axis < 0),
               "ranked: a value of unknown rank has no dims, bytes or layout");
  }

  void check_storage(size_t i) const {
    const ValueDef& value = plan_.values[i];
    const auto own = static_cast<int32_t>(i);
    const auto index = static_cast<size_t>(value.index);
    switch (value.storage) {
      case Storage::arena:
      case Storage::host: break;
      case Storage::weight:
        PLAN_CHECK(value.index >= 0 && index < weights_.size(),
                   "index: the engine has no weight {}", value.index);
        PLAN_CHECK(weights_[index].dtype == value.dtype, "dtype: {} but weight {} is {}",
                   name(value.dtype), index, name(weights_[index].dtype));
        break;
      case Storage::input:
        PLAN_CHECK(value.index >= 0 && index < plan_.inputs.size() && plan_.inputs[index] == own,
                   "index: it is not input {} of the plan", value.index);
        break;
      case Storage::output:
        PLAN_CHECK(value.index >= 0 && index < plan_.outputs.size() && plan_.outputs[index] == own,
                   "index: it is not output {} of the plan", value.index);
        break;
      case Storage::dims:
        PLAN_CHECK(
            value.dtype == DType::i64 || value.dtype == DType::i32 || value.dtype == DType::f32,
            "dtype: {} cannot hold sizes", name(value.dtype));
        PLAN_CHECK(value.block_axis < 0 && !value.channels_last, "a dims value has no layout");
        break;
      case Storage::alias: check_alias(i); break;
    }
    const bool may_be_unranked = value.storage != Storage::weight &&
                                 value.storage != Storage::dims && value.storage != Storage::alias;
    PLAN_CHECK(value.ranked || may_be_unranked, "ranked: this storage needs a known rank");
  }

  void check_alias(size_t i) const {
    const ValueDef* value = &plan_.values[i];
    for (int depth = 0; value->storage == Storage::alias; ++depth) {
      PLAN_CHECK(depth < max_alias_depth, "index: the chain of aliases has no end");
      check_value_index(value->index, "index");
      value = &value_at(value->index);
    }
    PLAN_CHECK(value->storage != Storage::host, "index: host values cannot be aliased");
  }

  void check_range(const Range& range, std::string_view field, DType dtype) const {
    PLAN_CHECK(range.min.size() == range.opt.size() && range.min.size() == range.max.size(),
               "{}: min, opt and max differ in length", field);
    for (size_t i = 0; i < range.min.size(); ++i) {
      const bool ordered = dtype == DType::f32
                               ? std::bit_cast<float>(static_cast<uint32_t>(range.min[i])) <=
                                     std::bit_cast<float>(static_cast<uint32_t>(range.max[i]))
                               : range.min[i] <= range.opt[i] && range.opt[i] <= range.max[i];
      PLAN_CHECK(ordered, "{}: entry {} is not min <= opt <= max", field, i);
    }
  }

  void check_bindings() const {
    const size_t count = plan_.inputs.size();
    for (size_t i = 0; i < count; ++i) {
      check_value_index(plan_.inputs[i], "inputs");
      const ValueDef& value = value_at(plan_.inputs[i]);
      PLAN_CHECK(value.storage == Storage::host ||
                     (value.storage == Storage::input && value.index == static_cast<int32_t>(i)),
                 "inputs: value {} is not stored as input {}", plan_.inputs[i], i);
      PLAN_CHECK(value.block_axis < 0 && !value.channels_last, "inputs: input {} is not row-major",
                 i);
    }
    std::vector<int32_t> sorted = plan_.inputs;
    std::sort(sorted.begin(), sorted.end());
    PLAN_CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(),
               "inputs: one value is two inputs");
    for (const int32_t output : plan_.outputs) {
      check_value_index(output, "outputs");
      const ValueDef& value = value_at(output);
      PLAN_CHECK(value.block_axis < 0 && !value.channels_last, "outputs: value {} is not row-major",
                 output);
    }
    if (depth_ > 0 && plan_.ranges.empty() && plan_.value_ranges.empty()) return;
    PLAN_CHECK(plan_.ranges.size() == count && plan_.value_ranges.size() == count,
               "ranges: there must be one for each of the {} inputs", count);
    for (size_t i = 0; i < count; ++i) {
      const ValueDef& value = value_at(plan_.inputs[i]);
      check_range(plan_.ranges[i], "ranges", DType::i64);
      check_range(plan_.value_ranges[i], "value_ranges", value.dtype);
      PLAN_CHECK(plan_.value_ranges[i].min.empty() || holds_sizes(value.dtype),
                 "value_ranges: input {} is {}, which holds no sizes", i, name(value.dtype));
      PLAN_CHECK(value.storage == Storage::host || plan_.ranges[i].min.size() == value.dims.size(),
                 "ranges: input {} has {} dims, its range {}", i, value.dims.size(),
                 plan_.ranges[i].min.size());
    }
  }

  void check_step_indices(size_t i) const {
    const Step& step = plan_.steps[i];
    PLAN_CHECK(!step.family.empty(), "family: empty");
    check_text(step.family, "family");
    check_text(step.tactic, "tactic");
    check_text(step.op, "op");
    for (const int32_t value : step.inputs)
      if (value != none) check_value_index(value, "inputs");
    for (const int32_t value : step.outputs)
      if (value != none) check_value_index(value, "outputs");
    for (const int32_t body : step.bodies)
      PLAN_CHECK(body >= 0 && static_cast<size_t>(body) < plan_.bodies.size(),
                 "bodies: the plan has no body {}", body);
    if (step.scratch != none) check_size_slot(step.scratch, "scratch");
    PLAN_CHECK(step.sizes.size() <= max_step_sizes, "sizes: {} are too many", step.sizes.size());
    for (const int32_t slot : step.sizes) check_slot(slot, "sizes", slots());
    for (const int32_t index : step.code)
      PLAN_CHECK(index >= 0 && static_cast<size_t>(index) < code_,
                 "code: entry {} is not one of the engine's {}", index, code_);
    PLAN_CHECK(step.scratch_upper >= 0, "scratch_upper: {} is negative", step.scratch_upper);
    for (size_t d = 0; d < step.defines.size(); ++d) check_define(i, d);
  }

  void check_define(size_t i, size_t d) const {
    const Step& step = plan_.steps[i];
    const Define& define = step.defines[d];
    PLAN_CHECK(define.symbol >= 0 && static_cast<size_t>(define.symbol) < plan_.symbols.size(),
               "defines[{}].symbol: slot {} is no symbol", d, define.symbol);
    const SymbolDef& symbol = plan_.symbols[static_cast<size_t>(define.symbol)];
    PLAN_CHECK(symbol.source == SymbolSource::step && symbol.index == static_cast<int32_t>(i) &&
                   symbol.element == static_cast<int32_t>(d),
               "defines[{}].symbol: \"{}\" is defined elsewhere", d, symbol.name);
    PLAN_CHECK(
        define.output >= 0 && define.axis >= 0 && static_cast<size_t>(define.axis) < max_rank,
        "defines[{}]: output {} or axis {} is no index", d, define.output, define.axis);
    const auto output = static_cast<size_t>(define.output);
    if (output >= step.outputs.size() || step.outputs[output] == none) return;
    const ValueDef& value = value_at(step.outputs[output]);
    PLAN_CHECK(
        value.storage == Storage::host || static_cast<size_t>(define.axis) < value.dims.size(),
        "defines[{}].axis: output {} has no dim {}", d, define.output, define.axis);
  }

  // Slots whose value no input can change. Symbols with equal bounds count: set_symbol checks them.
  void fold_constants() {
    constants_.assign(slots(), std::nullopt);
    const size_t symbols = plan_.symbols.size();
    for (size_t i = 0; i < symbols; ++i)
      if (!plan_.symbols[i].is_float && plan_.symbols[i].lower == plan_.symbols[i].upper)
        constants_[i] = plan_.symbols[i].lower;
    each("dim instruction", plan_.program.size(), [&](size_t i) {
      const DimInstruction& in = plan_.program[i];
      if (in.op == DimOp::constant) {
        constants_[symbols + i] = in.constant;
        return;
      }
      const auto a = constants_[static_cast<size_t>(in.a)];
      const auto b = constants_[static_cast<size_t>(in.b)];
      if (!a || !b) return;
      constants_[symbols + i] = as_engine_error([&] { return apply(in.op, *a, *b); });
    });
  }

  std::optional<int64_t> constant(int32_t slot) const {
    return slot == none ? std::nullopt : constants_[static_cast<size_t>(slot)];
  }

  // Bytes where all dims are constant.
  std::optional<uint64_t> constant_bytes(const ValueDef& value) const {
    if (!value.ranked) return std::nullopt;
    std::vector<int64_t> dims;
    for (const int32_t slot : value.dims) {
      const auto dim = constant(slot);
      if (!dim) return std::nullopt;
      dims.push_back(*dim);
    }
    return as_engine_error([&] { return layout_bytes(value, dims); });
  }

  void check_sizes(size_t i) const {
    const ValueDef& value = plan_.values[i];
    const auto bytes = constant_bytes(value);
    const auto said = constant(value.bytes);
    if (bytes && said)
      PLAN_CHECK(*said >= 0 && static_cast<uint64_t>(*said) >= *bytes,
                 "bytes: {} but its dims need {}", *said, *bytes);
    if (bytes && value.storage == Storage::arena)
      PLAN_CHECK(
          value.upper_bytes == unbounded || *bytes <= static_cast<uint64_t>(value.upper_bytes),
          "upper_bytes: {} but its dims need {}", value.upper_bytes, *bytes);
    if (value.storage == Storage::weight) check_weight(value, bytes);
    if (value.storage == Storage::dims) {
      const auto expected = value.elements.size() * (value.dtype == DType::i64 ? 8U : 4U);
      PLAN_CHECK(bytes && *bytes == expected, "elements: {} do not fill the dims",
                 value.elements.size());
      for (const int32_t slot : value.elements)
        PLAN_CHECK(value.dtype == DType::f32 || !is_float_symbol(slot),
                   "elements: slot {} is a float", slot);
    }
    if (value.storage != Storage::alias) return;
    const auto base = constant_bytes(value_at(value.index));
    const auto offset = value.offset == none ? std::optional<int64_t>(0) : constant(value.offset);
    if (base && offset && bytes)
      PLAN_CHECK(
          *offset >= 0 && *bytes <= *base && static_cast<uint64_t>(*offset) <= *base - *bytes,
          "offset: {} bytes at {} do not lie inside value {} of {} bytes", *bytes, *offset,
          value.index, *base);
  }

  void check_weight(const ValueDef& value, std::optional<uint64_t> bytes) const {
    const Weight& weight = weights_[static_cast<size_t>(value.index)];
    PLAN_CHECK(bytes && *bytes <= weight.bytes,
               "dims: they must be constant and fit into weight {} of {} bytes", value.index,
               weight.bytes);
    const auto said = constant(value.bytes);
    PLAN_CHECK(value.bytes == none || (said && static_cast<uint64_t>(*said) <= weight.bytes),
               "bytes: more than weight {} has", value.index);
  }

  void check_input_stages() const {
    for (const int32_t input : plan_.inputs)
      PLAN_CHECK(schedule_->value_stage(input) == at_start, "inputs: value {} waits for a step",
                 input);
  }

  void check_strings(size_t i) const {
    const StringConstant& constant = plan_.strings[i];
    check_value_index(constant.value, "value");
    const ValueDef& value = value_at(constant.value);
    PLAN_CHECK(value.storage == Storage::host && value.dtype == DType::string,
               "value: {} holds no strings", constant.value);
    validate_strings(constant.dims, constant.strings.size());
  }

  void check_bodies() const {
    std::vector<int32_t> first_use(plan_.bodies.size(), INT32_MAX);
    for (size_t s = 0; s < plan_.steps.size(); ++s)
      for (const int32_t body : plan_.steps[s].bodies) {
        int32_t& first = first_use[static_cast<size_t>(body)];
        first = std::min(first, static_cast<int32_t>(s));
      }
    each("body", plan_.bodies.size(), [&](size_t b) {
      const Outer outer{plan_, *schedule_, first_use[b]};
      Validator(plan_.bodies[b], weights_, code_, &outer, depth_ + 1).run();
    });
  }

  const Plan& plan_;
  std::span<const Weight> weights_;
  size_t code_;
  const Outer* outer_;
  int depth_;
  std::optional<DimSchedule> schedule_;
  std::vector<std::optional<int64_t>> constants_;
};

}  // namespace

void validate_strings(std::span<const int64_t> dims, size_t count) {
  PLAN_CHECK(dims.size() <= max_rank, "dims: rank {} is above {}", dims.size(), max_rank);
  uint64_t elements = 1;
  bool fits = true;
  for (const int64_t dim : dims)
    fits = fits && dim >= 0 &&
           !__builtin_mul_overflow(elements, static_cast<uint64_t>(dim), &elements);
  PLAN_CHECK(fits && elements == count, "dims: [{}] is not the shape of {} strings",
             fmt::join(dims, ", "), count);
}

void validate_plan(const Plan& plan, std::span<const Weight> weights, std::string_view name,
                   size_t code) {
  with_context([&] { return std::string(name); },
               [&] { Validator(plan, weights, code, nullptr, 0).run(); });
}

}  // namespace tenrec::plan
