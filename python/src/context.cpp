// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "bind.h"
#include "buffer.h"

using tenrec::Context;
using tenrec::Engine;
using tenrec::Error;
using tenrec::ErrorCode;
using tenrec::HostValue;
using tenrec::TensorRef;

namespace {

// Memory that an output is written to and that then belongs to an array.
struct Block {
  struct Free {
    void operator()(void* data) const { std::free(data); }
  };
  std::unique_ptr<void, Free> data;
  uint64_t bytes = 0;

  void allocate(uint64_t size) {
    constexpr uint64_t alignment = 64;
    bytes = size;
    data.reset(std::aligned_alloc(alignment, (size / alignment + 1) * alignment));
    if (!data) throw std::bad_alloc();
  }
  bool holds(const TensorRef& tensor) const { return data && tensor.data == data.get(); }
};

// What a context and the tensors it gave share.
struct Session {
  explicit Session(Context made) : context(std::move(made)) {}
  // The context, unless it is just running in another thread.
  Context& idle() {
    if (is_running)
      throw Error(ErrorCode::usage,
                  "the context is running in another thread; create one context a thread");
    return context;
  }
  Context context;
  uint64_t runs = 0;
  bool is_running = false;
};

// An output that stays where the engine wrote it, until the context runs again.
struct KeptTensor {
  std::shared_ptr<Session> session;
  std::string name;
  uint64_t run = 0;

  TensorRef ref() const {
    Context& context = session->idle();
    if (run != session->runs)
      throw Error(ErrorCode::usage, "output \"" + name + "\" of run " + std::to_string(run) +
                                        " was kept in the context's memory, which run " +
                                        std::to_string(session->runs) +
                                        " has written since; copy it with numpy() before");
    return context.output(name);
  }
};

class BoundContext {
 public:
  BoundContext(const Engine& engine, int profile, int threads)
      : engine_(engine),
        session_(std::make_shared<Session>(engine.create_context({profile, threads}))) {}
  BoundContext(const BoundContext&) = delete;
  BoundContext(BoundContext&&) = default;
  BoundContext& operator=(const BoundContext&) = delete;
  BoundContext& operator=(BoundContext&&) = default;
  ~BoundContext() = default;

  void set_input(const std::string& name, const std::string& dtype, std::vector<int64_t> dims,
                 nb::handle memory) {
    Context& context = session_->idle();
    Buffer buffer(memory, false);
    context.set_input(name, {dtype_of(dtype), dims, buffer.data(), buffer.bytes(), false});
    kept_.erase(name);
    arrays_.insert_or_assign(name, std::move(buffer));
  }
  void set_value(const std::string& name, HostValue value) {
    session_->idle().set_input_value(name, std::move(value));
    forget(name);
  }
  void set_kept(const std::string& name, const KeptTensor& tensor) {
    session_->idle().set_input(name, tensor.ref());
    forget(name);
    if (tensor.session != session_) kept_.insert_or_assign(name, tensor);
  }
  void set_dims(const std::string& name, const std::vector<int64_t>& dims) {
    session_->idle().set_input_dims(name, dims);
    forget(name);
  }
  std::map<std::string, std::vector<int64_t>> infer_outputs() {
    std::map<std::string, std::vector<int64_t>> dims;
    const std::vector<tenrec::OutputSize> sizes = session_->idle().infer_outputs();
    for (size_t i = 0; i < sizes.size(); ++i) dims[engine_.outputs()[i].name] = sizes[i].dims;
    return dims;
  }

  // `given`: arrays that outputs are written to. `kept`: outputs that stay in the context's memory.
  void run(const std::map<std::string, nb::object>& given, const std::vector<std::string>& kept) {
    Context& context = session_->idle();
    for (const auto& [name, tensor] : kept_) (void)tensor.ref();
    blocks_.clear();
    outputs_.clear();
    if (engine_.host_memory()) {
      for (const tenrec::TensorInfo& info : engine_.outputs())
        if (!info.is_host) allocate_when_known(context, info.name);
    }
    for (const std::string& name : kept) context.set_output(name, {});
    for (const auto& [name, memory] : given) {
      Buffer buffer(memory, true);
      context.set_output(name, {buffer.data(), buffer.bytes(), false});
      outputs_.push_back(std::move(buffer));
    }
    session_->is_running = true;
    ++session_->runs;
    try {
      const nb::gil_scoped_release unlock;
      context.run();
    } catch (...) {
      session_->is_running = false;
      throw;
    }
    session_->is_running = false;
  }

  KeptTensor kept(const std::string& name) const {
    (void)session_->idle().output(name);
    return {session_, name, session_->runs};
  }
  std::vector<int64_t> dims(const std::string& name) const {
    const TensorRef tensor = session_->idle().output(name);
    return {tensor.dims.begin(), tensor.dims.end()};
  }
  // The elements' bytes: the memory they were written to, or a copy where they lie elsewhere.
  Bytes take(const std::string& name) {
    Context& context = session_->idle();
    Block block = std::move(blocks_[name]);
    const TensorRef tensor = context.output(name);
    if (!block.holds(tensor)) {
      const tenrec::HostTensor copy = context.output_tensor(name);
      block.allocate(copy.data.size());
      if (!copy.data.empty()) std::memcpy(block.data.get(), copy.data.data(), copy.data.size());
    }
    void* const data = block.data.get();
    const nb::capsule owner(block.data.release(), [](void* p) noexcept { std::free(p); });
    return Bytes(data, {static_cast<size_t>(tensor.bytes)}, owner);
  }
  HostValue value(const std::string& name) const { return session_->idle().output_value(name); }
  int profile() const { return session_->idle().profile(); }
  tenrec::MemoryReport memory() const { return session_->idle().memory(); }

 private:
  void forget(const std::string& name) {
    arrays_.erase(name);
    kept_.erase(name);
  }
  void allocate_when_known(Context& context, const std::string& name) {
    Block* const block = &blocks_[name];
    context.set_output_allocator(name, [block](std::span<const int64_t>, uint64_t bytes) {
      block->allocate(bytes);
      return tenrec::MemoryRef{block->data.get(), bytes, false};
    });
  }

  Engine engine_;
  std::shared_ptr<Session> session_;
  std::map<std::string, Buffer> arrays_;    // of inputs
  std::map<std::string, KeptTensor> kept_;  // inputs that lie in other contexts
  std::map<std::string, Block> blocks_;     // of outputs; their addresses stay
  std::vector<Buffer> outputs_;             // the caller's, of the last run
};

}  // namespace

void bind_context(nb::module_& module, nb::class_<Engine>& engine) {
  nb::class_<KeptTensor>(module, "KeptTensor")
      .def_ro("name", &KeptTensor::name)
      .def_prop_ro("dtype",
                   [](const KeptTensor& tensor) { return tenrec::dtype_name(tensor.ref().dtype); })
      .def_prop_ro("dims",
                   [](const KeptTensor& tensor) {
                     const TensorRef ref = tensor.ref();
                     return std::vector<int64_t>(ref.dims.begin(), ref.dims.end());
                   })
      .def_prop_ro("on_device", [](const KeptTensor& tensor) { return tensor.ref().on_device; })
      .def("copy", [](const KeptTensor& tensor) {
        (void)tensor.ref();
        return tensor.session->context.output_value(tensor.name);
      });
  nb::class_<BoundContext>(module, "Context")
      .def("set_input", &BoundContext::set_input, nb::arg("name"), nb::arg("dtype"),
           nb::arg("dims"), nb::arg("memory"))
      .def("set_value", &BoundContext::set_value, nb::arg("name"), nb::arg("value"))
      .def("set_kept", &BoundContext::set_kept, nb::arg("name"), nb::arg("tensor"))
      .def("set_dims", &BoundContext::set_dims, nb::arg("name"), nb::arg("dims"))
      .def("infer_outputs", &BoundContext::infer_outputs)
      .def("run", &BoundContext::run, nb::arg("given"), nb::arg("kept"))
      .def("kept", &BoundContext::kept, nb::arg("name"))
      .def("dims", &BoundContext::dims, nb::arg("name"))
      .def("take", &BoundContext::take, nb::arg("name"))
      .def("value", &BoundContext::value, nb::arg("name"))
      .def_prop_ro("profile", &BoundContext::profile)
      .def("memory", &BoundContext::memory);
  engine.def(
      "create_context",
      [](const Engine& self, int profile, int threads) {
        return BoundContext(self, profile, threads);
      },
      nb::arg("profile"), nb::arg("threads"));
}
