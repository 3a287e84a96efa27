// SPDX-License-Identifier: Apache-2.0
// From inputs to sized and placed values. Nothing here allocates when sizes are those of the run
// before, nor in a bounded plan once its outputs were largest.
#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "runtime/executor.h"

namespace tenrec {

using plan::at_start;
using plan::Storage;
using plan::SymbolSource;

namespace {

// What views of empty tensors point to: a null pointer would say "not there".
alignas(64) std::byte empty_tensor[64];

uint64_t alignment_of(DType dtype) {
  const int bits = std::min(bit_width(dtype), 64);
  return bits <= 8 ? 1 : static_cast<uint64_t>(bits) / 8;
}

bool misaligned(const std::byte* data, DType dtype, const Device& device) {
  return reinterpret_cast<uintptr_t>(data) %
             std::max(alignment_of(dtype), device.binding_alignment()) !=
         0;
}

bool ranges_overlap(const std::byte* a, uint64_t a_bytes, const std::byte* b, uint64_t b_bytes) {
  return a_bytes > 0 && b_bytes > 0 && a < b + b_bytes && b < a + a_bytes;
}

template <class T>
int64_t read_as(const std::byte* data, size_t element) {
  T value{};
  std::memcpy(&value, data + element * sizeof(T), sizeof(T));
  if constexpr (std::is_same_v<T, float>) return std::bit_cast<uint32_t>(value);
  else return static_cast<int64_t>(value);
}

int64_t read_integer(DType dtype, const std::byte* data, size_t element) {
  switch (dtype) {
    case DType::i64: return read_as<int64_t>(data, element);
    case DType::i32: return read_as<int32_t>(data, element);
    case DType::i16: return read_as<int16_t>(data, element);
    case DType::i8: return read_as<int8_t>(data, element);
    case DType::u64: return read_as<uint64_t>(data, element);
    case DType::u32: return read_as<uint32_t>(data, element);
    case DType::u16: return read_as<uint16_t>(data, element);
    case DType::u8:
    case DType::boolean: return read_as<uint8_t>(data, element);
    case DType::f32: return read_as<float>(data, element);
    default: fail(ErrorCode::internal, "sizes cannot be read from {}", name(dtype));
  }
}

constexpr std::string_view shared_memory =
    "an input and an output share the caller's memory; give the output memory of its own";

}  // namespace

void Executor::bind() {
  stage_inputs();
  choose_output_buffers();
  const bool changed = read_start_symbols();
  const bool loose_changed = update_loose_inputs();
  if (!is_sized_ || changed) {
    is_sized_ = false;
    for (size_t i = 0; i < info_.start_symbols.size(); ++i)
      slots_.set_symbol(info_.start_symbols[i], start_values_[i]);
    slots_.evaluate(at_start);
    check_inputs();
    for (const int32_t value : start_values()) size_value(value);
    place(at_start);
    is_sized_ = true;
  } else {
    check_inputs();
    if (loose_changed)
      for (const int32_t value : start_values()) size_value(value);
  }
  locate_start_values();
  has_run_ = true;
}

std::span<const int32_t> Executor::start_values() const {
  return has_run_ ? std::span<const int32_t>(info_.start_values) : info_.schedule.values(at_start);
}

// Inputs are used where they lie, unless they lie in memory that this run writes to, on the wrong
// side, or crookedly.
void Executor::stage_inputs() {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const InputBinding& input = inputs_[i];
    const int32_t value = info_.plan.inputs[i];
    if (def(value).storage == Storage::host) {
      data_[static_cast<size_t>(value)] = input.datum;
      continue;
    }
    const bool elsewhere = !device_->host_memory() && !input.on_device;
    input_data_[i] = const_cast<std::byte*>(input.data);  // no step writes inputs (validate)
    if (input.bytes == 0) {
      input_data_[i] = empty_tensor;
      continue;
    }
    if (!elsewhere && !owns(input.data, input.bytes) &&
        !misaligned(input.data, def(value).dtype, *device_))
      continue;
    std::unique_ptr<DeviceMemory>& staging = staging_[i];
    if (!staging || staging->bytes < input.bytes) {
      staging.reset();
      staging = device_->allocate(input.bytes, "a copy of an input");
    }
    if (elsewhere) device_->copy_from_host(staging->data, input.data, input.bytes);
    else device_->copy(staging->data, input.data, input.bytes);
    input_data_[i] = staging->data;
  }
}

bool Executor::is_read(const void* data, uint64_t bytes) const {
  for (const InputBinding& input : inputs_)
    if (ranges_overlap(input.data, input.bytes, static_cast<const std::byte*>(data), bytes))
      return true;
  return false;
}

// An output of the last run may be an input of this one: then this run writes to the other buffer.
void Executor::choose_output_buffers() {
  for (Output& output : outputs_) {
    output.copied_to = nullptr;
    if (output.caller.data != nullptr) {
      TENREC_CHECK(!is_read(output.caller.data, output.caller.bytes), invalid_input, "{}",
                   shared_memory);
      continue;
    }
    const DeviceMemory* current = output.owned[output.current].get();
    if (!current || !is_read(current->data, current->bytes)) continue;
    output.current ^= 1;
    const DeviceMemory* other = output.owned[output.current].get();
    TENREC_CHECK(
        !other || !is_read(other->data, other->bytes), invalid_input,
        "inputs lie in both buffers of an output; only the last run's outputs may be fed back");
  }
}

// True if any differs from the last evaluation.
bool Executor::read_start_symbols() {
  bool changed = false;
  for (size_t i = 0; i < info_.start_symbols.size(); ++i) {
    const int64_t value =
        read_symbol(info_.plan.symbols[static_cast<size_t>(info_.start_symbols[i])]);
    changed |= start_values_[i] != value;
    start_values_[i] = value;
  }
  if (changed) is_sized_ = false;
  return changed;
}

int64_t Executor::read_symbol(const plan::SymbolDef& symbol) const {
  const auto index = static_cast<size_t>(symbol.index);
  const auto element = static_cast<size_t>(symbol.element);
  if (symbol.source == SymbolSource::outer) return outer_[index];
  if (symbol.source == SymbolSource::input_value) return read_element(symbol);
  const InputBinding& input = inputs_[index];
  const std::span<const int64_t> dims = def(info_.plan.inputs[index]).storage == Storage::host
                                            ? input.datum.tensor.dims()
                                            : input.dims;
  TENREC_CHECK(element < dims.size(), invalid_input,
               "input {} has {} dims; the model needs at least {}", index, dims.size(),
               element + 1);
  return dims[element];
}

int64_t Executor::read_element(const plan::SymbolDef& symbol) const {
  const InputBinding& input = inputs_[static_cast<size_t>(symbol.index)];
  const DType dtype = def(info_.plan.inputs[static_cast<size_t>(symbol.index)]).dtype;
  const auto element = static_cast<uint64_t>(symbol.element);
  const uint64_t size = byte_size(dtype, 1);
  TENREC_CHECK(size <= input.bytes && element <= input.bytes / size - 1, invalid_input,
               "input {} decides sizes by its element {}, but has only {} bytes", symbol.index,
               element, input.bytes);
  if (!input.on_device || device_->host_memory()) return read_integer(dtype, input.data, element);
  std::byte copy[8];
  device_->copy_to_host(copy, input.data + element * size, size);
  return read_integer(dtype, copy, 0);
}

void Executor::check_inputs() const {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const plan::ValueDef& value = def(info_.plan.inputs[i]);
    if (value.storage == Storage::host || !value.ranked) continue;
    const std::span<const int64_t> dims = inputs_[i].dims;
    TENREC_CHECK(dims.size() == value.dims.size(), invalid_input,
                 "input \"{}\" has {} dims; the model needs {}", value.name, dims.size(),
                 value.dims.size());
    for (size_t axis = 0; axis < dims.size(); ++axis)
      TENREC_CHECK(dims[axis] == slots_[value.dims[axis]], invalid_input,
                   "input \"{}\": dim {} is {}; the model needs {} there", value.name, axis,
                   dims[axis], slots_[value.dims[axis]]);
  }
}

// Inputs of unknown rank have no symbols that would tell of a change.
bool Executor::update_loose_inputs() {
  bool changed = false;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const int32_t value = info_.plan.inputs[i];
    if (def(value).ranked || def(value).storage == Storage::host) continue;
    const std::vector<int64_t>& known = loose_dims_[static_cast<size_t>(value)];
    changed |=
        !std::equal(known.begin(), known.end(), inputs_[i].dims.begin(), inputs_[i].dims.end());
  }
  return changed;
}

void Executor::size_value(int32_t value) {
  const plan::ValueDef& d = def(value);
  ValueState& s = state(value);
  if (!d.ranked) {  // an input; others are sized by their step
    if (d.storage == Storage::input) {
      update_dims(value, inputs_[static_cast<size_t>(d.index)].dims);
      s.bytes = plan::layout_bytes(d, s.dims);
    }
    return;
  }
  new_dims_.clear();
  for (const int32_t slot : d.dims) new_dims_.push_back(slots_[slot]);
  update_dims(value, new_dims_);
  const uint64_t needed = plan::layout_bytes(d, s.dims);
  uint64_t bytes = needed;
  if (d.bytes != plan::none && d.storage != Storage::host) {
    const int64_t said = slots_[d.bytes];
    TENREC_CHECK(said >= 0 && static_cast<uint64_t>(said) >= needed, invalid_engine,
                 "value \"{}\" has {} bytes by its plan but needs {}; rebuild the engine", d.name,
                 said, needed);
    bytes = static_cast<uint64_t>(said);
  }
  TENREC_CHECK(d.storage != Storage::arena || d.arena_offset < 0 ||
                   bytes <= static_cast<uint64_t>(d.upper_bytes),
               invalid_engine, "value \"{}\" needs {} bytes, its place has {}; rebuild the engine",
               d.name, bytes, d.upper_bytes);
  s.bytes = bytes;
  if (d.storage == Storage::dims) fill_words(value);
}

void Executor::update_dims(int32_t value, std::span<const int64_t> dims) {
  ValueState& s = state(value);
  if (std::equal(s.dims.begin(), s.dims.end(), dims.begin(), dims.end())) return;
  if (def(value).ranked) {
    std::copy(dims.begin(), dims.end(),
              flat_dims_.begin() +
                  static_cast<std::ptrdiff_t>(info_.dims_start[static_cast<size_t>(value)]));
  } else {
    std::vector<int64_t>& own = loose_dims_[static_cast<size_t>(value)];
    own.assign(dims.begin(), dims.end());
    s.dims = own;
    for (TensorView* view : views_of(value)) view->dims = s.dims;
  }
  mark_changed(value);
}

void Executor::mark_changed(int32_t value) {
  for (const int32_t step : info_.users[static_cast<size_t>(value)])
    needs_reshape_[static_cast<size_t>(step)] = true;
}

void Executor::fill_words(int32_t value) {
  const plan::ValueDef& d = def(value);
  auto* words =
      reinterpret_cast<std::byte*>(words_.data() + info_.words_start[static_cast<size_t>(value)]);
  bool changed = false;
  for (size_t i = 0; i < d.elements.size(); ++i) {
    const int64_t element = slots_[d.elements[i]];
    if (d.dtype == DType::i64) {
      changed |= std::memcmp(words + i * 8, &element, 8) != 0;
      std::memcpy(words + i * 8, &element, 8);
      continue;
    }
    TENREC_CHECK(d.dtype == DType::f32 || element == static_cast<int32_t>(element), invalid_input,
                 "value \"{}\": the size {} does not fit into 32 bits", d.name, element);
    const auto narrow = static_cast<uint32_t>(element);  // f32: its bits
    changed |= std::memcmp(words + i * 4, &narrow, 4) != 0;
    std::memcpy(words + i * 4, &narrow, 4);
  }
  if (changed) mark_changed(value);
}

// Places the buffers that became sized at `stage` and are not placed by the plan.
void Executor::place(int32_t stage) {
  const PlanInfo::Group& group = info_.group(stage);
  if (group.empty()) return;
  GroupState& g = groups_[static_cast<size_t>(stage + 1)];
  const size_t count = group.values.size();
  bool same = !g.offsets.empty();
  for (size_t i = 0; i < g.buffers.size(); ++i) {
    const uint64_t bytes = i < count ? state(group.values[i]).bytes : [&] {
      const plan::Step& step =
          info_.plan.steps[static_cast<size_t>(group.scratch_steps[i - count])];
      const int64_t scratch = slots_[step.scratch];
      TENREC_CHECK(scratch >= 0, invalid_engine, "scratch of {} bytes; rebuild the engine",
                   scratch);
      return static_cast<uint64_t>(scratch);
    }();
    same &= g.buffers[i].bytes == bytes;
    g.buffers[i].bytes = bytes;
  }
  if (!same) {
    g.offsets.clear();
    plan::Placement placement = plan::place(g.buffers);
    g.total = placement.total;
    g.offsets = std::move(placement.offsets);
  }
  std::byte* const memory = group_memory(stage, g, g.total);
  for (size_t i = 0; i < g.buffers.size(); ++i) {
    std::byte* const data = memory + g.offsets[i];
    if (i < count) move_to(group.values[i], data);
    else scratch_[static_cast<size_t>(group.scratch_steps[i - count])] = {data, g.buffers[i].bytes};
  }
}

std::byte* Executor::group_memory(int32_t stage, GroupState& g, uint64_t total) {
  if (total == 0) return empty_tensor;
  if (stage != at_start) {
    g.block = pool_.acquire(total);
    return pool_.data(g.block);
  }
  if (!open_arena_ || open_arena_->bytes < total) {
    open_arena_.reset();
    open_arena_ = device_->allocate(total, "intermediate values");
    ++arena_growths_;
  }
  return open_arena_->data;
}

// Sets the addresses of what is known before the first step; bases come before aliases.
void Executor::locate_start_values() {
  for (const int32_t value : start_values()) move_to(value, locate(value));
  for (size_t s = 0; s < info_.plan.steps.size(); ++s) {
    const plan::Step& step = info_.plan.steps[s];
    if (step.scratch == plan::none || step.scratch_offset < 0) continue;
    scratch_[s] = {arena_->data + step.scratch_offset, 0};  // its size is set when the step runs
  }
}

void Executor::move_to(int32_t value, std::byte* data) {
  ValueState& s = state(value);
  if (s.data == data) return;
  s.data = data;
  for (TensorView* view : views_of(value)) view->data = data;
}

std::byte* Executor::locate(int32_t value) {
  const plan::ValueDef& d = def(value);
  ValueState& s = state(value);
  const auto index = static_cast<size_t>(d.index);
  std::byte* data = nullptr;
  switch (d.storage) {
    case Storage::host: return nullptr;
    case Storage::arena: data = d.arena_offset >= 0 ? arena_->data + d.arena_offset : s.data; break;
    case Storage::weight: data = const_cast<std::byte*>(weights_) + table_[index].offset; break;
    case Storage::input: data = input_data_[index]; break;
    case Storage::output: data = output_buffer(index, s.bytes); break;
    case Storage::dims:
      data = reinterpret_cast<std::byte*>(words_.data() +
                                          info_.words_start[static_cast<size_t>(value)]);
      break;
    case Storage::alias: data = locate_alias(value); break;
  }
  return s.bytes == 0 || data == nullptr ? empty_tensor : data;
}

std::byte* Executor::locate_alias(int32_t value) {
  const plan::ValueDef& d = def(value);
  const ValueState& s = state(value);
  const ValueState& base = state(d.index);
  const int64_t offset = d.offset == plan::none ? 0 : slots_[d.offset];
  TENREC_CHECK(
      offset >= 0 && s.bytes <= base.bytes &&
          static_cast<uint64_t>(offset) <= base.bytes - s.bytes &&
          static_cast<uint64_t>(offset) % alignment_of(d.dtype) == 0,
      invalid_engine,
      "value \"{}\" ({} bytes at {}) does not lie inside \"{}\" ({} bytes); rebuild the engine",
      d.name, s.bytes, offset, def(d.index).name, base.bytes);
  return s.bytes == 0 ? empty_tensor : base.data + offset;
}

void Executor::ask_for_memory(size_t i, uint64_t bytes) {
  const int32_t value = info_.plan.outputs[i];
  MemoryRef& memory = outputs_[i].caller;
  memory = (*outputs_[i].allocator)(state(value).dims, bytes);
  TENREC_CHECK(memory.data != nullptr, out_of_memory,
               "output \"{}\": its allocator gave no memory for {} bytes", def(value).name, bytes);
  TENREC_CHECK(!is_read(memory.data, bytes), invalid_input, "{}", shared_memory);
}

std::byte* Executor::output_buffer(size_t i, uint64_t bytes) {
  Output& output = outputs_[i];
  if (output.allocator != nullptr) ask_for_memory(i, bytes);
  const bool usable =
      output.caller.data != nullptr && (device_->host_memory() || output.caller.on_device);
  if (output.caller.data != nullptr)
    TENREC_CHECK(
        bytes <= output.caller.bytes, invalid_input,
        "output \"{}\" needs {} bytes, the memory set for it has {}; give at least as many or "
        "none",
        def(info_.plan.outputs[i]).name, bytes, output.caller.bytes);
  if (usable && !misaligned(static_cast<std::byte*>(output.caller.data),
                            def(info_.plan.outputs[i]).dtype, *device_))
    return static_cast<std::byte*>(output.caller.data);
  std::unique_ptr<DeviceMemory>& owned = output.owned[output.current];
  if (!owned || owned->bytes < bytes) {
    owned.reset();
    owned = device_->allocate(bytes, "an output");
  }
  return owned->data;
}

bool Executor::owns(const std::byte* begin, uint64_t bytes) const {
  const std::byte* const end = begin + bytes;
  return overlaps(arena_.get(), begin, end) || overlaps(open_arena_.get(), begin, end) ||
         pool_.overlaps(begin, end);
}

// Slots that hang on the value of an input whose memory is not set yet.
std::vector<bool> Executor::unknown_slots() const {
  std::vector<bool> unknown(info_.plan.symbols.size() + info_.plan.program.size(), false);
  for (const int32_t slot : info_.start_symbols) {
    const plan::SymbolDef& symbol = info_.plan.symbols[static_cast<size_t>(slot)];
    if (symbol.source != plan::SymbolSource::input_value) continue;
    unknown[static_cast<size_t>(slot)] = inputs_[static_cast<size_t>(symbol.index)].data == nullptr;
  }
  for (size_t i = 0; i < info_.plan.program.size(); ++i)
    for (const int32_t operand : {info_.plan.program[i].a, info_.plan.program[i].b})
      if (operand != plan::none && unknown[static_cast<size_t>(operand)])
        unknown[info_.plan.symbols.size() + i] = true;
  return unknown;
}

std::vector<OutputSize> Executor::infer_outputs() const {
  plan::DimValues slots(info_.plan, info_.schedule);
  const std::vector<bool> unknown = unknown_slots();
  for (const int32_t slot : info_.start_symbols) {
    const plan::SymbolDef& symbol = info_.plan.symbols[static_cast<size_t>(slot)];
    slots.set_symbol(slot, unknown[static_cast<size_t>(slot)] ? symbol.lower : read_symbol(symbol));
  }
  slots.evaluate(at_start);
  std::vector<OutputSize> sizes;
  for (const int32_t value : info_.plan.outputs) {
    const plan::ValueDef& d = def(value);
    OutputSize& size = sizes.emplace_back();
    for (const int32_t slot : d.dims)
      size.dims.push_back(info_.schedule.slot_stage(slot) == at_start &&
                                  !unknown[static_cast<size_t>(slot)]
                              ? slots[slot]
                              : -1);
    if (d.storage == Storage::host || !d.ranked) continue;
    const bool is_known = std::find(size.dims.begin(), size.dims.end(), -1) == size.dims.end();
    if (is_known) size.max_bytes = static_cast<int64_t>(plan::layout_bytes(d, size.dims));
    else if (d.upper_bytes != plan::unbounded) size.max_bytes = d.upper_bytes;
  }
  return sizes;
}

}  // namespace tenrec
