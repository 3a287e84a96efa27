// SPDX-License-Identifier: Apache-2.0
#include "runtime/executor.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "plan/validate.h"
#include "runtime/segments.h"

namespace tenrec {

using plan::at_start;
using plan::Storage;

namespace {

// Smaller shapes may need a little more working memory than bigger ones (fewer rows, more bands):
// with room to spare the first run at the largest shapes allocates for all.
constexpr uint64_t least_workspace = 256 << 10;

}  // namespace

Executor::Executor(const PlanInfo& info, std::span<const plan::Weight> table,
                   std::span<const plan::KernelImage> code, std::shared_ptr<Device> device,
                   const std::byte* weights)
    : info_(info),
      table_(table),
      code_(code),
      device_(std::move(device)),
      weights_(weights),
      slots_(info.plan, info.schedule),
      pool_(*device_) {
  const plan::Plan& plan = info_.plan;
  const size_t values = plan.values.size();
  inputs_.resize(plan.inputs.size());
  staging_.resize(plan.inputs.size());
  input_data_.resize(plan.inputs.size());
  outputs_.resize(plan.outputs.size());
  start_values_.resize(info_.start_symbols.size());
  states_.resize(values);
  flat_dims_.assign(info_.dims_total, -1);  // no dim is -1: the first sizing counts as a change
  new_dims_.reserve(plan::max_rank);
  loose_dims_.resize(values);
  words_.resize(info_.words_total);
  data_.resize(values);
  for (const plan::StringConstant& constant : plan.strings)
    data_[static_cast<size_t>(constant.value)] =
        Tensor::of_strings(constant.dims, constant.strings);
  own_block_.assign(values, plan::none);
  for (size_t v = 0; v < values; ++v)
    if (plan.values[v].ranked)
      states_[v].dims =
          std::span(flat_dims_).subspan(info_.dims_start[v], plan.values[v].dims.size());
  if (plan.arena_bytes >= 0)
    arena_ = device_->allocate(
        std::max<uint64_t>(static_cast<uint64_t>(plan.arena_bytes), plan::arena_alignment),
        "intermediate values");
  groups_.resize(info_.groups.size());
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (const int32_t value : info_.groups[g].values)
      groups_[g].buffers.push_back({0, info_.live.first[static_cast<size_t>(value)],
                                    info_.live.last[static_cast<size_t>(value)]});
    for (const int32_t step : info_.groups[g].scratch_steps)
      groups_[g].buffers.push_back({0, step, step});
  }
  prepare_steps();
}

void Executor::prepare_steps() {
  const plan::Plan& plan = info_.plan;
  scratch_.resize(plan.steps.size());
  needs_reshape_.assign(plan.steps.size(), true);
  input_views_.resize(info_.inputs_start.back());
  output_views_.resize(info_.outputs_start.back());
  size_t most_outputs = 0, most_defines = 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const plan::Step& step = plan.steps[s];
    runners_.push_back(with_context([&] { return describe(s); },
                                    [&] { return device_->prepare_coded(plan, step, code_); }));
    sizes_start_.push_back(sizes_.size());
    sizes_.resize(sizes_.size() + step.sizes.size(), INT64_MIN);
    most_outputs = std::max(most_outputs, step.outputs.size());
    most_defines = std::max(most_defines, step.defines.size());
    for (const int32_t body : step.bodies)
      bodies_.push_back(std::make_unique<Executor>(info_.bodies[static_cast<size_t>(body)], table_,
                                                   code_, device_, weights_));
  }
  sizes_start_.push_back(sizes_.size());
  prepare_views();
  find_segments();
  resized_.resize(most_outputs);
  defined_.resize(most_defines);
  run_body_ = [this](size_t index, const std::vector<Datum>& inputs) {
    return run_body(index, inputs);
  };
  run_body_in_place_ = [this](size_t index, std::span<const BodyValue> inputs) {
    return run_body_in_place(index, inputs);
  };
  define_ = [this](size_t index, int64_t value) { define(index, value); };
  resize_output_ = [this](size_t output, std::span<const int64_t> dims) {
    resize_output(output, dims);
  };
}

void Executor::prepare_views() {
  const std::vector<plan::Step>& steps = info_.plan.steps;
  std::vector<std::vector<TensorView*>> of(info_.plan.values.size());
  const auto prepare = [&](std::span<const int32_t> values, TensorView* views) {
    for (size_t i = 0; i < values.size(); ++i) {
      views[i] = view(values[i]);
      if (values[i] != plan::none) of[static_cast<size_t>(values[i])].push_back(&views[i]);
    }
  };
  for (size_t s = 0; s < steps.size(); ++s) {
    prepare(steps[s].inputs, input_views_.data() + info_.inputs_start[s]);
    prepare(steps[s].outputs, output_views_.data() + info_.outputs_start[s]);
  }
  for (const auto& views : of) {
    views_start_.push_back(views_of_.size());
    views_of_.insert(views_of_.end(), views.begin(), views.end());
  }
  views_start_.push_back(views_of_.size());
}

void Executor::run(const Profiler* profiler, bool wait) {
  profiler_ = profiler;
  pool_.release_all();
  std::fill(own_block_.begin(), own_block_.end(), plan::none);
  bind();
  const bool profiling = profiler && *profiler;
  for (size_t s = 0; s < info_.plan.steps.size();) {
    const int32_t segment = profiling ? plan::none : segment_at_[s];
    if (segment == plan::none) {
      run_step(s++, profiler);
      continue;
    }
    run_segment(static_cast<size_t>(segment));
    s = segments_[static_cast<size_t>(segment)].end;
  }
  finish_outputs();
  if (wait) device_->synchronise();
}

TensorView Executor::view(int32_t value) {
  if (value == plan::none) return {};
  const plan::ValueDef& d = def(value);
  const ValueState& s = state(value);
  TensorView view{s.data, d.dtype, s.dims, &d, nullptr};
  if (d.storage == Storage::host) view.datum = &data_[static_cast<size_t>(value)];
  return view;
}

// Views follow their values (move_to); only what a step is yet to size has nothing to show.
StepArgs Executor::bind_step(size_t s) {
  const plan::Step& step = info_.plan.steps[s];
  running_ = s;
  const std::span<TensorView> inputs(input_views_.data() + info_.inputs_start[s],
                                     step.inputs.size());
  const std::span<TensorView> outputs(output_views_.data() + info_.outputs_start[s],
                                      step.outputs.size());
  if (info_.step_sizes_something[s]) {
    std::fill(defined_.begin(), defined_.end(), false);
    std::fill(resized_.begin(), resized_.end(), false);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (step.outputs[i] == plan::none || outputs[i].datum != nullptr) continue;
      if (info_.schedule.value_stage(step.outputs[i]) != static_cast<int32_t>(s)) continue;
      outputs[i].data = nullptr;
      outputs[i].dims = {};
    }
  }
  if (step.scratch != plan::none && step.scratch_offset >= 0) {
    const int64_t bytes = slots_[step.scratch];
    TENREC_CHECK(bytes >= 0 && bytes <= step.scratch_upper, invalid_engine,
                 "{}: scratch of {} bytes, its place has {}; rebuild the engine", describe(s),
                 bytes, step.scratch_upper);
    scratch_[s] = {arena_->data + step.scratch_offset, static_cast<size_t>(bytes)};
  }
  const std::span<int64_t> sizes = std::span(sizes_).subspan(sizes_start_[s], step.sizes.size());
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t size = slots_[step.sizes[i]];
    if (sizes[i] != size) needs_reshape_[s] = true;
    sizes[i] = size;
  }
  return {inputs,     outputs,  scratch_[s],     sizes,
          &run_body_, &define_, &resize_output_, &run_body_in_place_};
}

void Executor::find_segments() {
  const size_t steps = info_.plan.steps.size();
  segment_at_.assign(steps, plan::none);
  if (!device_->can_record()) return;
  const auto fits = [&](size_t s) {
    return runners_[s]->recordable() && !info_.step_sizes_something[s];
  };
  for (size_t s = 0; s < steps; ++s) {
    size_t end = s;
    while (end < steps && fits(end)) ++end;
    if (end == s) continue;
    const auto lengths =
        info_.start_symbols.empty() ? std::vector{end - s} : short_segments(end - s);
    for (const size_t length : lengths) {
      add_segment(s, s + length);
      s += length;
    }
  }
}

void Executor::add_segment(size_t begin, size_t end) {
  if (end - begin < 2) return;  // one step is as quickly launched as replayed
  segment_at_[begin] = static_cast<int32_t>(segments_.size());
  segments_.push_back({.begin = begin, .end = end, .recordings = {}});
}

void Executor::run_segment(size_t index) {
  Segment& segment = segments_[index];
  const Hash128 key = prepare_segment(segment);
  const auto run_all = [this, &segment] {
    for (size_t s = segment.begin; s < segment.end; ++s)
      with_context([&] { return describe(s); },
                   [&] { runners_[s]->run(segment_args_[s - segment.begin]); });
  };
  RecordingCache::Entry* entry = segment.recordings.find(key);
  std::unique_ptr<Recording> old;
  if (!entry) {
    entry = &segment.recordings.add(key);
    old = std::move(entry->recording);
    if (!old) return run_all();
  }
  if (!entry->recording) entry->recording = device_->record(run_all, std::move(old));
  entry->recording->replay();
}

// Binds the steps of a segment to what they work on now; a hash of all that a recording keeps.
Hash128 Executor::prepare_segment(const Segment& segment) {
  signature_.clear();
  segment_args_.clear();
  const auto note = [&](const void* p) { signature_.push_back(reinterpret_cast<uintptr_t>(p)); };
  for (size_t s = segment.begin; s < segment.end; ++s) {
    const StepArgs& args = segment_args_.emplace_back(bind_step(s));
    with_context([&] { return describe(s); }, [&] { reshape_step(s, args); });
    for (const std::span views : {args.inputs, args.outputs})
      for (const TensorView& view : views) {
        note(view.data);
        for (const int64_t dim : view.dims) signature_.push_back(static_cast<uint64_t>(dim));
      }
    for (const int64_t size : args.sizes) signature_.push_back(static_cast<uint64_t>(size));
    release_after(s);
  }
  // A later step may have made it grow.
  for (size_t s = segment.begin; s < segment.end; ++s) {
    StepArgs& args = segment_args_[s - segment.begin];
    give_workspace(s, args);
    note(args.scratch.data());
  }
  return hash128(std::as_bytes(std::span(signature_)));
}

void Executor::run_step(size_t s, const Profiler* profiler) {
  const plan::Step& step = info_.plan.steps[s];
  const auto start = std::chrono::steady_clock::now();
  with_context([&] { return describe(s); },
               [&] {
                 StepArgs args = bind_step(s);
                 reshape_step(s, args);
                 give_workspace(s, args);
                 runners_[s]->run(args);
                 if (info_.step_sizes_something[s]) finish_step(s);
               });
  if (profiler && *profiler) {
    device_->synchronise();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    const std::vector<StepMemory> memory = memory_of(s);
    (*profiler)({s, step.origins, step.op, step.family, step.tactic, took.count(),
                 static_cast<double>(step.flops), static_cast<double>(step.bytes), memory});
  }
  release_after(s);
}

std::vector<StepMemory> Executor::memory_of(size_t s) {
  const plan::Step& step = info_.plan.steps[s];
  std::vector<StepMemory> memory;
  for (const auto* values : {&step.inputs, &step.outputs}) {
    for (const int32_t value : *values) {
      if (value == plan::none || !state(value).data || def(value).bytes == plan::none) continue;
      memory.push_back({state(value).data, static_cast<uint64_t>(slots_[def(value).bytes])});
    }
  }
  return memory;
}

void Executor::reshape_step(size_t s, const StepArgs& args) {
  if (!needs_reshape_[s]) return;
  runners_[s]->reshape(args);
  const uint64_t bytes = runners_[s]->workspace_bytes();
  if (bytes > (workspace_ ? workspace_->bytes : 0)) {
    workspace_.reset();  // before the bigger one: both together may not fit
    workspace_ = device_->allocate(std::bit_ceil(std::max(bytes, least_workspace)), "workspace");
  }
  needs_reshape_[s] = false;
}

void Executor::give_workspace(size_t s, StepArgs& args) const {
  if (info_.plan.steps[s].scratch == plan::none && workspace_)
    args.scratch = {workspace_->data, static_cast<size_t>(workspace_->bytes)};
}

uint64_t Executor::workspace_bytes() const {
  uint64_t bytes = workspace_ ? workspace_->bytes : 0;
  for (const auto& body : bodies_) bytes += body->workspace_bytes();
  return bytes;
}

void Executor::define(size_t index, int64_t value) {
  const plan::Step& step = info_.plan.steps[running_];
  TENREC_CHECK(index < step.defines.size(), invalid_engine, "the step has no define {}", index);
  defined_[index] = true;
  slots_.set_symbol(step.defines[index].symbol, value);
}

void Executor::resize_output(size_t output, std::span<const int64_t> dims) {
  const plan::Step& step = info_.plan.steps[running_];
  TENREC_CHECK(output < step.outputs.size() && step.outputs[output] != plan::none, invalid_engine,
               "the step has no output {}", output);
  for (size_t i = 0; i < step.defines.size(); ++i) {
    const plan::Define& wanted = step.defines[i];
    if (static_cast<size_t>(wanted.output) != output) continue;
    TENREC_CHECK(static_cast<size_t>(wanted.axis) < dims.size(), invalid_engine,
                 "output {} got {} dims", output, dims.size());
    define(i, dims[static_cast<size_t>(wanted.axis)]);
  }
  const int32_t value = step.outputs[output];
  const plan::ValueDef& d = def(value);
  resized_[output] = true;
  if (d.storage == Storage::host) return;
  ValueState& s = state(value);
  TENREC_CHECK(!d.ranked || dims.size() == d.dims.size(), invalid_engine,
               "output {} got {} dims, its plan has {}", output, dims.size(), d.dims.size());
  if (info_.schedule.value_stage(value) == static_cast<int32_t>(running_)) {
    update_dims(value, dims);
    s.bytes = plan::layout_bytes(d, s.dims);
    allocate_sized(value);
  } else {
    TENREC_CHECK(std::equal(dims.begin(), dims.end(), s.dims.begin(), s.dims.end()), invalid_engine,
                 "output {} is [{}], its plan says [{}]", output, fmt::join(dims, ", "),
                 fmt::join(s.dims, ", "));
  }
  output_views_[info_.outputs_start[running_] + output] = view(value);
}

// Memory for an output whose step has just said its size.
void Executor::allocate_sized(int32_t value) {
  const plan::ValueDef& d = def(value);
  ValueState& s = state(value);
  int32_t& block = own_block_[static_cast<size_t>(value)];
  if (info_.has_own_block[static_cast<size_t>(value)]) {
    if (block != plan::none) pool_.release(block);
    block = pool_.acquire(std::max<uint64_t>(s.bytes, 1));
    move_to(value, pool_.data(block));
    return;
  }
  TENREC_CHECK(d.storage != Storage::arena || s.bytes <= static_cast<uint64_t>(d.upper_bytes),
               invalid_engine, "output \"{}\" needs {} bytes, its place has {}; rebuild the engine",
               d.name, s.bytes, d.upper_bytes);
  move_to(value, locate(value));
}

// Sizes what waited for this step.
void Executor::finish_step(size_t s) {
  const plan::Step& step = info_.plan.steps[s];
  const auto stage = static_cast<int32_t>(s);
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    const int32_t value = step.outputs[i];
    if (value == plan::none) continue;
    if (def(value).storage == Storage::host) {
      if (!resized_[i] && data_[static_cast<size_t>(value)].kind == Datum::Kind::tensor)
        resize_output(i, data_[static_cast<size_t>(value)].tensor.dims());
      continue;
    }
    TENREC_CHECK(resized_[i] || info_.schedule.value_stage(value) != stage, invalid_engine,
                 "the step has not said how large output {} is", i);
  }
  for (size_t i = 0; i < step.defines.size(); ++i)
    TENREC_CHECK(defined_[i], invalid_engine, "the step has not said dim {} of output {}",
                 step.defines[i].axis, step.defines[i].output);
  slots_.evaluate(stage);
  for (const int32_t value : info_.schedule.values(stage)) {
    const bool is_output =
        std::find(step.outputs.begin(), step.outputs.end(), value) != step.outputs.end();
    if (!is_output) {
      size_value(value);
      continue;
    }
    if (!def(value).ranked || def(value).storage == Storage::host) continue;
    for (size_t axis = 0; axis < def(value).dims.size(); ++axis)
      TENREC_CHECK(state(value).dims[axis] == slots_[def(value).dims[axis]], invalid_engine,
                   "\"{}\": dim {} became {}, its plan computes {}", def(value).name, axis,
                   state(value).dims[axis], slots_[def(value).dims[axis]]);
  }
  place(stage);
  for (const int32_t value : info_.schedule.values(stage)) {
    const bool is_output =
        std::find(step.outputs.begin(), step.outputs.end(), value) != step.outputs.end();
    if (!is_output) move_to(value, locate(value));
  }
}

void Executor::release_after(size_t s) {
  for (const int32_t value : info_.own_released_after[s]) {
    const int32_t block = own_block_[static_cast<size_t>(value)];
    if (block != plan::none) pool_.release(block);
  }
  for (const int32_t stage : info_.groups_released_after[s]) {
    int32_t& block = groups_[static_cast<size_t>(stage + 1)].block;
    if (block != plan::none) pool_.release(block);
    block = plan::none;
  }
}

Executor& Executor::body_of_step(size_t index, size_t inputs) {
  const size_t step = running_;
  TENREC_CHECK(index < info_.plan.steps[step].bodies.size(), invalid_engine, "there is no body {}",
               index);
  Executor& body = *bodies_[info_.bodies_start[step] + index];
  const size_t wanted = body.info_.plan.inputs.size();
  TENREC_CHECK(inputs == wanted, invalid_engine,
               "body {} has {} inputs, the step gives {}; rebuild the engine", index, wanted,
               inputs);
  return body;
}

std::vector<Datum> Executor::run_body(size_t index, const std::vector<Datum>& inputs) {
  Executor& body = body_of_step(index, inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) bind_body_input(body, i, inputs[i]);
  body.set_outer(slots_.slots());
  body.run(profiler_);
  return body_outputs(body);
}

std::span<const BodyValue> Executor::run_body_in_place(size_t index,
                                                       std::span<const BodyValue> inputs) {
  Executor& body = body_of_step(index, inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const plan::ValueDef& value = body.def(body.info_.plan.inputs[i]);
    TENREC_CHECK(value.storage != Storage::host && inputs[i].dtype == value.dtype, invalid_engine,
                 "body input {} is no tensor of {}; rebuild the engine", i, name(inputs[i].dtype));
    InputBinding& input = body.input(i);
    input.data = inputs[i].data;
    input.dims = inputs[i].dims;
    input.bytes = inputs[i].bytes;
    input.on_device = !inputs[i].in_host_memory;
  }
  body.set_outer(slots_.slots());
  body.run(profiler_, false);
  std::vector<BodyValue>& results = body.body_results_;
  results.clear();
  for (size_t i = 0; i < body.outputs_.size(); ++i) {
    const OutputView view = body.output(i);
    TENREC_CHECK(view.datum == nullptr, invalid_engine,
                 "body output {} is no tensor; rebuild the engine", i);
    results.push_back({view.data, body.def(body.info_.plan.outputs[i]).dtype, view.dims, view.bytes,
                       view.in_host_memory});
  }
  return results;
}

void Executor::bind_body_input(Executor& body, size_t i, const Datum& datum) const {
  const plan::ValueDef& value = body.def(body.info_.plan.inputs[i]);
  InputBinding& input = body.input(i);
  input.datum = datum;
  if (value.storage == Storage::host) return;
  TENREC_CHECK(datum.kind == Datum::Kind::tensor && datum.tensor.dtype() == value.dtype,
               invalid_engine, "body input {} must be a tensor of {}; rebuild the engine", i,
               name(value.dtype));
  input.data = datum.tensor.data();
  input.dims = input.datum.tensor.dims();
  input.bytes = datum.tensor.bytes();
  input.on_device = false;
}

std::vector<Datum> Executor::body_outputs(const Executor& body) const {
  std::vector<Datum> results;
  results.reserve(body.outputs_.size());
  for (size_t i = 0; i < body.outputs_.size(); ++i) {
    const OutputView view = body.output(i);
    if (view.datum != nullptr) {
      results.push_back(*view.datum);
      continue;
    }
    Tensor tensor(body.def(body.info_.plan.outputs[i]).dtype,
                  Dims(view.dims.begin(), view.dims.end()));
    if (view.bytes > 0) {
      if (view.in_host_memory) std::memcpy(tensor.mutable_data(), view.data, view.bytes);
      else device_->copy_to_host(tensor.mutable_data(), view.data, view.bytes);
    }
    results.emplace_back(std::move(tensor));
  }
  return results;
}

// Outputs whose value does not lie in the output's memory are copied there if the caller gave some,
// or if the value is an input, which the caller may overwrite.
void Executor::finish_outputs() {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    Output& output = outputs_[i];
    const int32_t value = info_.plan.outputs[i];
    const plan::ValueDef& d = def(value);
    if (d.storage == Storage::host) continue;
    const ValueState& s = state(value);
    const uint64_t bytes = plan::layout_bytes(d, s.dims);
    const int32_t root = info_.live.root[static_cast<size_t>(value)];
    const Storage storage = def(root).storage;
    const bool exposed = storage == Storage::input || storage == Storage::dims;
    const bool is_callers = output.caller.data != nullptr || output.allocator != nullptr;
    if (d.storage != Storage::output && (is_callers || exposed)) {
      std::byte* const to = output_buffer(i, bytes);
      if (storage == Storage::dims) device_->copy_from_host(to, s.data, bytes);
      else device_->copy(to, s.data, bytes);
      output.copied_to = to;
    }
    const std::byte* const at = output.copied_to != nullptr ? output.copied_to : s.data;
    if (output.caller.data == nullptr || bytes == 0 || at == output.caller.data) continue;
    if (output.caller.on_device)
      device_->copy(static_cast<std::byte*>(output.caller.data), at, bytes);
    else device_->copy_to_host(output.caller.data, at, bytes);
  }
}

OutputView Executor::output(size_t i) const {
  const int32_t value = info_.plan.outputs[i];
  const plan::ValueDef& d = def(value);
  const ValueState& s = states_[static_cast<size_t>(value)];
  if (d.storage == Storage::host) return {nullptr, {}, 0, true, &data_[static_cast<size_t>(value)]};
  const Output& output = outputs_[i];
  const uint64_t bytes = plan::layout_bytes(d, s.dims);
  if (output.caller.data != nullptr)
    return {static_cast<const std::byte*>(output.caller.data), s.dims, bytes,
            !output.caller.on_device, nullptr};
  return {output.copied_to != nullptr ? output.copied_to : s.data, s.dims, bytes, false, nullptr};
}

uint64_t Executor::activation_bytes() const {
  uint64_t sum =
      pool_.bytes() + (arena_ ? arena_->bytes : 0) + (open_arena_ ? open_arena_->bytes : 0);
  for (const auto& body : bodies_) sum += body->activation_bytes() + body->binding_bytes();
  return sum;
}

uint64_t Executor::binding_bytes() const {
  uint64_t sum = 0;
  for (const auto& staging : staging_) sum += staging ? staging->bytes : 0;
  for (const Output& output : outputs_)
    for (const auto& owned : output.owned) sum += owned ? owned->bytes : 0;
  return sum;
}

std::string Executor::describe(size_t s) const {
  const plan::Step& step = info_.plan.steps[s];
  return fmt::format("step {} \"{}\" ({}, {})", s, fmt::join(step.origins, " + "),
                     step.op.empty() ? step.family : step.op, step.family);
}

}  // namespace tenrec
