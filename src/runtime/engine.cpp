// SPDX-License-Identifier: Apache-2.0
#include "tenrec/engine.h"

#include <bit>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory_guard.h"
#include "runtime/engine_impl.h"
#include "runtime/respecialise.h"

namespace tenrec {
namespace {

int64_t parse_fixed(const std::string& label) {
  if (label.empty() || label.size() > 18) return -1;
  int64_t value = 0;
  for (const char c : label) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::vector<TensorInfo> describe(const std::vector<plan::Binding>& bindings) {
  std::vector<TensorInfo> infos;
  for (const plan::Binding& binding : bindings) {
    TensorInfo info{binding.name, binding.dtype,          binding.ranked, {},
                    binding.dims, binding.is_shape_input, binding.is_host};
    for (const std::string& label : binding.dims) info.dims.push_back(parse_fixed(label));
    infos.push_back(std::move(info));
  }
  return infos;
}

double as_number(int64_t value, DType dtype) {
  if (dtype == DType::f32) return std::bit_cast<float>(static_cast<uint32_t>(value));
  return static_cast<double>(value);
}

}  // namespace

std::vector<InputRange> describe_ranges(const plan::Plan& plan, const plan::Io& io) {
  std::vector<InputRange> ranges;
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    const plan::Range& dims = plan.ranges[i];
    InputRange range{io.inputs[i].name, dims.min, dims.opt, dims.max, {}, {}, {}};
    for (int64_t& max : range.max)
      if (max == plan::unbounded) max = -1;
    const plan::Range& values = plan.value_ranges[i];
    for (size_t k = 0; k < values.min.size(); ++k) {
      range.value_min.push_back(as_number(values.min[k], io.inputs[i].dtype));
      range.value_opt.push_back(as_number(values.opt[k], io.inputs[i].dtype));
      range.value_max.push_back(as_number(values.max[k], io.inputs[i].dtype));
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

namespace {

// Slots that are the same in every run; -1 for the others.
std::vector<int64_t> fixed_slots(const plan::Plan& plan) {
  std::vector<int64_t> slots;
  for (const plan::SymbolDef& symbol : plan.symbols)
    slots.push_back(symbol.lower == symbol.upper && !symbol.is_float ? symbol.lower : -1);
  for (const plan::DimInstruction& instruction : plan.program) {
    const auto at = [&](int32_t slot) { return slot < 0 ? 0 : slots[static_cast<size_t>(slot)]; };
    const bool is_constant = instruction.op == plan::DimOp::constant;
    const bool is_fixed =
        at(instruction.a) >= 0 && at(instruction.b) >= 0 && instruction.op != plan::DimOp::scaled;
    slots.push_back(is_constant ? instruction.constant
                    : is_fixed  ? plan::apply(instruction.op, at(instruction.a), at(instruction.b))
                                : -1);
  }
  return slots;
}

std::string layout_text(const plan::ValueDef& value) {
  if (value.channels_last) return "channels last";
  if (value.block_axis < 0) return "row-major";
  return fmt::format("blocked by {} on axis {}", value.block, value.block_axis);
}

StepValue describe(const plan::Plan& plan, int32_t index, const std::vector<int64_t>& slots) {
  const plan::ValueDef& value = plan.values[static_cast<size_t>(index)];
  StepValue info{
      value.name, value.dtype, {}, layout_text(value), value.storage == plan::Storage::weight};
  for (const int32_t slot : value.dims) info.dims.push_back(slots[static_cast<size_t>(slot)]);
  return info;
}

}  // namespace

const plan::Plan& Engine::Impl::plan(int profile) const {
  TENREC_CHECK(profile >= 0 && static_cast<size_t>(profile) < file.plans.size(), usage,
               "the engine has {} profiles, no profile {}", file.plans.size(), profile);
  return file.plans[static_cast<size_t>(profile)];
}

Engine::Impl::Impl(plan::EngineFile engine_file, const LoadOptions& load_options,
                   std::shared_ptr<Device> opened)
    : file(std::move(engine_file)),
      options(load_options),
      budget(std::make_shared<MemoryBudget>(load_options.memory_limit)) {
  device = make_counting_device(std::move(opened), budget);
  weights = device->upload(file.weight_bytes, file.owner);
  plans.reserve(file.plans.size());
  for (const plan::Plan& plan : file.plans) {
    plans.emplace_back(plan);
    profiles.push_back(describe_ranges(plan, file.io));
  }
  inputs = describe(file.io.inputs);
  outputs = describe(file.io.outputs);
}

namespace {

std::shared_ptr<Device> open_for(const plan::EngineFile& file, const LoadOptions& options,
                                 int threads) {
  return open_device(file.meta.target,
                     {threads, options.device, options.memory_limit, file.meta.device});
}

Respecialiser& respecialiser() {
  static Respecialiser& one = *new Respecialiser;
  return one;
}

// The engine for the device that is here, which is another than it was made for.
plan::EngineFile respecialised(const plan::EngineFile& file, const LoadOptions& options,
                               const WrongDevice& wrong) {
  TENREC_CHECK(!file.graph.text.empty(), invalid_engine,
               "{} (it was built lean: without the graph it cannot be made again here)",
               wrong.what());
  TENREC_CHECK(respecialiser(), invalid_engine, "{} (there is no builder here)", wrong.what());
  const auto bytes = std::make_shared<const std::vector<std::byte>>(respecialiser()(file, options));
  plan::EngineFile made = plan::EngineFile::read(*bytes, bytes);
  made.meta.notes.push_back(
      fmt::format("made for \"{}\" and built again, untuned, for \"{}\": build the model here for "
                  "all the speed",
                  file.meta.device, made.meta.device));
  return made;
}

// `whole`: the engine that has the graph, where `file` lies in it.
std::shared_ptr<const Engine::Impl> open_one(plan::EngineFile file, const LoadOptions& options,
                                             const plan::EngineFile* whole = nullptr) {
  std::shared_ptr<Device> device;
  try {
    device = open_for(file, options, options.threads);
  } catch (const WrongDevice& wrong) {
    plan::Meta meta = std::move(file.meta);
    if (whole) file = *whole;
    file.meta = std::move(meta);
    file = respecialised(file, options, wrong);
    log(LogLevel::warning, "{}", file.meta.notes.back());
    device = open_for(file, options, options.threads);
  }
  return std::make_shared<const Engine::Impl>(std::move(file), options, std::move(device));
}

// The engine inside `file` for its next target. It has no graph of its own.
plan::EngineFile other_of(const plan::EngineFile& file, size_t index, const Error& missing) {
  plan::EngineFile other = file.other(index);
  other.image = file.image;  // saving keeps all targets
  other.meta.notes.push_back(fmt::format("made for {} and {}; {} runs: {}", file.meta.target,
                                         other.meta.target, other.meta.target, missing.what()));
  log(LogLevel::warning, "{}", other.meta.notes.back());
  return other;
}

// The first of the engine's targets whose device is here. A device that was asked for by its number
// is not replaced.
std::shared_ptr<const Engine::Impl> make_impl(plan::EngineFile file, const LoadOptions& options) {
  if (file.others.empty()) return open_one(std::move(file), options);
  const plan::EngineFile whole = file;
  for (size_t next = 0;; ++next) {
    try {
      return open_one(std::move(file), options, &whole);
    } catch (const Error& error) {
      const bool may_replace = error.code() == ErrorCode::device && options.device == 0;
      if (!may_replace || next >= whole.others.size()) throw;
      file = other_of(whole, next, error);
    }
  }
}

}  // namespace

void register_respecialiser(Respecialiser made) { respecialiser() = std::move(made); }

std::shared_ptr<Device> Engine::Impl::open(int threads) const {
  return make_counting_device(open_for(file, options, threads), budget);
}

Engine Engine::load(const std::string& path, const LoadOptions& options) {
  return memory_guarded([&] {
    plan::EngineFile file = plan::EngineFile::open(path);
    return with_context([&] { return fmt::format("loading engine \"{}\"", path); },
                        [&] { return Engine(make_impl(std::move(file), options)); });
  });
}

Engine Engine::from_bytes(std::vector<std::byte> bytes, const LoadOptions& options) {
  return memory_guarded([&] {
    return from_bytes(std::make_shared<const std::vector<std::byte>>(std::move(bytes)), options);
  });
}

Engine Engine::from_bytes(std::shared_ptr<const std::vector<std::byte>> bytes,
                          const LoadOptions& options) {
  TENREC_CHECK(bytes != nullptr, usage, "Engine::from_bytes: there are no bytes");
  return memory_guarded([&] {
    return with_context(
        [] { return "loading an engine from memory"; },
        [&] { return Engine(make_impl(plan::EngineFile::read(*bytes, bytes), options)); });
  });
}

void Engine::save(const std::string& path) const {
  memory_guarded([&] {
    with_context([&] { return fmt::format("saving engine \"{}\"", path); },
                 [&] { write_file_atomic(path, impl_->file.image); });
  });
}

const std::vector<TensorInfo>& Engine::inputs() const { return impl_->inputs; }
const std::vector<TensorInfo>& Engine::outputs() const { return impl_->outputs; }
const std::vector<std::vector<InputRange>>& Engine::profiles() const { return impl_->profiles; }
const std::string& Engine::target() const { return impl_->file.meta.target; }
const std::vector<std::string>& Engine::notes() const { return impl_->file.meta.notes; }
const std::string& Engine::name() const { return impl_->file.meta.model_name; }
const std::string& Engine::device() const { return impl_->file.meta.device; }
bool Engine::host_memory() const { return impl_->device->host_memory(); }
std::span<const std::byte> Engine::bytes() const { return impl_->file.image; }

std::vector<StepInfo> Engine::steps(int profile) const {
  const plan::Plan& plan = impl_->plan(profile);
  const std::vector<int64_t> slots = fixed_slots(plan);
  std::vector<StepInfo> steps;
  for (const plan::Step& step : plan.steps) {
    StepInfo& info = steps.emplace_back();
    info = {step.origins, step.op, step.family, step.tactic, {}, {}};
    for (const int32_t value : step.inputs)
      if (value != plan::none) info.inputs.push_back(describe(plan, value, slots));
    for (const int32_t value : step.outputs)
      if (value != plan::none) info.outputs.push_back(describe(plan, value, slots));
  }
  return steps;
}

MemoryReport Engine::memory(int profile) const {
  const plan::Plan& plan = impl_->plan(profile);
  MemoryReport report;
  report.weights = impl_->file.weight_bytes.size();
  report.activations = static_cast<uint64_t>(std::max<int64_t>(plan.arena_bytes, 0));
  for (const plan::Step& step : plan.steps)
    if (step.scratch_offset >= 0)
      report.scratch = std::max(report.scratch, static_cast<uint64_t>(step.scratch_upper));
  for (const int32_t output : plan.outputs) {
    const plan::ValueDef& value = plan.values[static_cast<size_t>(output)];
    if (value.storage == plan::Storage::output && value.upper_bytes != plan::unbounded)
      report.outputs += static_cast<uint64_t>(value.upper_bytes);
  }
  return report;
}

}  // namespace tenrec
