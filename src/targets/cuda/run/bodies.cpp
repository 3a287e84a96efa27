// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/wire.h"
#include "plan/dims.h"
#include "targets/cuda/run/bodies_params.h"
#include "targets/cuda/run/runners.h"

namespace tenrec::cuda {
namespace {

// A value that outlives the next run of the body that gave it, but for the memory, which the
// executor looks after.
struct Kept {
  BodyValue value;
  std::vector<int64_t> dims;
  void set(const BodyValue& from) {
    dims.assign(from.dims.begin(), from.dims.end());
    value = from;
    value.dims = dims;
  }
};

// What the iterations gave of one output, one after the other.
struct Rows {
  std::unique_ptr<DeviceMemory> memory;
  std::vector<int64_t> dims;  // of one
  uint64_t bytes = 0;         // of one
  int64_t count = 0;
};

class Bodies : public StepRunner {
 public:
  explicit Bodies(const StepSource& source)
      : device_(source.environment.device),
        params_(decode<BodiesParams>(source.step.params)),
        wanted_(source.step.outputs.size()),
        decides_(decides_sizes(source.plan, source.step)) {
    check_shape(source);
    for (const int32_t input : source.step.inputs)
      on_host_.push_back(lies_on_host(source.plan, input));
    for (size_t i = 0; i < wanted_.size(); ++i) wanted_[i] = source.step.outputs[i] != plan::none;
    learns_sizes_ = !source.step.defines.empty();
    kept_.resize(static_cast<size_t>(params_.carried));
    rows_.resize(params_.collected.size());
    if (params_.kind != BodyKind::loop) return;
    const plan::Plan& body = source.plan.bodies[static_cast<size_t>(source.step.bodies[0])];
    keeps_condition_ = root(body, body.outputs[0]) == body.inputs[1];
  }

  void run(const StepArgs& args) override {
    arguments_.clear();
    switch (params_.kind) {
      case BodyKind::branch: return run_branch(args);
      case BodyKind::loop: return run_loop(args);
      case BodyKind::scan: return run_scan(args);
    }
  }

 private:
  void check_shape(const StepSource& source) const {
    const plan::Step& step = source.step;
    const bool is_branch = params_.kind == BodyKind::branch;
    const bool is_loop = params_.kind == BodyKind::loop;
    const size_t carried = static_cast<size_t>(params_.carried);
    const size_t own = is_loop ? 2 + carried : is_branch ? 1 : carried + params_.backward.size();
    bool fits = params_.kind <= BodyKind::scan && params_.carried >= 0 &&
                carried <= step.inputs.size() && step.bodies.size() == (is_branch ? 2 : 1) &&
                step.inputs.size() >= own &&
                (params_.kind != BodyKind::scan || !params_.backward.empty());
    for (size_t i = 0; fits && i < step.inputs.size(); ++i)
      fits = step.inputs[i] != plan::none || (is_loop && i < 2);
    const size_t given = is_branch ? step.outputs.size() : carried + params_.collected.size();
    fits = fits && step.outputs.size() == given;
    for (size_t i = 0; fits && i < step.bodies.size(); ++i) {
      const plan::Plan& body = source.plan.bodies[static_cast<size_t>(step.bodies[i])];
      fits = body.inputs.size() == step.inputs.size() - (is_branch ? 1 : 0) &&
             body.outputs.size() == given + (is_loop ? 1 : 0) && are_plain(body, body.inputs) &&
             are_plain(body, body.outputs);
    }
    TENREC_CHECK(
        fits && are_plain(source.plan, step.inputs) && are_plain(source.plan, step.outputs),
        invalid_engine, "control flow and its bodies do not fit together");
  }

  static bool are_plain(const plan::Plan& plan, const std::vector<int32_t>& values) {
    return std::all_of(values.begin(), values.end(), [&](int32_t value) {
      if (value == plan::none) return true;
      const plan::ValueDef& def = plan.values[static_cast<size_t>(value)];
      return def.storage != plan::Storage::host && def.block_axis < 0 && !def.channels_last;
    });
  }

  static int32_t root(const plan::Plan& plan, int32_t value) {
    while (plan.values[static_cast<size_t>(value)].storage == plan::Storage::alias)
      value = plan.values[static_cast<size_t>(value)].index;
    return value;
  }

  BodyValue input(const StepArgs& args, size_t i) const {
    const TensorView& view = args.inputs[i];
    return {view.data, view.dtype, view.dims, plan::layout_bytes(*view.def, view.dims),
            on_host_[i]};
  }

  void add_captures(const StepArgs& args, size_t first) {
    for (size_t i = first; i < args.inputs.size(); ++i) arguments_.push_back(input(args, i));
  }

  template <class T>
  T read(const BodyValue& value, std::string_view what) const {
    TENREC_CHECK(value.bytes == sizeof(T), invalid_input, "{} has {} bytes, {} are expected", what,
                 value.bytes, sizeof(T));
    T result{};
    if (value.in_host_memory) std::memcpy(&result, value.data, sizeof(T));
    else device_.copy_to_host(&result, value.data, sizeof(T));
    return result;
  }

  // --- results ---

  std::byte* output_memory(const StepArgs& args, size_t i, std::span<const int64_t> dims) const {
    const TensorView& view = args.outputs[i];
    if (args.resize_output && decides_ && (learns_sizes_ || !view.def->ranked))
      (*args.resize_output)(i, dims);
    TENREC_CHECK(std::equal(view.dims.begin(), view.dims.end(), dims.begin(), dims.end()),
                 invalid_input, "a body gives output {} as [{}], its shape is [{}]", i,
                 fmt::join(dims, ", "), fmt::join(view.dims, ", "));
    return view.data;
  }

  void give(const StepArgs& args, size_t i, const BodyValue& value) const {
    if (!wanted_[i]) return;
    std::byte* const to = output_memory(args, i, value.dims);
    if (value.in_host_memory) device_.copy_from_host(to, value.data, value.bytes);
    else device_.copy(to, value.data, value.bytes);
  }

  void collect(size_t k, const BodyValue& value) {
    Rows& rows = rows_[k];
    if (rows.count == 0) {
      rows.dims.assign(value.dims.begin(), value.dims.end());
      rows.bytes = value.bytes;
    }
    TENREC_CHECK(
        std::equal(value.dims.begin(), value.dims.end(), rows.dims.begin(), rows.dims.end()),
        invalid_input, "iteration {} gives collected output {} as [{}], those before gave [{}]",
        rows.count, k, fmt::join(value.dims, ", "), fmt::join(rows.dims, ", "));
    const uint64_t at = rows.bytes * static_cast<uint64_t>(rows.count);
    if (!rows.memory || rows.memory->bytes < at + rows.bytes) {
      auto more = device_.allocate(std::max<uint64_t>(2 * at, at + rows.bytes), "a loop's results");
      if (rows.count > 0) device_.copy(more->data, rows.memory->data, at);
      device_.synchronise();  // until then the old memory is read
      rows.memory = std::move(more);
    }
    ++rows.count;
    if (value.in_host_memory)
      device_.copy_from_host(rows.memory->data + at, value.data, rows.bytes);
    else device_.copy(rows.memory->data + at, value.data, rows.bytes);
  }

  void give_collected(const StepArgs& args, size_t i, size_t k) {
    if (!wanted_[i]) return;
    const Rows& rows = rows_[k];
    row_dims_.assign({rows.count});
    const std::vector<int64_t>& dims = rows.count > 0 ? rows.dims : params_.collected[k].dims;
    row_dims_.insert(row_dims_.end(), dims.begin(), dims.end());
    std::byte* const to = output_memory(args, i, row_dims_);
    if (rows.count == 0) return;
    const uint64_t all = rows.bytes * static_cast<uint64_t>(rows.count);
    if (!params_.collected[k].backward) return device_.copy(to, rows.memory->data, all);
    for (uint64_t at = 0; at < all; at += rows.bytes)
      device_.copy(to + (all - rows.bytes - at), rows.memory->data + at, rows.bytes);
  }

  void begin_iterations(const StepArgs& args, size_t first_carried) {
    for (size_t k = 0; k < kept_.size(); ++k) kept_[k].set(input(args, first_carried + k));
    for (Rows& rows : rows_) rows.count = 0;
  }

  void end_iteration(std::span<const BodyValue> results) {
    for (size_t k = 0; k < kept_.size(); ++k) kept_[k].set(results[k]);
    for (size_t k = 0; k < rows_.size(); ++k) collect(k, results[kept_.size() + k]);
  }

  void end_iterations(const StepArgs& args) {
    for (size_t k = 0; k < kept_.size(); ++k) give(args, k, kept_[k].value);
    for (size_t k = 0; k < rows_.size(); ++k) give_collected(args, kept_.size() + k, k);
  }

  // --- the three ---

  void run_branch(const StepArgs& args) {
    const bool taken = read<uint8_t>(input(args, 0), "If's condition") != 0;
    add_captures(args, 1);
    const auto results = (*args.run_body_in_place)(taken ? 0 : 1, arguments_);
    for (size_t i = 0; i < results.size(); ++i) give(args, i, results[i]);
  }

  void run_loop(const StepArgs& args) {
    const int64_t limit =
        args.inputs[0].def ? read<int64_t>(input(args, 0), "the trip count of a Loop") : INT64_MAX;
    condition_ = args.inputs[1].def ? read<uint8_t>(input(args, 1), "a Loop's condition") : 1;
    begin_iterations(args, 2);
    for (iteration_ = 0; iteration_ < limit && condition_ != 0; ++iteration_) {
      arguments_.clear();
      arguments_.push_back({reinterpret_cast<const std::byte*>(&iteration_),
                            DType::i64,
                            {},
                            sizeof iteration_,
                            true});
      arguments_.push_back({reinterpret_cast<const std::byte*>(&condition_),
                            DType::boolean,
                            {},
                            sizeof condition_,
                            true});
      for (const Kept& kept : kept_) arguments_.push_back(kept.value);
      add_captures(args, 2 + kept_.size());
      const auto results = (*args.run_body_in_place)(0, arguments_);
      if (!keeps_condition_) condition_ = read<uint8_t>(results[0], "a Loop's condition");
      end_iteration(results.subspan(1));
    }
    end_iterations(args);
  }

  void run_scan(const StepArgs& args) {
    const size_t sequences = params_.backward.size();
    int64_t length = -1;
    for (size_t i = 0; i < sequences; ++i) {
      const std::span<const int64_t> dims = args.inputs[kept_.size() + i].dims;
      TENREC_CHECK(!dims.empty(), invalid_input, "Scan over a scalar");
      const int64_t own = dims[0];
      if (length < 0) length = own;
      TENREC_CHECK(own == length, invalid_input, "Scan over sequences of {} and {} steps", length,
                   own);
    }
    begin_iterations(args, 0);
    for (int64_t at = 0; at < length; ++at) {
      arguments_.clear();
      for (const Kept& kept : kept_) arguments_.push_back(kept.value);
      for (size_t i = 0; i < sequences; ++i) {
        BodyValue slice = input(args, kept_.size() + i);
        slice.bytes /= static_cast<uint64_t>(length);
        const int64_t index = params_.backward[i] == 1 ? length - 1 - at : at;
        slice.data += static_cast<uint64_t>(index) * slice.bytes;
        slice.dims = slice.dims.subspan(1);
        arguments_.push_back(slice);
      }
      add_captures(args, kept_.size() + sequences);
      end_iteration((*args.run_body_in_place)(0, arguments_));
    }
    end_iterations(args);
  }

  Device& device_;
  BodiesParams params_;
  std::vector<bool> wanted_, on_host_;
  bool decides_, learns_sizes_ = false;
  bool keeps_condition_ = false;  // the Loop's body gives the condition that it got
  std::vector<Kept> kept_;
  std::vector<Rows> rows_;
  std::vector<BodyValue> arguments_;
  std::vector<int64_t> row_dims_;
  int64_t iteration_ = 0;
  uint8_t condition_ = 1;
};

}  // namespace

Runner prepare_bodies(const StepSource& source) { return std::make_unique<Bodies>(source); }

}  // namespace tenrec::cuda
