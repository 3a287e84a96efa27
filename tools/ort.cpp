// SPDX-License-Identifier: Apache-2.0
#include "ort.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace tenrec {
namespace {

// onnxruntime's interface is a table of functions that only ever grows at its end, so a slot number
// names a function for good. The Python package ships the library without a header.
enum Slot : size_t {
  get_error_message = 2,
  create_env = 3,
  create_session = 7,
  run_session = 9,
  create_session_options = 10,
  set_graph_optimization_level = 23,
  set_intra_op_threads = 24,
  set_inter_op_threads = 25,
  session_input_count = 30,
  session_output_count = 31,
  session_input_name = 36,
  session_output_name = 37,
  create_tensor_with_data = 49,
  is_tensor = 50,
  get_tensor_data = 51,
  get_element_type = 60,
  get_dims_count = 61,
  get_dims = 62,
  get_element_count = 64,
  get_type_and_shape = 65,
  create_cpu_memory_info = 69,
  allocator_free = 76,
  get_default_allocator = 78,
  release_env = 92,
  release_status = 93,
  release_memory_info = 94,
  release_session = 95,
  release_value = 96,
  release_type_and_shape = 99,
  release_session_options = 100,
};

constexpr uint32_t kApiVersion = 16;  // has every slot above; newer libraries still offer it
constexpr int kFatalOnly = 4;         // errors come back as exceptions
constexpr int kAllOptimisations = 99;

// Everything behind the interface is an opaque pointer.
using Handle = void*;

class Api {
 public:
  explicit Api(const std::filesystem::path& library) {
    // Never closed: onnxruntime's threads and its atexit handlers outlive any one session.
    void* opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr)
      throw std::runtime_error(fmt::format("opening {} failed: {}", library.string(), dlerror()));
    using GetBase = const void* const* (*)();
    const auto get_base = reinterpret_cast<GetBase>(dlsym(opened, "OrtGetApiBase"));
    if (get_base == nullptr)
      throw std::runtime_error(library.string() + " is no onnxruntime: no OrtGetApiBase in it");
    const void* const* base = get_base();
    table_ = reinterpret_cast<const void* const* (*)(uint32_t)>(base[0])(kApiVersion);
    version_ = reinterpret_cast<const char* (*)()>(base[1])();
    if (table_ == nullptr)
      throw std::runtime_error(fmt::format("onnxruntime {} is too old", version_));
  }

  // Calls a function that gives a status, and throws what it says.
  template <class... Args>
  void call(Slot slot, Args... args) const {
    Handle status = reinterpret_cast<Handle (*)(Args...)>(table_[slot])(args...);
    if (status == nullptr) return;
    const auto message_of = reinterpret_cast<const char* (*)(Handle)>(table_[get_error_message]);
    const std::string message = message_of(status);
    release(release_status, status);
    throw std::runtime_error("onnxruntime: " + message);
  }

  void release(Slot slot, Handle handle) const {
    if (handle != nullptr) reinterpret_cast<void (*)(Handle)>(table_[slot])(handle);
  }

  const std::string& version() const { return version_; }

 private:
  const void* const* table_ = nullptr;
  std::string version_;
};

// Owns one object of onnxruntime.
class Owned {
 public:
  Owned() = default;
  Owned(const Api& api, Slot release) : api_(&api), release_(release) {}
  Owned(Owned&& other) noexcept
      : api_(other.api_),
        release_(other.release_),
        handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(release_, other.release_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() {
    if (api_ != nullptr) api_->release(release_, handle_);
  }

  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  const Api* api_ = nullptr;
  Slot release_{};
  Handle handle_ = nullptr;
};

size_t element_bytes(int32_t dtype) {
  switch (dtype) {
    case 2:
    case 3:
    case 9: return 1;  // u8 i8 bool
    case 4:
    case 5:
    case 10:
    case 16: return 2;  // u16 i16 f16 bf16
    case 1:
    case 6:
    case 12: return 4;  // f32 i32 u32
    case 7:
    case 11:
    case 13: return 8;  // i64 f64 u64
    default:
      throw std::runtime_error(fmt::format("onnxruntime: element type {} is not handled", dtype));
  }
}

}  // namespace

struct OrtSession::Impl {
  Api api;
  Owned env, memory, session;
  std::vector<std::string> input_names, output_names;
  std::map<std::string, Owned> inputs;
  std::vector<Owned> outputs;
  // What run() hands over, made once so that timing it times onnxruntime.
  std::vector<const char*> input_pointers, output_pointers;
  std::vector<Handle> input_values, output_values;

  Impl(const std::filesystem::path& library, const std::filesystem::path& model, int threads)
      : api(library),
        env(api, release_env),
        memory(api, release_memory_info),
        session(api, release_session) {
    Owned options(api, release_session_options);
    api.call(create_env, kFatalOnly, "tenrec", env.out());
    api.call(create_session_options, options.out());
    api.call(set_graph_optimization_level, options.get(), kAllOptimisations);
    api.call(set_intra_op_threads, options.get(), threads);
    api.call(set_inter_op_threads, options.get(), 1);
    api.call(create_session, env.get(), model.c_str(), options.get(), session.out());
    api.call(create_cpu_memory_info, 0, 0, memory.out());
    input_names = names(session_input_count, session_input_name);
    output_names = names(session_output_count, session_output_name);
    for (const std::string& name : output_names) output_pointers.push_back(name.c_str());
  }

  std::vector<std::string> names(Slot count_slot, Slot name_slot) const {
    size_t count = 0;
    Handle allocator = nullptr;
    api.call(count_slot, session.get(), &count);
    api.call(get_default_allocator, &allocator);
    std::vector<std::string> result;
    for (size_t index = 0; index < count; ++index) {
      char* name = nullptr;
      api.call(name_slot, session.get(), index, allocator, &name);
      result.emplace_back(name);
      api.call(allocator_free, allocator, static_cast<void*>(name));
    }
    return result;
  }
};

OrtSession::OrtSession(const std::filesystem::path& library, const std::filesystem::path& model,
                       int threads)
    : impl_(std::make_unique<Impl>(library, model, threads)) {}
OrtSession::OrtSession(OrtSession&&) noexcept = default;
OrtSession& OrtSession::operator=(OrtSession&&) noexcept = default;
OrtSession::~OrtSession() = default;

const std::vector<std::string>& OrtSession::input_names() const { return impl_->input_names; }
const std::vector<std::string>& OrtSession::output_names() const { return impl_->output_names; }
std::string OrtSession::version() const { return impl_->api.version(); }

void OrtSession::set_input(const std::string& name, int32_t dtype, std::span<const int64_t> dims,
                           const void* data, size_t bytes) {
  size_t needed = element_bytes(dtype);
  for (const int64_t dim : dims) needed *= static_cast<size_t>(dim);
  if (bytes != needed)
    throw std::runtime_error(
        fmt::format("input \"{}\": {} bytes given, {} needed", name, bytes, needed));
  Owned value(impl_->api, release_value);
  // The interface takes writable memory but only reads inputs.
  impl_->api.call(create_tensor_with_data, impl_->memory.get(), const_cast<void*>(data), bytes,
                  dims.data(), dims.size(), static_cast<int>(dtype), value.out());
  impl_->inputs[name] = std::move(value);

  impl_->input_pointers.clear();
  impl_->input_values.clear();
  for (const auto& [known, owned] : impl_->inputs) {
    impl_->input_pointers.push_back(known.c_str());
    impl_->input_values.push_back(owned.get());
  }
}

void OrtSession::run() {
  Impl& impl = *impl_;
  impl.outputs.clear();
  impl.output_values.assign(impl.output_names.size(), nullptr);
  impl.api.call(run_session, impl.session.get(), static_cast<Handle>(nullptr),
                impl.input_pointers.data(), impl.input_values.data(), impl.input_values.size(),
                impl.output_pointers.data(), impl.output_pointers.size(),
                impl.output_values.data());
  for (Handle value : impl.output_values) {
    impl.outputs.emplace_back(impl.api, release_value);
    *impl.outputs.back().out() = value;
  }
}

OrtTensor OrtSession::output(const std::string& name) const {
  const auto& names = impl_->output_names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::runtime_error(fmt::format("no output \"{}\"", name));
  if (impl_->outputs.empty()) throw std::runtime_error("output() before run()");
  const Api& api = impl_->api;
  Handle value = impl_->outputs[static_cast<size_t>(found - names.begin())].get();

  int tensor = 0;
  api.call(is_tensor, value, &tensor);
  if (tensor == 0) throw std::runtime_error(fmt::format("output \"{}\" is no tensor", name));
  Owned type(api, release_type_and_shape);
  api.call(get_type_and_shape, value, type.out());
  int dtype = 0;
  size_t rank = 0, elements = 0;
  api.call(get_element_type, type.get(), &dtype);
  api.call(get_dims_count, type.get(), &rank);
  api.call(get_element_count, type.get(), &elements);
  OrtTensor result{.dtype = dtype, .dims = std::vector<int64_t>(rank), .data = {}};
  api.call(get_dims, type.get(), result.dims.data(), rank);
  void* data = nullptr;
  api.call(get_tensor_data, value, &data);
  const auto* bytes = static_cast<const std::byte*>(data);
  result.data.assign(bytes, bytes + elements * element_bytes(dtype));
  return result;
}

std::filesystem::path find_onnxruntime(const std::filesystem::path& environment) {
  std::error_code ignored;
  for (const auto& python : std::filesystem::directory_iterator(environment / "lib", ignored)) {
    const auto folder = python.path() / "site-packages" / "onnxruntime" / "capi";
    for (const auto& file : std::filesystem::directory_iterator(folder, ignored))
      if (file.path().filename().string().starts_with("libonnxruntime.so")) return file.path();
  }
  return {};
}

}  // namespace tenrec
