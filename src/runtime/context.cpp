// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/memory_guard.h"
#include "runtime/engine_impl.h"
#include "runtime/executor.h"

namespace tenrec {

struct Context::Impl {
  // What the caller set; the executor of whichever profile fits gets it at run().
  struct Input {
    bool is_set = false;
    bool is_default = false;  // a shape input nobody set: `fallback` holds its value
    const std::byte* data = nullptr;
    std::vector<int64_t> dims;
    uint64_t bytes = 0;
    bool on_device = false;
    Datum datum;  // host values
    HostTensor fallback;
  };

  Impl(std::shared_ptr<const Engine::Impl> engine, const ContextOptions& options);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();
  size_t input_index(std::string_view name) const;
  size_t output_index(std::string_view name) const;
  void set_input(std::string_view name, const TensorRef& tensor);
  void set_input_value(std::string_view name, HostValue value);
  void set_input_dims(std::string_view name, std::span<const int64_t> dims);
  std::vector<OutputSize> infer_outputs();
  void run(std::optional<void*> queue);  // of the caller: without waiting
  OutputView output(std::string_view name) const;
  HostTensor output_tensor(std::string_view name) const;

  void check_rank(const TensorInfo& info, std::span<const int64_t> dims) const;
  void bind_inputs(size_t profile);
  void fill_defaults(bool for_run);
  size_t choose_profile() const;
  bool fits(const plan::Plan& plan, size_t i) const;
  bool values_fit(const plan::Plan& plan, size_t i) const;
  int64_t element(size_t i, size_t k) const;
  std::string allowed(size_t i) const;
  Executor& executor(size_t profile);

  std::shared_ptr<const Engine::Impl> engine;
  std::shared_ptr<Device> device;
  std::shared_ptr<const DeviceMemory> weights;
  int wanted_profile;
  int used_profile = -1;
  std::vector<Input> inputs;
  std::vector<MemoryRef> outputs;
  std::vector<OutputAllocator> allocators;           // of outputs; empty: there is none
  std::vector<std::unique_ptr<Executor>> executors;  // per profile, made when first used
  Profiler profiler;
};

namespace {

std::string names_of(const std::vector<TensorInfo>& infos) {
  std::string text;
  for (const TensorInfo& info : infos) text += (text.empty() ? "\"" : ", \"") + info.name + "\"";
  return text.empty() ? "none" : text;
}

size_t find(const std::vector<TensorInfo>& infos, std::string_view name, std::string_view what) {
  const auto found = std::find_if(infos.begin(), infos.end(),
                                  [&](const TensorInfo& info) { return info.name == name; });
  TENREC_CHECK(found != infos.end(), invalid_input, "the model has no {} \"{}\"; it has {}", what,
               name, names_of(infos));
  return static_cast<size_t>(found - infos.begin());
}

std::string range_text(const plan::Range& range) {
  std::string text = "[";
  for (size_t i = 0; i < range.min.size(); ++i) {
    if (i > 0) text += ", ";
    if (range.min[i] == range.max[i]) text += std::to_string(range.min[i]);
    else if (range.max[i] == plan::unbounded) text += fmt::format("{}..", range.min[i]);
    else text += fmt::format("{}..{}", range.min[i], range.max[i]);
  }
  return text + "]";
}

float as_float(int64_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits)); }

}  // namespace

Context::Impl::Impl(std::shared_ptr<const Engine::Impl> source, const ContextOptions& options)
    : engine(std::move(source)),
      device(engine->device),
      weights(engine->weights),
      wanted_profile(options.profile) {
  TENREC_CHECK(options.profile >= -1 && options.profile < static_cast<int>(engine->plans.size()),
               usage, "the engine has {} profiles, no profile {}", engine->plans.size(),
               options.profile);
  if (options.threads > 0 && options.threads != engine->options.threads) {
    device = engine->open(options.threads);
    weights = device->upload(engine->file.weight_bytes, engine->file.owner);
  }
  if (std::shared_ptr<Device> own = device->with_own_queue()) device = std::move(own);
  inputs.resize(engine->inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i].dims.reserve(8);
  outputs.resize(engine->outputs.size());
  allocators.resize(engine->outputs.size());
  executors.resize(engine->plans.size());
  if (wanted_profile >= 0) executor(static_cast<size_t>(wanted_profile));
}

// What enqueue() left behind still uses the memory that goes away here.
Context::Impl::~Impl() {
  try {
    device->synchronise();
  } catch (...) {  // a device that failed: the next call says so
  }
}

size_t Context::Impl::input_index(std::string_view name) const {
  return find(engine->inputs, name, "input");
}
size_t Context::Impl::output_index(std::string_view name) const {
  return find(engine->outputs, name, "output");
}

void Context::Impl::set_input(std::string_view name, const TensorRef& tensor) {
  const size_t i = input_index(name);
  const TensorInfo& info = engine->inputs[i];
  TENREC_CHECK(!info.is_host, invalid_input,
               "input \"{}\" is a string, sequence or optional; set it with set_input_value", name);
  TENREC_CHECK(tensor.dtype == info.dtype, invalid_input,
               "input \"{}\" is {}, got {}; convert the tensor first", name, dtype_name(info.dtype),
               dtype_name(tensor.dtype));
  check_rank(info, tensor.dims);
  const uint64_t bytes = tensor_bytes(tensor.dtype, tensor.dims);
  TENREC_CHECK(tensor.bytes >= bytes && (bytes == 0 || tensor.data != nullptr), invalid_input,
               "input \"{}\" with dims [{}] needs {} bytes, got {}", name,
               fmt::join(tensor.dims, ", "), bytes, tensor.data == nullptr ? 0 : tensor.bytes);
  Input& input = inputs[i];
  input.dims.assign(tensor.dims.begin(), tensor.dims.end());  // may throw: nothing has changed yet
  input.is_set = true;
  input.is_default = false;
  input.data = static_cast<const std::byte*>(tensor.data);
  input.bytes = bytes;
  input.on_device = tensor.on_device;
}

void Context::Impl::check_rank(const TensorInfo& info, std::span<const int64_t> dims) const {
  TENREC_CHECK(!info.ranked || dims.size() == info.dims.size(), invalid_input,
               "input \"{}\" has dims [{}], got [{}]", info.name, fmt::join(info.labels, ", "),
               fmt::join(dims, ", "));
}

void Context::Impl::set_input_dims(std::string_view name, std::span<const int64_t> dims) {
  const size_t i = input_index(name);
  const TensorInfo& info = engine->inputs[i];
  TENREC_CHECK(!info.is_host, invalid_input,
               "input \"{}\" is a string, sequence or optional; set it with set_input_value", name);
  check_rank(info, dims);
  Input& input = inputs[i];
  input.bytes = tensor_bytes(info.dtype, dims);
  input.data = nullptr;
  input.dims.assign(dims.begin(), dims.end());
  input.is_set = true;
  input.is_default = false;
}

void Context::Impl::set_input_value(std::string_view name, HostValue value) {
  const size_t i = input_index(name);
  Input& input = inputs[i];
  if (!engine->inputs[i].is_host) {
    TENREC_CHECK(value.kind == HostValue::Kind::tensor, invalid_input, "input \"{}\" is a tensor",
                 name);
    HostTensor kept = std::move(value.tensor);
    set_input(name, TensorRef(kept));
    input.fallback = std::move(kept);
    input.data = input.fallback.data.data();
    return;
  }
  const TensorInfo& info = engine->inputs[i];
  // An optional may be given as what it holds.
  const bool is_tensor = value.kind == HostValue::Kind::tensor && info.dtype != DType::undefined;
  TENREC_CHECK(!is_tensor || value.tensor.dtype == info.dtype, invalid_input,
               "input \"{}\" is {}, got {}", name, dtype_name(info.dtype),
               dtype_name(value.tensor.dtype));
  input.datum = with_context([&] { return fmt::format("input \"{}\"", name); },
                             [&] { return to_datum(value); });
  if (is_tensor) input.dims = input.datum.tensor.dims();
  input.is_set = true;
}

// A shape input that nobody set takes the profile's preferred value, else ones.
void Context::Impl::fill_defaults(bool for_run) {
  const plan::Plan& plan = engine->file.plans[static_cast<size_t>(std::max(wanted_profile, 0))];
  for (size_t i = 0; i < inputs.size(); ++i) {
    Input& input = inputs[i];
    const TensorInfo& info = engine->inputs[i];
    TENREC_CHECK(
        !for_run || !input.is_set || info.is_host || input.bytes == 0 || input.data != nullptr,
        invalid_input, "input \"{}\" has dims but no memory; call set_input(\"{}\", ...)",
        info.name, info.name);
    if (input.is_set || (!for_run && !info.is_shape_input)) continue;
    TENREC_CHECK(info.is_shape_input && !info.is_host, invalid_input,
                 "input \"{}\" is not set; call set_input(\"{}\", ...) before run()", info.name,
                 info.name);
    std::vector<double> values =
        engine->profiles[static_cast<size_t>(std::max(wanted_profile, 0))][i].value_opt;
    const std::vector<int64_t>& dims = plan.ranges[i].opt;
    const uint64_t elements = tensor_bytes(DType::u8, dims);
    TENREC_CHECK(elements <= 1024, invalid_input, "input \"{}\" is not set", info.name);
    values.resize(elements, 1);
    const Tensor tensor = Tensor::from_doubles(info.dtype, dims, values);
    input.fallback = to_host_tensor(tensor);
    set_input(info.name, TensorRef(input.fallback));
    input.is_default = true;
  }
}

bool Context::Impl::fits(const plan::Plan& plan, size_t i) const {
  const plan::Range& range = plan.ranges[i];
  const Input& input = inputs[i];
  // Of what lies on the host only tensors have sizes.
  const bool has_sizes = input.datum.kind == Datum::Kind::tensor && !range.min.empty();
  if (engine->inputs[i].is_host && !has_sizes) return true;
  if (!engine->inputs[i].ranked) return true;
  if (input.dims.size() != range.min.size()) return false;
  for (size_t k = 0; k < input.dims.size(); ++k)
    if (input.dims[k] < range.min[k] || input.dims[k] > range.max[k]) return false;
  return engine->inputs[i].is_host || values_fit(plan, i);
}

int64_t Context::Impl::element(size_t i, size_t k) const {
  const Input& input = inputs[i];
  const DType dtype = engine->inputs[i].dtype;
  const uint64_t size = byte_size(dtype, 1);
  std::byte bytes[8] = {};
  if (input.on_device && !device->host_memory())
    device->copy_to_host(bytes, input.data + k * size, size);
  else std::memcpy(bytes, input.data + k * size, size);
  uint64_t value = 0;
  std::memcpy(&value, bytes, size);
  if (dtype == DType::f32 || !is_signed(dtype)) return static_cast<int64_t>(value);
  const auto shift = static_cast<int>(64 - 8 * size);
  return static_cast<int64_t>(value << shift) >> shift;
}

bool Context::Impl::values_fit(const plan::Plan& plan, size_t i) const {
  const plan::Range& range = plan.value_ranges[i];
  if (range.min.empty()) return true;
  const DType dtype = engine->inputs[i].dtype;
  if (range.min.size() * byte_size(dtype, 1) > inputs[i].bytes) return false;
  if (inputs[i].data == nullptr) return true;  // only the sizes are known yet
  for (size_t k = 0; k < range.min.size(); ++k) {
    const int64_t value = element(i, k);
    // A NaN is outside of no range: where no size depends on it, it is a value like any other.
    const bool outside = dtype == DType::f32 ? as_float(value) < as_float(range.min[k]) ||
                                                   as_float(value) > as_float(range.max[k])
                                             : value < range.min[k] || value > range.max[k];
    if (outside) return false;
  }
  return true;
}

std::string Context::Impl::allowed(size_t i) const {
  std::string text;
  for (size_t p = 0; p < engine->file.plans.size(); ++p) {
    const plan::Plan& plan = engine->file.plans[p];
    text +=
        fmt::format("{}profile {} allows {}", p == 0 ? "" : ", ", p, range_text(plan.ranges[i]));
    const InputRange& range = engine->profiles[p][i];
    if (!range.value_min.empty())
      text += fmt::format(" with values from [{}] to [{}]", fmt::join(range.value_min, ", "),
                          fmt::join(range.value_max, ", "));
  }
  return text;
}

size_t Context::Impl::choose_profile() const {
  const size_t first = wanted_profile >= 0 ? static_cast<size_t>(wanted_profile) : 0;
  const size_t last = wanted_profile >= 0 ? first + 1 : engine->file.plans.size();
  size_t misfit = 0;  // of the profile that most inputs fit before one does not
  for (size_t p = first; p < last; ++p) {
    size_t i = 0;
    while (i < inputs.size() && fits(engine->file.plans[p], i)) ++i;
    if (i == inputs.size()) return p;
    misfit = std::max(misfit, i);
  }
  fail(ErrorCode::invalid_input,
       "input \"{}\" has dims [{}]{}; {}{}; give a shape inside one of them or build the engine "
       "with a "
       "profile for this shape",
       engine->inputs[misfit].name, fmt::join(inputs[misfit].dims, ", "),
       engine->inputs[misfit].is_shape_input ? " or values" : "", allowed(misfit),
       wanted_profile >= 0 ? fmt::format(", this context uses profile {}", wanted_profile) : "");
}

Executor& Context::Impl::executor(size_t profile) {
  std::unique_ptr<Executor>& made = executors[profile];
  if (!made)
    made = std::make_unique<Executor>(engine->plans[profile], engine->file.weights,
                                      engine->file.code.images, device, weights->data);
  return *made;
}

void Context::Impl::run(std::optional<void*> queue) {
  if (queue) device->follow(*queue);
  fill_defaults(true);
  const size_t profile = choose_profile();
  Executor& runner = executor(profile);
  bind_inputs(profile);
  for (size_t i = 0; i < outputs.size(); ++i)
    runner.set_output(i, outputs[i], allocators[i] ? &allocators[i] : nullptr);
  used_profile = -1;
  runner.run(&profiler, !queue);
  used_profile = static_cast<int>(profile);
  if (queue) device->lead(*queue);
}

std::vector<OutputSize> Context::Impl::infer_outputs() {
  fill_defaults(false);
  const auto is_missing = [&](size_t i) {
    const bool has_value = inputs[i].data != nullptr || inputs[i].bytes == 0;
    return !engine->inputs[i].is_host &&
           (!inputs[i].is_set || (engine->inputs[i].is_shape_input && !has_value));
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!is_missing(i)) continue;
    std::vector<OutputSize> sizes;
    for (const TensorInfo& info : engine->outputs) sizes.push_back({info.dims, -1});
    return sizes;
  }
  const size_t profile = choose_profile();
  bind_inputs(profile);
  return executor(profile).infer_outputs();
}

void Context::Impl::bind_inputs(size_t profile) {
  Executor& runner = executor(profile);
  for (size_t i = 0; i < inputs.size(); ++i) {
    InputBinding& binding = runner.input(i);
    binding.data = inputs[i].data;
    binding.dims = inputs[i].dims;
    binding.bytes = inputs[i].bytes;
    binding.on_device = inputs[i].on_device;
    if (engine->inputs[i].is_host) {
      binding.datum = inputs[i].datum;
    } else if (engine->file.plans[profile]
                   .values[static_cast<size_t>(engine->file.plans[profile].inputs[i])]
                   .storage == plan::Storage::host) {
      binding.datum = Tensor(engine->inputs[i].dtype, inputs[i].dims, nullptr, inputs[i].data);
    }
  }
}

OutputView Context::Impl::output(std::string_view name) const {
  const size_t i = output_index(name);
  TENREC_CHECK(used_profile >= 0, usage, "output \"{}\" is read before run() has succeeded", name);
  return executors[static_cast<size_t>(used_profile)]->output(i);
}

HostTensor Context::Impl::output_tensor(std::string_view name) const {
  const OutputView view = output(name);
  if (view.datum != nullptr) {
    TENREC_CHECK(view.datum->kind == Datum::Kind::tensor, usage,
                 "output \"{}\" is no tensor; read it with output_value", name);
    return to_host_tensor(view.datum->tensor);
  }
  HostTensor tensor(engine->outputs[output_index(name)].dtype,
                    std::vector<int64_t>(view.dims.begin(), view.dims.end()));
  if (view.bytes == 0) return tensor;
  if (view.in_host_memory) std::memcpy(tensor.data.data(), view.data, view.bytes);
  else device->copy_to_host(tensor.data.data(), view.data, view.bytes);
  return tensor;
}

// ------------------------------------------------------------------------------------- public

Context Engine::create_context(const ContextOptions& options) const {
  TENREC_CHECK(impl_ != nullptr, usage, "an empty Engine has no contexts; load one first");
  return memory_guarded([&] { return Context(std::make_unique<Context::Impl>(impl_, options)); });
}

Context::Context(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Context::Context(Context&&) noexcept = default;
Context& Context::operator=(Context&&) noexcept = default;
Context::~Context() = default;

void Context::set_input(std::string_view name, const TensorRef& tensor) {
  memory_guarded([&] { impl_->set_input(name, tensor); });
}

void Context::set_input(std::string_view name, const HostTensor& tensor) {
  memory_guarded([&] {
    if (tensor.dtype == DType::string) impl_->set_input_value(name, tensor);
    else impl_->set_input(name, TensorRef(tensor));
  });
}

void Context::set_input_value(std::string_view name, HostValue value) {
  memory_guarded([&] { impl_->set_input_value(name, std::move(value)); });
}

void Context::set_output(std::string_view name, const MemoryRef& memory) {
  const size_t i = impl_->output_index(name);
  impl_->outputs[i] = memory;
  impl_->allocators[i] = nullptr;
}

void Context::set_output_allocator(std::string_view name, OutputAllocator allocator) {
  const size_t i = impl_->output_index(name);
  impl_->outputs[i] = {};
  impl_->allocators[i] = std::move(allocator);
}

void Context::set_input_dims(std::string_view name, std::span<const int64_t> dims) {
  memory_guarded([&] { impl_->set_input_dims(name, dims); });
}

std::vector<OutputSize> Context::infer_outputs() {
  return memory_guarded([&] { return impl_->infer_outputs(); });
}

void Context::run() {
  memory_guarded([&] { impl_->run(std::nullopt); });
}
void Context::enqueue(void* queue) {
  memory_guarded([&] { impl_->run(queue); });
}
void Context::synchronise() { impl_->device->synchronise(); }

TensorRef Context::output(std::string_view name) const {
  const OutputView view = impl_->output(name);
  const size_t i = impl_->output_index(name);
  if (view.datum == nullptr)
    return {impl_->engine->outputs[i].dtype, view.dims, view.data, view.bytes,
            !view.in_host_memory && !impl_->device->host_memory()};
  TENREC_CHECK(
      view.datum->kind == Datum::Kind::tensor && view.datum->tensor.dtype() != DType::string, usage,
      "output \"{}\" is no tensor of numbers; read it with output_value", name);
  const Tensor& tensor = view.datum->tensor;
  return {tensor.dtype(), tensor.dims(), tensor.data(), tensor.bytes(), false};
}

HostTensor Context::output_tensor(std::string_view name) const {
  return memory_guarded([&] { return impl_->output_tensor(name); });
}

HostValue Context::output_value(std::string_view name) const {
  return memory_guarded([&] {
    const OutputView view = impl_->output(name);
    return view.datum != nullptr ? to_host_value(*view.datum)
                                 : HostValue(impl_->output_tensor(name));
  });
}

void Context::set_profiler(Profiler profiler) { impl_->profiler = std::move(profiler); }
int Context::profile() const { return impl_->used_profile; }

MemoryReport Context::memory() const {
  MemoryReport report;
  report.weights = impl_->engine->file.weight_bytes.size();
  for (size_t p = 0; p < impl_->executors.size(); ++p) {
    const Executor* runner = impl_->executors[p].get();
    if (!runner) continue;
    report.activations += runner->activation_bytes();
    report.outputs += runner->binding_bytes();
    report.scratch += runner->workspace_bytes();
    report.arena_growths += runner->arena_growths();
    uint64_t planned = 0;
    for (const plan::Step& step : impl_->engine->file.plans[p].steps)
      if (step.scratch_offset >= 0)
        planned = std::max(planned, static_cast<uint64_t>(step.scratch_upper));
    report.scratch += planned;
  }
  return report;
}

}  // namespace tenrec
