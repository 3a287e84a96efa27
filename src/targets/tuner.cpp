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
constexpr int wins_needed = 4;
constexpr uint64_t least_rotated = 24ULL << 20, most_rotated = 64ULL << 20;
constexpr uint64_t host_activations = 4ULL << 20;  // beyond the caches of a few cores
constexpr size_t max_copies = 24;
constexpr int max_recorded = 100;
constexpr double hopeless = 1.5;      // slower than the champion by this: one round is enough
constexpr double first_hopeless = 8;  // the same for the very first run
// Of a first run on a device that is not the host: launching, waiting, and what else the host does.
constexpr double reach_microseconds = 60;

double elapsed_microseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

double median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

// Everything a static plan needs to run: memory for each value and scratch, and prepared steps.
// What lies in memory is `source`'s, if there is one: copies on the device cost less than making
// the same numbers again. With a lender only the weights are its own.
class TimedPlan::Instance {
 public:
  Instance(Device& device, const plan::Plan& plan, const plan::WeightStore& weights,
           std::span<const plan::KernelImage> code, uint64_t seed, const Instance* source,
           const Instance* lender)
      : device_(device),
        plan_(plan),
        schedule_(plan),
        slots_(plan, schedule_),
        code_(code),
        source_(source),
        lender_(lender) {
    slots_.evaluate(plan::at_start);
    allocate(weights, seed);
    for (const plan::Step& step : plan.steps) prepare(step);
  }

  void run() {
    for (auto& [runner, args] : steps_) runner->run(args);
  }

  uint64_t weight_bytes() const { return weight_bytes_; }
  uint64_t other_bytes() const { return other_bytes_; }
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
      const bool is_weight = def.storage == plan::Storage::weight;
      if (lender_ && !is_weight) {
        views_[i].data = lender_->views_[i].data;
        continue;
      }
      const auto size = static_cast<uint64_t>(std::max<int64_t>(slots_[def.bytes], 1));
      if (def.storage == plan::Storage::dims) {
        views_[i].data = host_.emplace_back(host_dims(def, size)).data();
        continue;
      }
      memory_.push_back(device_.allocate(size, "timing"));
      (is_weight ? weight_bytes_ : other_bytes_) += size;
      views_[i].data = memory_.back()->data;
      if (source_) device_.copy(views_[i].data, source_->views_[i].data, size);
      else fill(def, size, weights, random, views_[i].data);
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
      prepared.args.scratch = scratch(size);
    }
    std::vector<int64_t>& sizes = sizes_.emplace_back();
    for (const int32_t slot : step.sizes) sizes.push_back(slots_[slot]);
    prepared.args.sizes = sizes;
    prepared.runner->reshape(prepared.args);
    const uint64_t workspace = prepared.runner->workspace_bytes();
    if (step.scratch == plan::none && workspace > 0) {
      prepared.args.scratch = scratch(workspace);
    }
    steps_.push_back(std::move(prepared));
  }

  std::span<std::byte> scratch(uint64_t size) {
    if (lender_) return lender_->steps_[steps_.size()].args.scratch;
    memory_.push_back(device_.allocate(size, "timing scratch"));
    return {memory_.back()->data, static_cast<size_t>(size)};
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
  const Instance* source_;
  const Instance* lender_;
  std::vector<std::unique_ptr<DeviceMemory>> memory_;
  std::vector<std::vector<int64_t>> dims_;
  std::vector<TensorView> views_;
  std::deque<std::vector<TensorView>> arguments_;  // a deque: spans into it stay valid
  std::deque<std::vector<int64_t>> sizes_;
  std::deque<std::vector<std::byte>> host_;
  std::vector<Prepared> steps_;
  uint64_t weight_bytes_ = 0, other_bytes_ = 0;
};

TimedPlan::TimedPlan(Device& device, plan::Plan plan, plan::WeightStore weights,
                     std::vector<plan::KernelImage> code, uint64_t seed, uint64_t last_level_cache)
    : device_(device),
      plan_(std::move(plan)),
      weights_(std::move(weights)),
      code_(std::move(code)),
      seed_(seed),
      last_level_cache_(last_level_cache) {
  instances_.push_back(
      std::make_unique<Instance>(device_, plan_, weights_, code_, seed_, nullptr, nullptr));
}
TimedPlan::~TimedPlan() = default;

double TimedPlan::run_many(int count) {
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < count; ++i) instances_[next_++ % instances_.size()]->run();
  device_.synchronise();
  return elapsed_microseconds(start) / count;
}

double TimedPlan::first_run() {
  return run_many(1) - (device_.host_memory() ? 0 : reach_microseconds);
}

void TimedPlan::make_copies() {
  const uint64_t weights = instances_[0]->weight_bytes(), others = instances_[0]->other_bytes();
  const bool shares = device_.host_memory();
  const uint64_t each = shares ? weights : weights + others;
  const uint64_t rotated =
      shares ? std::clamp(2 * last_level_cache_, least_rotated, most_rotated) : least_rotated;
  constexpr uint64_t small = 1 << 16;
  const auto copies = [](uint64_t of, uint64_t bytes) {
    return bytes > small ? std::min<size_t>(max_copies, 1 + of / bytes) : 1;
  };
  const size_t own = shares ? copies(host_activations, others) : max_copies;
  const size_t all = std::max(copies(rotated, each), shares ? own : 1);
  try {
    while (instances_.size() < all) {
      const size_t i = instances_.size();
      const Instance* lender = i < own ? nullptr : instances_[i % own].get();
      instances_.push_back(std::make_unique<Instance>(device_, plan_, weights_, code_, seed_,
                                                      instances_[0].get(), lender));
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::out_of_memory) throw;  // then it rotates less
  }
}

double TimedPlan::round() {
  if (count_ == 0) {
    make_copies();
    const double guess = std::max(run_many(1), 0.1);
    count_ = static_cast<int>(std::clamp(round_microseconds / guess, 1.0, 1000.0));
    // As it will run: recorded where the device can, so that the calls themselves do not count.
    if (device_.can_record() && instances_[0]->recordable()) {
      count_ = std::max(std::min(count_, max_recorded), static_cast<int>(instances_.size()));
      recording_ = device_.record(
          [&] {
            for (int i = 0; i < count_; ++i) instances_[next_++ % instances_.size()]->run();
          },
          nullptr);
      recording_->replay();
      device_.synchronise();
    }
  }
  if (!recording_) return run_many(count_);
  const Clock::time_point start = Clock::now();
  const double took = recording_->replay_timed();
  if (took > 0) return took / count_;
  device_.synchronise();
  return elapsed_microseconds(start) / count_;
}

Duel duel(TimedPlan& champion, TimedPlan& challenger) {
  std::vector<double> old_times, new_times;
  const double first = challenger.first_run();
  old_times.push_back(champion.round());
  if (first > old_times[0] * first_hopeless) return {old_times[0], first, false};
  new_times.push_back(challenger.round());
  if (new_times[0] > old_times[0] * hopeless) return {old_times[0], new_times[0], false};
  int wins = new_times[0] < old_times[0] ? 1 : 0;
  for (int round = 1; round < rounds; ++round) {
    if (round % 2 == 0) old_times.push_back(champion.round());
    new_times.push_back(challenger.round());
    if (round % 2 == 1) old_times.push_back(champion.round());
    wins += new_times.back() < old_times.back() ? 1 : 0;
  }
  return {median(old_times), median(new_times), wins >= wins_needed};
}

}  // namespace tenrec
