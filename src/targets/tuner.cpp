// SPDX-License-Identifier: Apache-2.0
#include "targets/tuner.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <random>

#include "base/error.h"
#include "ir/tensor.h"
#include "plan/dims.h"
#include "plan/memory.h"

namespace tenrec {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double round_microseconds = 2000;  // of one round of runs
constexpr int rounds = 5;
constexpr uint64_t rotate_bytes = 24ULL << 20;  // beyond a core's share of the last-level cache
constexpr int max_copies = 8;
constexpr int max_recorded = 100;
constexpr double hopeless = 1.5;  // slower than the best by this: one round is enough

// Everything a static plan needs to run: memory for each value and scratch, and prepared steps.
class Instance {
 public:
  Instance(Device& device, const plan::Plan& plan, const plan::WeightStore& weights,
           std::span<const plan::KernelImage> code, uint64_t seed)
      : device_(device), plan_(plan), schedule_(plan), slots_(plan, schedule_), code_(code) {
    slots_.evaluate(plan::at_start);
    allocate(weights, seed);
    for (const plan::Step& step : plan.steps) prepare(step);
  }

  void run() {
    for (auto& [runner, args] : steps_) runner->run(args);
  }

  uint64_t bytes() const { return bytes_; }
  bool recordable() const {
    return std::all_of(steps_.begin(), steps_.end(),
                       [](const Prepared& step) { return step.runner->recordable(); });
  }

 private:
  struct Prepared {
    std::unique_ptr<StepRunner> runner;
    StepArgs args;
  };

  void allocate(const plan::WeightStore& weights, uint64_t seed) {
    const plan::Lifetimes lives = plan::lifetimes(plan_);
    views_.resize(plan_.values.size());
    dims_.resize(plan_.values.size());
    std::mt19937_64 random(seed);
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const plan::ValueDef& def = plan_.values[i];
      TENREC_ASSERT(def.storage != plan::Storage::host, "timing a step on host values");
      for (const int32_t slot : def.dims) dims_[i].push_back(slots_[slot]);
      views_[i] = {nullptr, def.dtype, dims_[i], &def, nullptr};
      if (lives.root[i] != static_cast<int32_t>(i)) continue;
      const auto size = static_cast<uint64_t>(std::max<int64_t>(slots_[def.bytes], 1));
      if (def.storage == plan::Storage::dims) {
        views_[i].data = host_.emplace_back(host_dims(def, size)).data();
        continue;
      }
      memory_.push_back(device_.allocate(size, "timing"));
      bytes_ += size;
      views_[i].data = memory_.back()->data;
      fill(def, size, weights, random, memory_.back()->data);
    }
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const auto root = static_cast<size_t>(lives.root[i]);
      if (root != i) views_[i].data = views_[root].data;
    }
  }

  void fill(const plan::ValueDef& def, uint64_t size, const plan::WeightStore& weights,
            std::mt19937_64& random, std::byte* to) {
    if (def.storage == plan::Storage::weight) {
      const plan::Weight& weight = weights.weights()[static_cast<size_t>(def.index)];
      for (const auto& piece : weights.pieces()) {
        if (piece.offset == weight.offset)
          device_.copy_from_host(to, piece.bytes.data(), weight.bytes);
      }
      return;
    }
    if (def.dtype == DType::f32 || def.dtype == DType::f16 || def.dtype == DType::bf16)
      return repeat(numbers(def.dtype, random), size, to);
    const std::vector<std::byte> host(size, std::byte{0});
    device_.copy_from_host(to, host.data(), size);
  }

  // Sizes as data lie on the host, whatever the device.
  std::vector<std::byte> host_dims(const plan::ValueDef& def, uint64_t size) const {
    std::vector<std::byte> host(size, std::byte{0});
    std::vector<int64_t> elements;
    for (const int32_t slot : def.elements) elements.push_back(slots_[slot]);
    const Tensor tensor =
        Tensor::from_ints(def.dtype, {static_cast<int64_t>(elements.size())}, elements);
    std::memcpy(host.data(), tensor.data(), static_cast<size_t>(tensor.bytes()));
    return host;
  }

  // The piece once from the host; what is there doubles on the device until all is filled.
  void repeat(const std::vector<std::byte>& piece, uint64_t size, std::byte* to) {
    uint64_t filled = std::min<uint64_t>(piece.size(), size);
    device_.copy_from_host(to, piece.data(), filled);
    while (filled < size) {
      const uint64_t more = std::min(filled, size - filled);
      device_.copy(to + filled, to, more);
      filled += more;
    }
    device_.synchronise();  // the piece goes away
  }

  // A piece that inputs are made of, over and over. Values near 1 keep every operator away from
  // infinities and denormals.
  static std::vector<std::byte> numbers(DType dtype, std::mt19937_64& random) {
    constexpr int64_t count = 1 << 14;
    std::vector<double> values(count);
    for (double& value : values) value = 0.5 + static_cast<double>(random() >> 40) * 0x1p-24;
    const Tensor tensor = Tensor::from_doubles(dtype, {count}, values);
    return {tensor.data(), tensor.data() + tensor.bytes()};
  }

  void prepare(const plan::Step& step) {
    Prepared prepared;
    prepared.runner = device_.prepare_coded(plan_, step, code_);
    prepared.args.inputs = views_of(step.inputs);
    prepared.args.outputs = views_of(step.outputs);
    if (step.scratch != plan::none && slots_[step.scratch] > 0) {
      const auto size = static_cast<uint64_t>(slots_[step.scratch]);
      memory_.push_back(device_.allocate(size, "timing scratch"));
      prepared.args.scratch = {memory_.back()->data, static_cast<size_t>(size)};
    }
    std::vector<int64_t>& sizes = sizes_.emplace_back();
    for (const int32_t slot : step.sizes) sizes.push_back(slots_[slot]);
    prepared.args.sizes = sizes;
    prepared.runner->reshape(prepared.args);
    const uint64_t workspace = prepared.runner->workspace_bytes();
    if (step.scratch == plan::none && workspace > 0) {
      memory_.push_back(device_.allocate(workspace, "timing workspace"));
      prepared.args.scratch = {memory_.back()->data, static_cast<size_t>(workspace)};
    }
    steps_.push_back(std::move(prepared));
  }

  std::span<TensorView> views_of(const std::vector<int32_t>& values) {
    std::vector<TensorView>& list = arguments_.emplace_back();
    for (const int32_t value : values) {
      list.push_back(value == plan::none ? TensorView{} : views_[static_cast<size_t>(value)]);
    }
    return list;
  }

  Device& device_;
  const plan::Plan& plan_;
  plan::DimSchedule schedule_;
  plan::DimValues slots_;
  std::span<const plan::KernelImage> code_;
  std::vector<std::unique_ptr<DeviceMemory>> memory_;
  std::vector<std::vector<int64_t>> dims_;
  std::vector<TensorView> views_;
  std::deque<std::vector<TensorView>> arguments_;  // a deque: spans into it stay valid
  std::deque<std::vector<int64_t>> sizes_;
  std::deque<std::vector<std::byte>> host_;
  std::vector<Prepared> steps_;
  uint64_t bytes_ = 0;
};

double elapsed_microseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

}  // namespace

double time_plan(Device& device, const plan::Plan& plan, const plan::WeightStore& weights,
                 std::span<const plan::KernelImage> code, uint64_t seed, double best) {
  std::vector<std::unique_ptr<Instance>> instances;
  instances.push_back(std::make_unique<Instance>(device, plan, weights, code, seed));
  Clock::time_point start = Clock::now();
  instances[0]->run();
  device.synchronise();
  const double first = elapsed_microseconds(start);
  if (first > best * 8) return first;
  const uint64_t copies = std::min<uint64_t>(
      max_copies, 1 + rotate_bytes / std::max<uint64_t>(instances[0]->bytes(), 1 << 16));
  while (instances.size() < copies && instances[0]->bytes() > 1 << 16) {
    instances.push_back(std::make_unique<Instance>(device, plan, weights, code, seed));
  }
  size_t next = 0;
  const auto run_many = [&](int count) {
    start = Clock::now();
    for (int i = 0; i < count; ++i) instances[next++ % instances.size()]->run();
    device.synchronise();
    return elapsed_microseconds(start) / count;
  };
  const double guess = run_many(1);
  int count = static_cast<int>(std::clamp(round_microseconds / std::max(guess, 0.1), 1.0, 1000.0));
  // As it will run: recorded where the device can, so that the calls themselves do not count.
  std::unique_ptr<Recording> recording;
  if (device.can_record() && instances[0]->recordable()) {
    count = std::max(std::min(count, max_recorded), static_cast<int>(instances.size()));
    device.begin_recording();
    for (int i = 0; i < count; ++i) instances[next++ % instances.size()]->run();
    recording = device.end_recording(nullptr);
    recording->replay();
    device.synchronise();
  }
  const auto run_round = [&] {
    if (!recording) return run_many(count);
    start = Clock::now();
    recording->replay();
    device.synchronise();
    return elapsed_microseconds(start) / count;
  };
  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) {
    times.push_back(run_round());
    if (round == 0 && times[0] > best * hopeless) return times[0];
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace tenrec
