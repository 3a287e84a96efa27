// SPDX-License-Identifier: Apache-2.0
// Load an engine and run it:
//
//   tenrec::Engine engine = tenrec::Engine::load("model.tenrec");
//   tenrec::Context context = engine.create_context();
//   context.set_input("image", image);             // a HostTensor or your own memory
//   context.run();
//   auto scores = context.output("scores").as<float>();
//
// Everything throws tenrec::Error. An Engine may be used from many threads at once; a Context
// belongs to one thread at a time.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenrec/export.h"
#include "tenrec/tensor.h"

namespace tenrec {

class Context;

struct LoadOptions {
  int threads = 0;            // 0: as many as the process may use
  int device = 0;             // which device of the engine's target
  uint64_t memory_limit = 0;  // bytes the engine and its contexts may allocate; 0: no limit
};

struct ContextOptions {
  int profile = -1;  // -1: at each run the first profile that the input shapes fit
  int threads = 0;   // 0: the engine's
};

// One input or output of the model.
struct TensorInfo {
  std::string name;
  DType dtype = DType::undefined;
  bool ranked = true;               // false: any number of dims; `dims` is empty
  std::vector<int64_t> dims;        // -1 where the size is only known when running
  std::vector<std::string> labels;  // the model's own text for each dim: "batch", "3", "?"
  bool is_shape_input = false;      // its value decides shapes
  bool is_host = false;  // strings, sequences, optionals, maps: set and read as HostValue
};

struct InputRange {  // what a profile allows for one input
  std::string name;
  std::vector<int64_t> min, opt, max;                   // dims; max -1: no bound
  std::vector<double> value_min, value_opt, value_max;  // shape inputs: their elements
};

struct MemoryReport {          // bytes
  uint64_t weights = 0;        // shared by all contexts of the engine
  uint64_t activations = 0;    // intermediate values and their retained pools
  uint64_t scratch = 0;        // the largest step's; part of `activations`
  uint64_t outputs = 0;        // outputs (and staged inputs) the context owns
  uint64_t arena_growths = 0;  // how often an open profile's arena had to grow
  uint64_t total() const { return weights + activations + outputs; }
};

// One input, output or weight of a step.
struct StepValue {
  std::string name;
  DType dtype = DType::undefined;
  std::vector<int64_t> dims;  // -1 where the size is only known when running
  std::string layout;         // "row-major", "blocked by 8 on axis 1", "channels last"
  bool is_weight = false;
};
// What a plan does in one step.
struct StepInfo {
  std::vector<std::string> origins;  // nodes of the model it stands for
  std::string op, family, tactic;
  std::vector<StepValue> inputs, outputs;
};

class TENREC_API Engine {
 public:
  Engine() = default;  // empty; only assignment and operator bool are allowed
  static Engine load(const std::string& path, const LoadOptions& options = {});
  static Engine from_bytes(std::vector<std::byte> bytes, const LoadOptions& options = {});
  static Engine from_bytes(std::shared_ptr<const std::vector<std::byte>> bytes,
                           const LoadOptions& options = {});

  explicit operator bool() const { return impl_ != nullptr; }
  void save(const std::string& path) const;  // written whole or not at all

  const std::vector<TensorInfo>& inputs() const;
  const std::vector<TensorInfo>& outputs() const;
  const std::vector<std::vector<InputRange>>& profiles() const;  // one list of inputs a profile
  const std::string& target() const;                             // "cpu"
  const std::string& name() const;                               // of the model's graph
  const std::string& device() const;  // fingerprint of what it was built for
  bool host_memory() const;           // inputs and outputs lie in the host's memory
  std::vector<StepInfo> steps(int profile = 0) const;
  std::span<const std::byte> bytes() const;       // the engine file; valid while the engine lives
  const std::vector<std::string>& notes() const;  // what the builder had to say
  MemoryReport memory(int profile = 0) const;  // what a context of this profile will need at most

  Context create_context(const ContextOptions& options = {}) const;

  struct Impl;
  const std::shared_ptr<const Impl>& impl() const { return impl_; }

 private:
  explicit Engine(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// What the sizes of an output are with the inputs that are set.
struct OutputSize {
  std::vector<int64_t> dims;  // -1 where an input is missing or only running can tell
  int64_t max_bytes = -1;     // -1: no bound is known
};
// Gives memory for an output of these dims: at least `bytes`, even if there are none of them.
using OutputAllocator = std::function<MemoryRef(std::span<const int64_t> dims, uint64_t bytes)>;

// Memory that a step reads or writes, where it lies on the device.
struct StepMemory {
  const void* data = nullptr;
  uint64_t bytes = 0;
};
// One step as it ran.
struct StepTiming {
  size_t index = 0;                      // in the plan of the profile
  std::span<const std::string> origins;  // nodes of the model it stands for
  std::string_view op, family, tactic;
  double microseconds = 0;
  // What it cannot do without at the profile's opt shapes: a multiply-add is two operations.
  double flops = 0;
  double bytes = 0;
  std::span<const StepMemory> memory;  // as it lies now, with what blocks of channels are padded by
};
using Profiler = std::function<void(const StepTiming&)>;

class TENREC_API Context {
 public:
  Context(Context&&) noexcept;
  Context& operator=(Context&&) noexcept;
  ~Context();

  // The caller's memory is used in place and must stay valid and unchanged until run() returns.
  // Name, element type and rank are checked here; sizes against the profiles, at run().
  void set_input(std::string_view name, const TensorRef& tensor);
  void set_input(std::string_view name, const HostTensor& tensor);  // not copied, but for strings
  void set_input(std::string_view name, HostTensor&& tensor) {      // kept by the context
    set_input_value(name, HostValue(std::move(tensor)));
  }
  void set_input_value(std::string_view name, HostValue value);  // any kind; kept by the context

  // Sizes of an input whose memory comes with set_input later. Checked as there.
  void set_input_dims(std::string_view name, std::span<const int64_t> dims);
  // One entry an output, from the sizes of inputs and the values of shape inputs that are set.
  // Errors are those that run() would give for them.
  std::vector<OutputSize> infer_outputs();

  // Where the output shall be written; without it the context owns the memory. run() says how many
  // bytes are needed when it's too small. An empty MemoryRef goes back to the context's own memory.
  void set_output(std::string_view name, const MemoryRef& memory);

  // Asked for memory in each run, as soon as the size is known; an empty function goes back to the
  // context's own memory. Takes the place of set_output's memory and the other way round.
  void set_output_allocator(std::string_view name, OutputAllocator allocator);

  void run();

  // The same in the order of a queue of the caller (CUDA: a cudaStream_t or CUstream, null is the
  // default one): it starts after what is in the queue, and what is put there later starts after
  // it. Where inputs and outputs lie on the device and no step has to ask the host, this returns
  // before the run is done: until then inputs and outputs belong to it. Targets without queues run
  // at once.
  void enqueue(void* queue);
  void synchronise();  // waits for what enqueue() has left to the device

  // After run(), at the true size; valid until the next run() of this context. An output may be fed
  // back as an input of the next run: the context then writes to another buffer.
  TensorRef output(std::string_view name) const;
  HostTensor output_tensor(std::string_view name) const;  // a copy on the host
  HostValue output_value(std::string_view name) const;    // a copy of any kind

  // Called after every step (of bodies too); an empty function switches it off.
  void set_profiler(Profiler profiler);
  int profile() const;          // the one the last run used, -1 before
  MemoryReport memory() const;  // as of now

  struct Impl;

 private:
  friend class Engine;
  explicit Context(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenrec
