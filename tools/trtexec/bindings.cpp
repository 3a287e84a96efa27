// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

namespace trtexec {
namespace {

using nvinfer1::DataType;

void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess)
    throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(error));
}

size_t bits_of(DataType type) {
  switch (type) {
    case DataType::kINT64: return 64;
    case DataType::kFLOAT:
    case DataType::kINT32: return 32;
    case DataType::kHALF:
    case DataType::kBF16: return 16;
    case DataType::kINT4:
    case DataType::kFP4: return 4;
    default: return 8;
  }
}

int64_t elements_of(const nvinfer1::Dims& dims) {
  int64_t count = 1;
  for (int32_t i = 0; i < dims.nbDims; ++i) count *= std::max<int64_t>(dims.d[i], 0);
  return count;
}

Dims sizes_of(const nvinfer1::Dims& dims) { return {dims.d, dims.d + std::max(dims.nbDims, 0)}; }

uint16_t to_half(float value, bool brain) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  if (brain) return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const int exponent = static_cast<int>(bits >> 23 & 0xFF) - 127;
  if (exponent < -14) return sign;  // the random numbers here need no subnormals
  if (exponent > 15) return static_cast<uint16_t>(sign | 0x7C00);
  const uint32_t mantissa = (bits & 0x7FFFFF) >> 13;
  return static_cast<uint16_t>(sign | static_cast<uint32_t>(exponent + 15) << 10 | mantissa);
}

float from_half(uint16_t half, bool brain) {
  if (brain) {
    const uint32_t bits = static_cast<uint32_t>(half) << 16;
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  const int exponent = half >> 10 & 0x1F;
  const int mantissa = half & 0x3FF;
  const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

template <class T, class Draw>
void draw_all(std::vector<char>& bytes, Draw&& draw) {
  for (size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    const T value = static_cast<T>(draw());
    std::memcpy(bytes.data() + i, &value, sizeof(T));
  }
}

// The same numbers in every run: floats in [-1, 1], integers of eight bits, booleans 0 or 1.
void fill_random(DataType type, std::vector<char>& bytes) {
  std::default_random_engine engine;
  std::uniform_real_distribution<float> real(-1, 1);
  const auto integer = [&engine](int low, int high) {
    return [&engine, range = std::uniform_int_distribution<int>(low, high)]() mutable {
      return range(engine);
    };
  };
  switch (type) {
    case DataType::kFLOAT: return draw_all<float>(bytes, [&] { return real(engine); });
    case DataType::kHALF:
      return draw_all<uint16_t>(bytes, [&] { return to_half(real(engine), false); });
    case DataType::kBF16:
      return draw_all<uint16_t>(bytes, [&] { return to_half(real(engine), true); });
    case DataType::kINT64: return draw_all<int64_t>(bytes, integer(-128, 127));
    case DataType::kINT32: return draw_all<int32_t>(bytes, integer(-128, 127));
    case DataType::kINT8: return draw_all<int8_t>(bytes, integer(-128, 127));
    case DataType::kBOOL: return draw_all<uint8_t>(bytes, integer(0, 1));
    default: return draw_all<uint8_t>(bytes, integer(0, 255));
  }
}

float elapsed(cudaEvent_t from, cudaEvent_t to) {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, from, to), "cudaEventElapsedTime");
  return milliseconds;
}

}  // namespace

const char* name_of(DataType type) {
  constexpr const char* names[] = {"FP32", "FP16", "INT8",  "INT32", "BOOL", "UINT8",
                                   "FP8",  "BF16", "INT64", "INT4",  "FP4",  "E8M0"};
  const auto index = static_cast<size_t>(type);
  return index < std::size(names) ? names[index] : "unknown";
}

void Buffer::resize(size_t bytes, bool managed) {
  host_.resize(bytes);
  if (bytes <= capacity_ && device_ != nullptr) return;
  cudaFree(device_);
  device_ = nullptr;
  capacity_ = std::max<size_t>(bytes, 1);
  check(managed ? cudaMallocManaged(&device_, capacity_, cudaMemAttachGlobal)
                : cudaMalloc(&device_, capacity_),
        "device memory");
}

void* Binding::reallocateOutput(const char*, void*, uint64_t size, uint64_t) noexcept {
  try {
    buffer.resize(static_cast<size_t>(size), managed);
    return buffer.device();
  } catch (const std::exception& error) {
    complain("output ", name, ": ", error.what());
    return nullptr;
  }
}

size_t Binding::bytes() const {
  return (static_cast<size_t>(elements_of(dims)) * bits_of(type) + 7) / 8;
}

std::vector<double> Binding::values() const {
  std::vector<double> result(static_cast<size_t>(elements_of(dims)));
  const char* data = buffer.host().data();
  const auto read = [&](auto example) {
    for (size_t i = 0; i < result.size(); ++i) {
      std::memcpy(&example, data + i * sizeof(example), sizeof(example));
      result[i] = static_cast<double>(example);
    }
  };
  const auto read_half = [&](bool brain) {
    for (size_t i = 0; i < result.size(); ++i) {
      uint16_t half = 0;
      std::memcpy(&half, data + i * 2, 2);
      result[i] = from_half(half, brain);
    }
  };
  switch (type) {
    case DataType::kFLOAT: read(float{}); break;
    case DataType::kHALF: read_half(false); break;
    case DataType::kBF16: read_half(true); break;
    case DataType::kINT64: read(int64_t{}); break;
    case DataType::kINT32: read(int32_t{}); break;
    case DataType::kINT8: read(int8_t{}); break;
    case DataType::kBOOL:
    case DataType::kUINT8: read(uint8_t{}); break;
    default: result.clear();
  }
  return result;
}

Session::Session(nvinfer1::ICudaEngine& engine, const Options& options) : options_(options) {
  context_.reset(engine.createExecutionContext());
  if (!context_) throw std::runtime_error("createExecutionContext failed");
  info("Created execution context with device memory size: ",
       static_cast<double>(engine.getDeviceMemorySizeV2()) / (1 << 20), " MiB");
  check(cudaStreamCreate(&stream_), "cudaStreamCreate");
  for (cudaEvent_t& event : events_) check(cudaEventCreate(&event), "cudaEventCreate");
  if (!context_->setOptimizationProfileAsync(options.use_profile, stream_))
    throw std::runtime_error("there is no profile " + std::to_string(options.use_profile));
  for (int32_t i = 0; i < engine.getNbIOTensors(); ++i) {
    auto binding = std::make_unique<Binding>();
    binding->name = engine.getIOTensorName(i);
    binding->is_input =
        engine.getTensorIOMode(binding->name.c_str()) == nvinfer1::TensorIOMode::kINPUT;
    binding->type = engine.getTensorDataType(binding->name.c_str());
    binding->managed = options.managed_memory;
    if (binding->is_input) shape_input(engine, *binding);
    bindings_.push_back(std::move(binding));
  }
  choose_open_sizes();
  for (const auto& binding : bindings_)
    if (binding->is_input) bind_input(*binding);
  for (const auto& binding : bindings_) {
    const char* name = binding->name.c_str();
    if (binding->is_input) continue;
    binding->dims = context_->getTensorShape(name);
    if (!context_->setOutputAllocator(name, binding.get()))
      throw std::runtime_error("setOutputAllocator failed for " + binding->name);
    info("Output binding for ", name, " with dimensions ", text_of(sizes_of(binding->dims)),
         " and type ", name_of(binding->type), " is created.");
  }
  copy_inputs();
}

Session::~Session() {
  context_.reset();
  for (cudaEvent_t event : events_)
    if (event != nullptr) cudaEventDestroy(event);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

// The sizes the user wants, or those of the engine with -1 where any would do.
void Session::shape_input(nvinfer1::ICudaEngine& engine, Binding& binding) {
  const char* name = binding.name.c_str();
  binding.is_host = engine.isShapeInferenceIO(name);
  binding.dims = context_->getTensorShape(name);
  binding.preferred =
      engine.getProfileShape(name, options_.use_profile, nvinfer1::OptProfileSelector::kOPT);
  const Dims* wanted = binding.is_host ? nullptr : find_for(options_.shapes, binding.name);
  if (wanted == nullptr) return;
  binding.dims.nbDims = static_cast<int32_t>(wanted->size());
  std::copy(wanted->begin(), wanted->end(), binding.dims.d);
}

// Sizes that nobody gave: the profile's preferred ones for the first such input and ones for the
// others (states of a recurrent model), else the preferred ones for all, else ones.
void Session::choose_open_sizes() {
  std::vector<bool> first(bindings_.size(), false);
  bool has_open = false;
  for (size_t i = 0; i < bindings_.size(); ++i) {
    const nvinfer1::Dims& dims = bindings_[i]->dims;
    const bool is_open =
        bindings_[i]->is_input && std::any_of(dims.d, dims.d + std::max(dims.nbDims, 0),
                                              [](int64_t size) { return size < 0; });
    first[i] = is_open && !has_open;
    has_open |= is_open;
  }
  if (!has_open) return;
  logger().set_silent(true);
  const bool found = try_sizes(first) || try_sizes(std::vector<bool>(bindings_.size(), true)) ||
                     try_sizes(std::vector<bool>(bindings_.size(), false));
  logger().set_silent(false);
  if (!found) throw std::runtime_error("some inputs have dynamic sizes; give them by --shapes");
}

bool Session::try_sizes(const std::vector<bool>& use_preferred) {
  std::vector<nvinfer1::Dims> tried;
  for (size_t i = 0; i < bindings_.size(); ++i) {
    Binding& binding = *bindings_[i];
    nvinfer1::Dims& dims = tried.emplace_back(binding.dims);
    if (!binding.is_input) continue;
    for (int32_t axis = 0; axis < dims.nbDims; ++axis)
      if (dims.d[axis] < 0)
        dims.d[axis] =
            use_preferred[i] && binding.preferred.d[axis] > 0 ? binding.preferred.d[axis] : 1;
    if (!context_->setInputShape(binding.name.c_str(), dims)) return false;
    std::swap(binding.dims, dims);
    binding.buffer.resize(binding.bytes(), binding.managed);
    if (binding.is_host) fill(binding);
    context_->setTensorAddress(binding.name.c_str(), binding.address());
    std::swap(binding.dims, dims);
  }
  if (context_->inferShapes(0, nullptr) != 0) return false;
  for (size_t i = 0; i < bindings_.size(); ++i) bindings_[i]->dims = tried[i];
  return true;
}

void Session::bind_input(Binding& binding) {
  const char* name = binding.name.c_str();
  if (!context_->setInputShape(name, binding.dims))
    throw std::runtime_error("input " + binding.name + " cannot have the shape " +
                             text_of(sizes_of(binding.dims)));
  binding.buffer.resize(binding.bytes(), binding.managed);
  fill(binding);
  if (!context_->setTensorAddress(name, binding.address()))
    throw std::runtime_error("setTensorAddress failed for " + binding.name);
  info("Input binding for ", name, " with dimensions ", text_of(sizes_of(binding.dims)),
       " and type ", name_of(binding.type), " is created.");
}

void Session::fill(Binding& binding) {
  std::vector<char>& host = binding.buffer.host();
  const std::string* file = find_for(options_.inputs, binding.name);
  if (file != nullptr) {
    std::ifstream stream(*file, std::ios::binary);
    std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
    if (bytes.size() != host.size())
      throw std::runtime_error("input " + binding.name + " needs " + std::to_string(host.size()) +
                               " bytes, \"" + *file + "\" has " + std::to_string(bytes.size()));
    host = std::move(bytes);
    info("Using values loaded from ", *file, " for input ", binding.name);
    return;
  }
  if (!binding.is_host) {
    info("Using random values for input ", binding.name);
    fill_random(binding.type, host);
    return;
  }
  // Values that decide sizes: those of --shapes, else ones.
  const Dims* wanted = find_for(options_.shapes, binding.name);
  for (size_t i = 0; i < static_cast<size_t>(elements_of(binding.dims)); ++i) {
    const int64_t value = wanted != nullptr && i < wanted->size() ? (*wanted)[i] : 1;
    const auto narrow = static_cast<int32_t>(value);
    const auto real = static_cast<float>(value);
    if (binding.type == DataType::kINT64) std::memcpy(host.data() + i * 8, &value, 8);
    else if (binding.type == DataType::kINT32) std::memcpy(host.data() + i * 4, &narrow, 4);
    else if (binding.type == DataType::kFLOAT) std::memcpy(host.data() + i * 4, &real, 4);
  }
  info("Using ", wanted != nullptr ? "the values of --shapes" : "ones", " for shape input ",
       binding.name);
}

void Session::copy_inputs() {
  for (const auto& binding : bindings_)
    if (binding->is_input && !binding->is_host && binding->bytes() > 0)
      check(cudaMemcpyAsync(binding->buffer.device(), binding->buffer.host().data(),
                            binding->bytes(), cudaMemcpyHostToDevice, stream_),
            "copying an input");
}

void Session::fetch_outputs() {
  for (const auto& binding : bindings_) {
    if (binding->is_input || binding->bytes() == 0) continue;
    binding->buffer.host().resize(binding->bytes());
    check(cudaMemcpyAsync(binding->buffer.host().data(), binding->buffer.device(), binding->bytes(),
                          cudaMemcpyDeviceToHost, stream_),
          "copying an output");
  }
  check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

Trace Session::run(cudaEvent_t start, float host_now) {
  using Clock = std::chrono::steady_clock;
  Trace trace;
  check(cudaEventRecord(events_[0], stream_), "cudaEventRecord");
  if (options_.transfers) copy_inputs();
  check(cudaEventRecord(events_[1], stream_), "cudaEventRecord");
  const auto begin = Clock::now();
  if (!context_->enqueueV3(stream_)) throw std::runtime_error("enqueueV3 failed");
  const float took = std::chrono::duration<float, std::milli>(Clock::now() - begin).count();
  check(cudaEventRecord(events_[2], stream_), "cudaEventRecord");
  if (options_.transfers) fetch_outputs();
  check(cudaEventRecord(events_[3], stream_), "cudaEventRecord");
  check(cudaEventSynchronize(events_[3]), "cudaEventSynchronize");
  trace.enqueue_start = host_now;
  trace.enqueue_end = host_now + took;
  trace.h2d_start = elapsed(start, events_[0]);
  trace.compute_start = elapsed(start, events_[1]);
  trace.h2d_end = options_.transfers ? trace.compute_start : trace.h2d_start;
  trace.compute_end = trace.d2h_start = elapsed(start, events_[2]);
  trace.d2h_end = options_.transfers ? elapsed(start, events_[3]) : trace.d2h_start;
  return trace;
}

}  // namespace trtexec
