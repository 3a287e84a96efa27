// SPDX-License-Identifier: Apache-2.0
// What the runtime needs from a device. Targets implement it in targets/*/run; the runtime knows
// only this. Required: memory, weights, prepare. A StepRunner never allocates and never throws in
// run.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace tenrec {

struct Datum;

// One argument of a step at run time. `dims` are logical; memory follows the ValueDef's layout.
// Omitted arguments have no `def`. An output with `def` but neither data nor datum has a size that
// the step decides: it calls resize_output before it writes. Storage::dims values lie in host
// memory.
struct TensorView {
  std::byte* data = nullptr;  // device memory
  DType dtype = DType::undefined;
  std::span<const int64_t> dims;
  const plan::ValueDef* def = nullptr;
  Datum* datum = nullptr;  // Storage::host values
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }
  int64_t elements() const {
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    return n;
  }
};

// What a body of a step is given or gives: a tensor in its plain layout, where it lies.
struct BodyValue {
  const std::byte* data = nullptr;
  DType dtype = DType::undefined;
  std::span<const int64_t> dims;
  uint64_t bytes = 0;
  bool in_host_memory = false;
};

struct StepArgs {
  std::span<TensorView> inputs;
  std::span<TensorView> outputs;
  std::span<std::byte> scratch;    // the plan's, else the workspace that the runner asked for
  std::span<const int64_t> sizes;  // of Step::sizes
  // Runs body `index` of the step (control flow only).
  std::function<std::vector<Datum>(size_t index, const std::vector<Datum>& inputs)>* run_body =
      nullptr;
  // Sets the value of define `i` without an output: what steps of family "infer" do.
  std::function<void(size_t define, int64_t value)>* define = nullptr;
  // Sets the true dims of output `i`, allocates it, refreshes its view and sets the symbols that
  // the step's `defines` read from it.
  std::function<void(size_t output, std::span<const int64_t> dims)>* resize_output = nullptr;
  // run_body for tensors that stay where they are. What comes back is good until the body runs
  // again, and may be given to it then.
  std::function<std::span<const BodyValue>(size_t index, std::span<const BodyValue> inputs)>*
      run_body_in_place = nullptr;
};

class StepRunner {
 public:
  virtual ~StepRunner() = default;
  // Called when dims or pointers' sizes changed, before `run`; may throw Error. May allocate, but
  // not again for sizes no larger than before (exception: vendor libraries' objects).
  virtual void reshape(const StepArgs&) {}
  // Bytes of scratch that `run` needs at the shapes of the last reshape, where the plan gives none
  // (how much may depend on the threads, which a plan does not know). Aligned to 64 bytes; steps
  // share it.
  virtual uint64_t workspace_bytes() const { return 0; }
  virtual void run(const StepArgs& args) = 0;
  // run only puts work into the device's queue, the same for the same arguments, and decides no
  // sizes: Device::record may keep it.
  virtual bool recordable() const { return false; }
};

// Work of a queue, kept to be put there again at once.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay() = 0;
  // Replays; a device that can tell how long it took itself, whatever the host did meanwhile, waits
  // and says how many microseconds. 0: it cannot tell.
  virtual double replay_timed() {
    replay();
    return 0;
  }
};

class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;
  std::byte* data = nullptr;
  uint64_t bytes = 0;
};

// What a device can do at most: what the time of a step is held against.
struct DeviceLimits {
  // Floating-point operations a second, by the type that products are computed in. 0: not known.
  double f32 = 0, tf32 = 0, f16 = 0;
  // Bytes a second where `size` bytes are touched between two uses of the same memory; ascending.
  struct Level {
    uint64_t size = 0;
    double rate = 0;
  };
  std::vector<Level> memory;
  std::string source;  // "measured with 2 threads"

  // Seconds for a byte between whose uses so many are touched: from level to level a line; 0: not
  // known.
  double seconds_of_byte(double distance) const;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string_view name() const = 0;    // "cpu"
  virtual std::string fingerprint() const = 0;  // what tuning results depend on
  // Aligned to 64 bytes or more. out_of_memory Errors say asked, free and what for.
  virtual std::unique_ptr<DeviceMemory> allocate(uint64_t bytes, std::string_view what) = 0;
  // Makes the weights section usable; the CPU uses the mapped bytes in place.
  virtual std::unique_ptr<DeviceMemory> upload(std::span<const std::byte> host,
                                               std::shared_ptr<const void> owner) = 0;
  virtual void copy_to_host(void* to, const std::byte* from, uint64_t bytes) = 0;
  virtual void copy_from_host(std::byte* to, const void* from, uint64_t bytes) = 0;
  // Inside the device; the default serves devices whose memory is the host's.
  virtual void copy(std::byte* to, const std::byte* from, uint64_t bytes) {
    copy_to_host(to, from, bytes);
  }
  virtual void synchronise() {}
  virtual bool host_memory() const { return true; }  // device pointers are host pointers
  // Decodes and checks the step's parameters. The plan is valid as a plan (plan/validate.h), but
  // only the family knows what it takes: it refuses wrong counts, omitted arguments, dtypes, ranks
  // and (by decides_sizes) outputs of sizes that it does not decide, here, and dims that do not fit
  // together in reshape, each by an invalid_engine Error.
  virtual std::unique_ptr<StepRunner> prepare(const plan::Plan& plan, const plan::Step& step) = 0;
  // The same for devices that steps bring code for; `code` is the engine's table.
  virtual std::unique_ptr<StepRunner> prepare_coded(const plan::Plan& plan, const plan::Step& step,
                                                    std::span<const plan::KernelImage> code) {
    (void)code;
    return prepare(plan, step);
  }
  // Devices with queues: one on the same memory with a queue of its own, for a context. Null: the
  // device itself serves all.
  virtual std::shared_ptr<Device> with_own_queue() { return nullptr; }
  // `queue` is the caller's (CUDA: a stream). What comes to this device's queue later starts after
  // all that is in `queue` now; and the other way round.
  virtual void follow(void* queue) { (void)queue; }
  virtual void lead(void* queue) { (void)queue; }
  // Inputs and outputs lie at multiples of this; what does not is copied.
  virtual uint64_t binding_alignment() const { return 1; }
  virtual bool can_record() const { return false; }
  // What `steps` does with recordable steps is kept, not run; it may be called twice. `old` is no
  // longer needed: of the same steps at other sizes it becomes the new one in a fraction of the
  // time.
  virtual std::unique_ptr<Recording> record(const std::function<void()>& steps,
                                            std::unique_ptr<Recording> old) {
    steps();
    return old;
  }
  // May take a tenth of a second to measure.
  virtual DeviceLimits limits() { return {}; }
};

// The step has outputs or symbols whose size is known only once it has run.
inline bool decides_sizes(const plan::Plan& plan, const plan::Step& step) {
  for (const int32_t output : step.outputs) {
    if (output == plan::none) continue;
    const plan::ValueDef& value = plan.values[static_cast<size_t>(output)];
    if (!value.ranked && value.storage != plan::Storage::host) return true;
  }
  return !step.defines.empty();
}

struct DeviceOptions {
  int threads = 0;            // 0: as many as affinity and quota allow
  int index = 0;              // GPU number
  uint64_t memory_limit = 0;  // bytes, 0: none; counts every allocation of the engine
  std::string fingerprint{};  // of the device the steps were made for; empty: the best there is
};
// Opens a device by target name; a device Error if it isn't there. Targets register at start-up.
std::shared_ptr<Device> open_device(std::string_view target, const DeviceOptions& options);
using DeviceFactory = std::function<std::shared_ptr<Device>(const DeviceOptions&)>;
void register_device(std::string_view target, DeviceFactory factory);
std::vector<std::string> registered_devices();

}  // namespace tenrec
