// SPDX-License-Identifier: Apache-2.0
// Runs one plan: sizes values when inputs change, places them, calls the steps. A Context has one
// per profile; control flow has one per body.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "ir/tensor.h"
#include "runtime/device.h"
#include "runtime/memory_pool.h"
#include "runtime/plan_info.h"
#include "runtime/recording_cache.h"
#include "tenrec/engine.h"

namespace tenrec {

// What an input is at the next run.
struct InputBinding {
  const std::byte* data = nullptr;
  std::span<const int64_t> dims;  // the binder keeps them alive
  uint64_t bytes = 0;
  bool on_device = false;
  Datum datum;  // inputs that are host values
};

struct OutputView {
  const std::byte* data = nullptr;  // device memory, or null for host values
  std::span<const int64_t> dims;
  uint64_t bytes = 0;
  bool in_host_memory = false;  // though the device's memory is not
  const Datum* datum = nullptr;
};

class Executor {
 public:
  // `weights` is where the device holds the WEIGHTS section. `table`, `code` and `info` outlive
  // the executor.
  Executor(const PlanInfo& info, std::span<const plan::Weight> table,
           std::span<const plan::KernelImage> code, std::shared_ptr<Device> device,
           const std::byte* weights);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  InputBinding& input(size_t i) { return inputs_[i]; }
  // Where output `i` goes; no data: memory of the executor.
  void set_output(size_t i, const MemoryRef& memory, const OutputAllocator* allocator = nullptr) {
    outputs_[i].caller = memory;
    outputs_[i].allocator = allocator;
  }
  void set_outer(std::span<const int64_t> slots) { outer_ = slots; }  // bodies
  // `wait`: until the device is done with it.
  void run(const Profiler* profiler, bool wait = true);
  OutputView output(size_t i) const;
  std::vector<OutputSize> infer_outputs() const;  // from the inputs as set; runs nothing
  std::vector<bool> unknown_slots() const;

  uint64_t activation_bytes() const;  // arena, pool and bodies
  uint64_t binding_bytes() const;     // outputs and staged inputs
  uint64_t workspace_bytes() const;   // with that of bodies
  uint64_t arena_growths() const { return arena_growths_; }

 private:
  struct ValueState {
    std::byte* data = nullptr;
    uint64_t bytes = 0;
    std::span<const int64_t> dims;
  };
  struct Output {
    MemoryRef caller;
    const OutputAllocator* allocator = nullptr;  // asked for `caller` once sizes are known
    std::unique_ptr<DeviceMemory> owned[2];  // two, so that an output can be the next run's input
    int current = 0;
    std::byte* copied_to = nullptr;  // set where the value's own memory is not the output
  };
  // Consecutive steps that the device can record. A recording serves one set of addresses and
  // sizes; it is made when they come for the second time, or at once from one that is given up.
  struct Segment {
    size_t begin = 0, end = 0;
    RecordingCache recordings;
  };
  struct GroupState {
    std::vector<plan::Buffer> buffers;  // sizes of the last placement
    std::vector<uint64_t> offsets;
    uint64_t total = 0;
    int32_t block = plan::none;  // of the pool; the first group has the open arena
  };

  // executor_bind.cpp: from inputs to sized and placed values
  void bind();
  void stage_inputs();
  void choose_output_buffers();
  bool is_read(const void* data, uint64_t bytes) const;  // by this run
  bool read_start_symbols();
  int64_t read_symbol(const plan::SymbolDef& symbol) const;
  int64_t read_element(const plan::SymbolDef& symbol) const;
  void check_inputs() const;
  bool update_loose_inputs();
  std::span<const int32_t> start_values() const;
  void size_value(int32_t value);
  void update_dims(int32_t value, std::span<const int64_t> dims);
  void fill_words(int32_t value);
  void place(int32_t stage);
  std::byte* group_memory(int32_t stage, GroupState& state, uint64_t total);
  void locate_start_values();
  std::byte* locate(int32_t value);
  std::byte* locate_alias(int32_t value);
  std::byte* output_buffer(size_t i, uint64_t bytes);
  void ask_for_memory(size_t i, uint64_t bytes);
  bool owns(const std::byte* begin, uint64_t bytes) const;
  void mark_changed(int32_t value);

  // executor.cpp: steps
  void prepare_steps();
  void prepare_views();
  void find_segments();
  void add_segment(size_t begin, size_t end);
  void run_segment(size_t s);
  Hash128 prepare_segment(const Segment& segment);
  StepArgs bind_step(size_t s);
  void run_step(size_t s, const Profiler* profiler);
  std::vector<StepMemory> memory_of(size_t s);  // what its arguments lie in
  TensorView view(int32_t value);
  void reshape_step(size_t s, const StepArgs& args);
  void give_workspace(size_t s, StepArgs& args) const;
  void define(size_t index, int64_t value);
  void resize_output(size_t output, std::span<const int64_t> dims);
  void allocate_sized(int32_t value);
  void finish_step(size_t s);
  void release_after(size_t s);
  Executor& body_of_step(size_t index, size_t inputs);
  std::vector<Datum> run_body(size_t index, const std::vector<Datum>& inputs);
  std::span<const BodyValue> run_body_in_place(size_t index, std::span<const BodyValue> inputs);
  void bind_body_input(Executor& body, size_t i, const Datum& datum) const;
  std::vector<Datum> body_outputs(const Executor& body) const;
  void finish_outputs();
  std::string describe(size_t s) const;

  const plan::ValueDef& def(int32_t value) const {
    return info_.plan.values[static_cast<size_t>(value)];
  }
  ValueState& state(int32_t value) { return states_[static_cast<size_t>(value)]; }
  std::span<TensorView* const> views_of(int32_t value) const {
    const auto v = static_cast<size_t>(value);
    return std::span(views_of_).subspan(views_start_[v], views_start_[v + 1] - views_start_[v]);
  }
  void move_to(int32_t value, std::byte* data);

  const PlanInfo& info_;
  std::span<const plan::Weight> table_;
  std::span<const plan::KernelImage> code_;
  std::shared_ptr<Device> device_;
  const std::byte* weights_;
  plan::DimValues slots_;
  std::span<const int64_t> outer_;

  std::vector<InputBinding> inputs_;
  std::vector<std::unique_ptr<DeviceMemory>> staging_;  // per input, where it had to be copied
  std::vector<std::byte*> input_data_;                  // where each input lies for this run
  std::vector<Output> outputs_;
  std::vector<int64_t> start_values_;  // of info_.start_symbols, as last evaluated
  bool is_sized_ = false, has_run_ = false;

  std::vector<ValueState> states_;
  std::vector<int64_t> flat_dims_, new_dims_;
  std::vector<std::vector<int64_t>> loose_dims_;  // values of unknown rank
  std::vector<int64_t> words_;                    // elements of Storage::dims values
  std::vector<Datum> data_;
  std::vector<int32_t> own_block_;

  std::unique_ptr<DeviceMemory> arena_, open_arena_;
  uint64_t arena_growths_ = 0;
  MemoryPool pool_;
  std::vector<GroupState> groups_;
  std::vector<std::span<std::byte>> scratch_;
  std::unique_ptr<DeviceMemory> workspace_;  // of steps without scratch in the plan, one at a time

  std::vector<std::unique_ptr<StepRunner>> runners_;
  std::vector<bool> needs_reshape_;
  std::vector<int64_t> sizes_;       // of Step::sizes, as last evaluated
  std::vector<size_t> sizes_start_;  // per step, in `sizes_`; + total
  std::vector<Segment> segments_;    // in order
  std::vector<int32_t> segment_at_;  // per step: the segment that begins there, or none
  std::vector<TensorView> input_views_, output_views_;  // of all steps, as the values are now
  std::vector<TensorView*> views_of_;                   // each value's among them
  std::vector<size_t> views_start_;                     // per value, in `views_of_`; + total
  std::vector<bool> resized_, defined_;                 // outputs and defines of the running step
  std::vector<std::unique_ptr<Executor>> bodies_;
  size_t running_ = 0;
  std::vector<uint64_t> signature_;  // scratch of run_segment
  std::vector<StepArgs> segment_args_;
  const Profiler* profiler_ = nullptr;
  std::vector<BodyValue> body_results_;  // of this body's last run in place
  std::function<std::vector<Datum>(size_t, const std::vector<Datum>&)> run_body_;
  std::function<std::span<const BodyValue>(size_t, std::span<const BodyValue>)> run_body_in_place_;
  std::function<void(size_t, int64_t)> define_;
  std::function<void(size_t, std::span<const int64_t>)> resize_output_;
};

}  // namespace tenrec
