// SPDX-License-Identifier: Apache-2.0
#include "api/context.h"

#include <algorithm>

#include "api/convert.h"

namespace tenrec::trt {

#define TENREC_CALL(name) constexpr auto call = "IExecutionContext::" name

ExecutionContext::ExecutionContext(EngineObject& engine, nv::IRuntimeConfig* config)
    : report_(engine.state()->report),
      engine_(engine),
      state_(engine.state()),
      config_(config),
      on_device_(!state_->engine.host_memory()) {
  mImpl = this;
  select_profile(0);
}

ExecutionContext::Binding& ExecutionContext::binding(const IoTensor& tensor) {
  return bindings_[tensor.is_input ? tensor.index : state_->inputs + tensor.index];
}
const ExecutionContext::Binding& ExecutionContext::binding(const IoTensor& tensor) const {
  return const_cast<ExecutionContext*>(this)->binding(tensor);
}

// Sizes that the application gave belong to the profile before.
void ExecutionContext::select_profile(size_t profile) {
  context_.emplace(state_->engine.create_context({.profile = static_cast<int>(profile)}));
  profile_ = profile;
  bindings_.resize(state_->tensors.size());
  for (size_t i = 0; i < state_->inputs; ++i) {
    Binding& binding = bindings_[i];
    binding.dims = state_->tensors[i].dims;
    const InputRange& range = state_->engine.profiles()[profile][i];
    if (range.min == range.max) binding.dims = range.min;
    binding.is_shaped =
        std::find(binding.dims.begin(), binding.dims.end(), -1) == binding.dims.end();
  }
}

// ------------------------------------------------------------------------- names, profiles

void ExecutionContext::setName(const char* name) noexcept {
  report_.guard("IExecutionContext::setName", [&] { name_ = std::string(checked_name(name)); });
}

bool ExecutionContext::setOptimizationProfileAsync(int32_t profileIndex, cudaStream_t) noexcept {
  TENREC_CALL("setOptimizationProfileAsync");
  return report_.guard(call, false, [&] {
    const size_t wanted = state_->profile(profileIndex);
    if (wanted != profile_) select_profile(wanted);
    return true;
  });
}

void ExecutionContext::setProfiler(nv::IProfiler* profiler) noexcept {
  report_.guard("IExecutionContext::setProfiler", [&] { profiler_ = profiler; });
}

void ExecutionContext::emit_profile() const {
  if (profiler_ != nullptr)
    for (const LayerTime& time : times_)
      profiler_->reportLayerTime(time.name.c_str(), time.milliseconds);
  times_.clear();
}

bool ExecutionContext::reportToProfiler() const noexcept {
  TENREC_CALL("reportToProfiler");
  return report_.guard(call, false, [&] {
    TENREC_CHECK(profiler_ != nullptr, usage, "there is no profiler; call setProfiler first");
    TENREC_CHECK(!times_.empty(), usage, "there is no run to report; call enqueueV3 first");
    emit_profile();
    return true;
  });
}

// ----------------------------------------------------------------------------------- sizes

void ExecutionContext::check_shape(const IoTensor& tensor, const std::vector<int64_t>& dims) const {
  TENREC_CHECK(tensor.is_input, usage, "\"{}\" is an output; its sizes follow from the inputs",
               tensor.name);
  if (!state_->engine.inputs()[tensor.index].ranked) return;
  const InputRange& range = state_->engine.profiles()[profile_][tensor.index];
  TENREC_CHECK(dims.size() == range.min.size(), usage, "input \"{}\" has {} dims, got [{}]",
               tensor.name, range.min.size(), fmt::join(dims, ", "));
  for (size_t i = 0; i < dims.size(); ++i) {
    const bool is_open = range.max[i] < 0;
    TENREC_CHECK(dims[i] >= range.min[i] && (is_open || dims[i] <= range.max[i]), usage,
                 "input \"{}\": dim {} is {}, profile {} allows {}..{}; give a size inside or "
                 "build the engine with a profile for it",
                 tensor.name, i, dims[i], profile_, range.min[i],
                 is_open ? "" : std::to_string(range.max[i]));
  }
}

bool ExecutionContext::setInputShape(const char* tensorName, const nv::Dims& dims) noexcept {
  TENREC_CALL("setInputShape");
  return report_.guard(call, false, [&] {
    const IoTensor& tensor = state_->at(tensorName);
    std::vector<int64_t> sizes = from_trt(dims);
    check_shape(tensor, sizes);
    Binding& bound = binding(tensor);
    bound.dims = std::move(sizes);
    bound.is_shaped = true;
    return true;
  });
}

bool ExecutionContext::allInputDimensionsSpecified() const noexcept {
  return std::all_of(bindings_.begin(),
                     bindings_.begin() + static_cast<std::ptrdiff_t>(state_->inputs),
                     [](const Binding& binding) { return binding.is_shaped; });
}

// Gives the core what is known of the inputs.
void ExecutionContext::hand_over_inputs(bool for_run) {
  for (size_t i = 0; i < state_->inputs; ++i) {
    const IoTensor& tensor = state_->tensors[i];
    const Binding& bound = bindings_[i];
    TENREC_CHECK(!for_run || bound.is_shaped, usage,
                 "input \"{}\" has sizes [{}]; call setInputShape first", tensor.name,
                 fmt::join(bound.dims, ", "));
    if (!bound.is_shaped) continue;
    const uint64_t bytes = tensor_bytes(tensor.dtype, bound.dims);
    TENREC_CHECK(!for_run || bound.address != nullptr || bytes == 0, usage,
                 "input \"{}\" has no address; call setTensorAddress first", tensor.name);
    if (bound.address == nullptr && bytes > 0) {
      context_->set_input_dims(tensor.name, bound.dims);
      continue;
    }
    context_->set_input(tensor.name, {tensor.dtype, bound.dims, bound.address, bytes,
                                      on_device_ && !tensor.is_shape_input});
  }
}

std::vector<OutputSize> ExecutionContext::sizes() const {
  auto* self = const_cast<ExecutionContext*>(this);
  const bool has_all =
      std::all_of(state_->tensors.begin(), state_->tensors.end(), [&](const IoTensor& tensor) {
        const Binding& bound = binding(tensor);
        return !tensor.is_input ||
               (bound.is_shaped && (!tensor.is_shape_input || bound.address != nullptr));
      });
  if (!has_all) {
    std::vector<OutputSize> unknown;
    for (const TensorInfo& info : state_->engine.outputs()) unknown.push_back({info.dims, -1});
    return unknown;
  }
  self->hand_over_inputs(false);
  return self->context_->infer_outputs();
}

nv::Dims ExecutionContext::getTensorShape(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorShape");
  return report_.guard(call, unknown_dims(), [&] {
    const IoTensor& tensor = state_->at(tensorName);
    if (tensor.is_input) return to_trt(binding(tensor).dims);
    return tensor.ranked ? to_trt(sizes()[tensor.index].dims) : unknown_dims();
  });
}

nv::Dims ExecutionContext::getTensorStrides(const char* tensorName) const noexcept {
  nv::Dims shape = getTensorShape(tensorName);
  int64_t stride = 1;
  for (int32_t i = shape.nbDims - 1; i >= 0; --i) {
    const int64_t size = shape.d[i];
    shape.d[i] = stride;
    stride = size < 0 || stride < 0 ? -1 : stride * size;
  }
  return shape;
}

int32_t ExecutionContext::inferShapes(int32_t nbMaxNames, const char** tensorNames) noexcept {
  TENREC_CALL("inferShapes");
  return report_.guard(call, -1, [&] {
    TENREC_CHECK(nbMaxNames >= 0 && (nbMaxNames == 0 || tensorNames != nullptr), usage,
                 "nbMaxNames is {} and tensorNames {}null", nbMaxNames,
                 tensorNames == nullptr ? "" : "not ");
    int32_t missing = 0;
    for (size_t i = 0; i < state_->inputs; ++i) {
      const IoTensor& tensor = state_->tensors[i];
      if (bindings_[i].is_shaped && (!tensor.is_shape_input || bindings_[i].address != nullptr))
        continue;
      if (missing < nbMaxNames) tensorNames[missing] = tensor.name.c_str();
      ++missing;
    }
    if (missing == 0) sizes();
    return missing;
  });
}

int64_t ExecutionContext::getMaxOutputSize(const char* tensorName) const noexcept {
  TENREC_CALL("getMaxOutputSize");
  return report_.guard<int64_t>(call, -1, [&] {
    const IoTensor& tensor = state_->at(tensorName);
    TENREC_CHECK(!tensor.is_input, usage, "\"{}\" is an input", tensor.name);
    return sizes()[tensor.index].max_bytes;
  });
}

size_t ExecutionContext::updateDeviceMemorySizeForShapes() noexcept {
  return engine_.getDeviceMemorySizeForProfile(static_cast<int32_t>(profile_));
}

// -------------------------------------------------------------------------------- addresses

bool ExecutionContext::set_address(const char* call, const char* name, void* data,
                                   bool may_be_input, bool may_be_output) noexcept {
  return report_.guard(call, false, [&] {
    const IoTensor& tensor = state_->at(name);
    TENREC_CHECK(tensor.is_input ? may_be_input : may_be_output, usage, "\"{}\" is an {}",
                 tensor.name, tensor.is_input ? "input" : "output");
    binding(tensor).address = data;
    return true;
  });
}

bool ExecutionContext::setTensorAddress(const char* tensorName, void* data) noexcept {
  return set_address("IExecutionContext::setTensorAddress", tensorName, data, true, true);
}

bool ExecutionContext::setInputTensorAddress(const char* tensorName, const void* data) noexcept {
  return set_address("IExecutionContext::setInputTensorAddress", tensorName,
                     const_cast<void*>(data), true, false);
}

bool ExecutionContext::setOutputTensorAddress(const char* tensorName, void* data) noexcept {
  return set_address("IExecutionContext::setOutputTensorAddress", tensorName, data, false, true);
}

const void* ExecutionContext::getTensorAddress(const char* tensorName) const noexcept {
  TENREC_CALL("getTensorAddress");
  return report_.guard<const void*>(call, nullptr,
                                    [&] { return binding(state_->at(tensorName)).address; });
}

void* ExecutionContext::getOutputTensorAddress(const char* tensorName) const noexcept {
  TENREC_CALL("getOutputTensorAddress");
  return report_.guard<void*>(call, nullptr, [&]() -> void* {
    const IoTensor& tensor = state_->at(tensorName);
    return tensor.is_input ? nullptr : binding(tensor).address;
  });
}

bool ExecutionContext::setOutputAllocator(const char* tensorName,
                                          nv::IOutputAllocator* outputAllocator) noexcept {
  TENREC_CALL("setOutputAllocator");
  return report_.guard(call, false, [&] {
    const IoTensor& tensor = state_->at(tensorName);
    TENREC_CHECK(!tensor.is_input, usage, "\"{}\" is an input", tensor.name);
    binding(tensor).allocator = outputAllocator;
    return true;
  });
}

nv::IOutputAllocator* ExecutionContext::getOutputAllocator(const char* name) noexcept {
  const int index = state_->find(name);
  return index < 0 ? nullptr : bindings_[static_cast<size_t>(index)].allocator;
}

bool ExecutionContext::setTemporaryStorageAllocator(nv::IGpuAllocator* allocator) noexcept {
  temporary_allocator_ = allocator;
  return true;
}

bool ExecutionContext::setInputConsumedEvent(cudaEvent_t event) noexcept {
  consumed_ = event;
  return true;
}

// -------------------------------------------------------------------------------------- run

MemoryRef ExecutionContext::memory_for(const IoTensor& tensor, std::span<const int64_t> dims,
                                       uint64_t bytes, cudaStream_t stream) {
  constexpr uint64_t alignment = 256;
  Binding& bound = binding(tensor);
  bound.dims.assign(dims.begin(), dims.end());
  if (bound.allocator != nullptr)
    bound.address = bound.allocator->reallocateOutputAsync(tensor.name.c_str(), bound.address,
                                                           bytes, alignment, stream);
  return {bound.address, bytes, on_device_};
}

void ExecutionContext::hand_over_outputs(cudaStream_t stream) {
  for (size_t i = state_->inputs; i < state_->tensors.size(); ++i) {
    const IoTensor& tensor = state_->tensors[i];
    TENREC_CHECK(bindings_[i].address != nullptr || bindings_[i].allocator != nullptr, usage,
                 "output \"{}\" has neither an address nor an allocator; call setTensorAddress "
                 "or setOutputAllocator first",
                 tensor.name);
    context_->set_output_allocator(
        tensor.name, [this, &tensor, stream](std::span<const int64_t> dims, uint64_t bytes) {
          return memory_for(tensor, dims, bytes, stream);
        });
  }
}

void ExecutionContext::run(cudaStream_t stream) {
  hand_over_inputs(true);
  hand_over_outputs(stream);
  times_.clear();
  Profiler timer;
  if (profiler_ != nullptr)
    timer = [this](const StepTiming& step) {
      const std::vector<std::string> origins(step.origins.begin(), step.origins.end());
      times_.push_back(
          {layer_name(origins, step.op, profile_), static_cast<float>(step.microseconds / 1000)});
    };
  context_->set_profiler(std::move(timer));
  context_->enqueue(stream);
  for (size_t i = state_->inputs; i < state_->tensors.size(); ++i)
    if (bindings_[i].allocator != nullptr)
      bindings_[i].allocator->notifyShape(state_->tensors[i].name.c_str(),
                                          to_trt(bindings_[i].dims));
  if (emits_profile_) emit_profile();
}

bool ExecutionContext::enqueueV3(cudaStream_t stream) noexcept {
  TENREC_CALL("enqueueV3");
  return report_.guard(call, false, [&] {
    run(stream);
    return true;
  });
}

bool ExecutionContext::executeV2(void* const* bindings) noexcept {
  TENREC_CALL("executeV2");
  return report_.guard(call, false, [&] {
    TENREC_CHECK(bindings != nullptr, usage, "the bindings are a null pointer");
    for (size_t i = 0; i < bindings_.size(); ++i) bindings_[i].address = bindings[i];
    run(nullptr);
    context_->synchronise();
    return true;
  });
}

// ------------------------------------------------------------------------------------ rest

bool ExecutionContext::setNvtxVerbosity(nv::ProfilingVerbosity verbosity) noexcept {
  nvtx_ = verbosity;
  return true;
}

bool ExecutionContext::setDebugListener(nv::IDebugListener* listener) noexcept {
  debug_listener_ = listener;
  return true;
}

// Networks of this version have no debug tensors: there is nothing to switch.
bool ExecutionContext::setTensorDebugState(const char* name, bool) noexcept {
  TENREC_CALL("setTensorDebugState");
  return report_.guard(call, false, [&]() -> bool {
    fail(ErrorCode::usage, "\"{}\" is not marked as a debug tensor", checked_name(name));
  });
}

bool ExecutionContext::setAllTensorsDebugState(bool) noexcept { return true; }
bool ExecutionContext::setUnfusedTensorsDebugState(bool) noexcept { return true; }

bool ExecutionContext::setCommunicator(void* communicator) noexcept {
  if (communicator == nullptr) return true;
  report_.error(nv::ErrorCode::kUNSUPPORTED_STATE, "IExecutionContext::setCommunicator",
                "engines of this version run on one device");
  return false;
}

}  // namespace tenrec::trt
