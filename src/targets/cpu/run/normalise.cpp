// SPDX-License-Identifier: Apache-2.0
// The family "normalise": softmax, log-softmax and the normalisations by a row's own statistics.
#include <cmath>

#include "ops/normalization.h"
#include "ops/softmax.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/row_loops.h"
#include "targets/cpu/run/runners.h"
#include "targets/cpu/run/tile.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t parallel_elements = 16 << 10;
constexpr int64_t column_tile = 64;

// Work on rows of floats, whatever float type memory holds: the row function gets float pointers.
class RowRunner : public StepRunner {
 protected:
  explicit RowRunner(RunEnvironment& environment)
      : threads_(environment.threads), isa_(environment.isa), rows_(row_loops(environment.isa)) {}

  // Call in reshape.
  void set_rows(const TensorView& view, int64_t count, int64_t size) {
    count_ = count;
    size_ = size;
    dtype_ = view.dtype;
    element_ = byte_size(view.dtype, 1);
    load_ = to_float(isa_, view.dtype);
    store_ = from_float(isa_, view.dtype);
    TENREC_CHECK(dtype_ == DType::f32 || (load_ && store_), invalid_engine, "rows of {}",
                 tenrec::name(dtype_));
    if (dtype_ != DType::f32)
      buffers_.assign(static_cast<size_t>(threads_.count()) * static_cast<size_t>(size), 0);
  }

  // Every family of rows writes as much as it reads; `each` a row of statistics.
  static void check_outputs(const StepArgs& args, int64_t rows) {
    const TensorView &in = args.inputs[0], &out = args.outputs[0];
    TENREC_CHECK(same_dims(in.dims, out.dims) && in.dtype == out.dtype, invalid_engine,
                 "{} {} normalised to {} {}", tenrec::name(in.dtype), tenrec::to_string(in.dims),
                 tenrec::name(out.dtype), tenrec::to_string(out.dims));
    for (size_t i = 1; i < args.outputs.size(); ++i) {
      const TensorView& view = args.outputs[i];
      TENREC_CHECK(!view.data || (view.dtype == DType::f32 && view.elements() == rows),
                   invalid_engine, "statistics of {} rows in {} {}", rows, tenrec::name(view.dtype),
                   tenrec::to_string(view.dims));
    }
  }

  template <class Each>  // each(row, const float* x, float* y)
  void each_row(const StepArgs& args, Each&& each) {
    const int tasks = tasks_for(count_, count_ * size_);
    threads_.parallel(tasks, [&](int task, int worker) {
      for (int64_t row = count_ * task / tasks; row < count_ * (task + 1) / tasks; ++row) {
        const std::byte* from = args.inputs[0].data + static_cast<size_t>(row * size_) * element_;
        std::byte* to = args.outputs[0].data + static_cast<size_t>(row * size_) * element_;
        if (dtype_ == DType::f32) {
          each(row, reinterpret_cast<const float*>(from), reinterpret_cast<float*>(to));
          continue;
        }
        float* buffer = buffers_.data() + static_cast<int64_t>(worker) * size_;
        load_(from, buffer, size_);
        each(row, buffer, buffer);
        store_(buffer, to, size_);
      }
    });
  }

  int tasks_for(int64_t units, int64_t elements) const {
    if (elements < parallel_elements) return 1;
    return static_cast<int>(std::clamp<int64_t>(units, 1, threads_.count()));
  }

  void check_parameter(const TensorView& view, int64_t count) const {
    TENREC_CHECK(
        (view.dtype == DType::f32 || to_float(isa_, view.dtype)) && view.elements() == count,
        invalid_engine, "a parameter of {} elements of {}, {} are needed", view.elements(),
        tenrec::name(view.dtype), count);
  }

  // Parameters as floats, converted when they are not.
  const float* floats(const TensorView& view, std::vector<float>& buffer) const {
    if (view.dtype == DType::f32) return view.as<float>();
    to_float(isa_, view.dtype)(view.data, buffer.data(), view.elements());
    return buffer.data();
  }

  const Threads& threads_;
  Isa isa_;
  const RowLoops& rows_;
  int64_t count_ = 0, size_ = 0;

 private:
  DType dtype_ = DType::f32;
  size_t element_ = 4;
  ConvertFn load_ = nullptr, store_ = nullptr;
  std::vector<float> buffers_;
};

class SoftmaxRunner : public RowRunner {
 public:
  SoftmaxRunner(int64_t axis, bool logarithm, RunEnvironment& environment)
      : RowRunner(environment), axis_(axis), logarithm_(logarithm) {}

  void reshape(const StepArgs& args) override {
    const TensorView& in = args.inputs[0];
    const auto rank = static_cast<int64_t>(in.dims.size());
    const auto axis = rank == 0 ? 0 : static_cast<size_t>(normalise_axis(axis_, rank));
    outer_ = inner_ = length_ = 1;
    for (size_t i = 0; i < in.dims.size(); ++i)
      (i < axis ? outer_ : i == axis ? length_ : inner_) *= in.dims[i];
    TENREC_CHECK(inner_ == 1 || in.dtype == DType::f32, invalid_engine,
                 "a softmax across rows of {}", tenrec::name(in.dtype));
    check_outputs(args, outer_ * inner_);
    if (inner_ == 1) set_rows(in, outer_, length_);
  }

  void run(const StepArgs& args) override {
    if (args.inputs[0].elements() == 0) return;
    if (inner_ == 1 && args.inputs[0].dtype == DType::f32) return run_rows(args);
    if (inner_ == 1) {
      each_row(args, [&](int64_t, const float* x, float* y) {
        rows_.softmax(x, 1, length_, logarithm_, y);
      });
      return;
    }
    const int64_t tiles = (inner_ + column_tile - 1) / column_tile, units = outer_ * tiles;
    const int tasks = tasks_for(units, args.inputs[0].elements());
    threads_.parallel(tasks, [&](int task, int) {
      for (int64_t unit = units * task / tasks; unit < units * (task + 1) / tasks; ++unit) {
        const int64_t first = unit % tiles * column_tile;
        const int64_t start = unit / tiles * length_ * inner_ + first;
        rows_.column_softmax(args.inputs[0].as<float>() + start, length_, inner_,
                             std::min(column_tile, inner_ - first), logarithm_,
                             args.outputs[0].as<float>() + start);
      }
    });
  }

 private:
  void run_rows(const StepArgs& args) const {
    const bool is_short = length_ <= short_row;
    const int64_t rows_a_unit = is_short ? 64 : 1;  // whole vectors of short rows
    const int64_t units = (outer_ + rows_a_unit - 1) / rows_a_unit;
    const int tasks = tasks_for(units, outer_ * length_);
    threads_.parallel(tasks, [&](int task, int) {
      const int64_t begin = units * task / tasks * rows_a_unit;
      const int64_t end = std::min(units * (task + 1) / tasks * rows_a_unit, outer_);
      (is_short ? rows_.short_softmax : rows_.softmax)(
          args.inputs[0].as<float>() + begin * length_, end - begin, length_, logarithm_,
          args.outputs[0].as<float>() + begin * length_);
    });
  }

  int64_t axis_;
  bool logarithm_;
  int64_t outer_ = 1, length_ = 1, inner_ = 1;
};

// LayerNormalization and RMSNormalization.
class LayerRunner : public RowRunner {
 public:
  LayerRunner(int64_t axis, float epsilon, bool centred, RunEnvironment& environment)
      : RowRunner(environment), axis_(axis), epsilon_(epsilon), centred_(centred) {}

  void reshape(const StepArgs& args) override {
    const TensorView& in = args.inputs[0];
    const auto axis =
        static_cast<size_t>(normalise_axis(axis_, static_cast<int64_t>(in.dims.size())));
    int64_t rows = 1, size = 1;
    for (size_t i = 0; i < in.dims.size(); ++i) (i < axis ? rows : size) *= in.dims[i];
    set_rows(in, rows, size);
    for (size_t i = 1; i < 3; ++i) {
      if (given(args.inputs, i)) check_parameter(args.inputs[i], size);
    }
    check_outputs(args, rows);
    scale_.resize(static_cast<size_t>(size));
    bias_.resize(static_cast<size_t>(size));
  }

  void run(const StepArgs& args) override {
    if (args.inputs[0].elements() == 0) return;
    const float* scale = given(args.inputs, 1) ? floats(args.inputs[1], scale_) : nullptr;
    const float* bias = given(args.inputs, 2) ? floats(args.inputs[2], bias_) : nullptr;
    float* means = args.outputs.size() > 1 ? args.outputs[1].as<float>() : nullptr;
    float* deviations = args.outputs.size() > 2 ? args.outputs[2].as<float>() : nullptr;
    const auto n = static_cast<double>(size_);
    each_row(args, [&](int64_t row, const float* x, float* y) {
      const auto mean =
          centred_ ? static_cast<float>(rows_.sum(x, size_, RowMap::identity) / n) : 0.0F;
      const double squares =
          centred_ ? rows_.squares_around(x, size_, mean) : rows_.sum(x, size_, RowMap::square);
      const auto inverse =
          static_cast<float>(1 / std::sqrt(squares / n + static_cast<double>(epsilon_)));
      rows_.normalise(x, size_, mean, inverse, scale, bias, y);
      if (means) means[row] = mean;
      if (deviations) deviations[row] = inverse;
    });
  }

 private:
  int64_t axis_;
  float epsilon_;
  bool centred_;
  std::vector<float> scale_, bias_;
};

// InstanceNormalization (as many groups as channels, groups = 0) and GroupNormalization.
class GroupRunner : public RowRunner {
 public:
  GroupRunner(int64_t groups, float epsilon, RunEnvironment& environment)
      : RowRunner(environment), groups_(groups), epsilon_(epsilon) {}

  void reshape(const StepArgs& args) override {
    const TensorView& in = args.inputs[0];
    TENREC_CHECK(in.dims.size() >= 2, invalid_engine, "there is no channel axis in {}",
                 tenrec::to_string(dims_of(in)));
    channels_ = in.dims[1];
    plane_ = 1;
    for (size_t i = 2; i < in.dims.size(); ++i) plane_ *= in.dims[i];
    const int64_t groups = groups_ == 0 ? channels_ : groups_;
    TENREC_CHECK(groups > 0 && channels_ % groups == 0, invalid_engine, "{} channels in {} groups",
                 channels_, groups);
    check_parameter(args.inputs[1], channels_);
    check_parameter(args.inputs[2], channels_);
    check_outputs(args, in.dims[0] * groups);
    each_ = channels_ / groups;
    set_rows(in, in.dims[0] * groups, each_ * plane_);
    scale_.resize(static_cast<size_t>(channels_));
    bias_.resize(static_cast<size_t>(channels_));
  }

  void run(const StepArgs& args) override {
    if (args.inputs[0].elements() == 0) return;
    const float* scale = floats(args.inputs[1], scale_);
    const float* bias = floats(args.inputs[2], bias_);
    const auto n = static_cast<double>(size_);
    const int64_t groups = channels_ / each_;
    each_row(args, [&](int64_t row, const float* x, float* y) {
      const auto mean = static_cast<float>(rows_.sum(x, size_, RowMap::identity) / n);
      const double inverse =
          1 / std::sqrt(rows_.squares_around(x, size_, mean) / n + static_cast<double>(epsilon_));
      for (int64_t c = 0; c < each_; ++c) {
        const int64_t channel = row % groups * each_ + c;
        const double factor = inverse * static_cast<double>(scale[channel]);
        rows_.shift_scale(x + c * plane_, plane_, mean, static_cast<float>(factor), y + c * plane_);
        if (bias[channel] != 0)
          rows_.shift_scale(y + c * plane_, plane_, -bias[channel], 1, y + c * plane_);
      }
    });
  }

 private:
  int64_t groups_;
  float epsilon_;
  int64_t channels_ = 1, plane_ = 1, each_ = 1;
  std::vector<float> scale_, bias_;
};

}  // namespace

Runner prepare_normalise(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  const Op op = decode_step_op(step);
  if (const auto* s = op.as<Softmax>())
    return std::make_unique<SoftmaxRunner>(s->axis, false, environment);
  if (const auto* s = op.as<LogSoftmax>())
    return std::make_unique<SoftmaxRunner>(s->axis, true, environment);
  if (const auto* n = op.as<LayerNormalization>()) {
    return std::make_unique<LayerRunner>(n->axis, n->epsilon, true, environment);
  }
  if (const auto* n = op.as<RMSNormalization>()) {
    return std::make_unique<LayerRunner>(n->axis, n->epsilon, false, environment);
  }
  if (const auto* n = op.as<InstanceNormalization>())
    return std::make_unique<GroupRunner>(0, n->epsilon, environment);
  if (const auto* n = op.as<GroupNormalization>()) {
    return std::make_unique<GroupRunner>(n->num_groups, n->epsilon, environment);
  }
  fail(ErrorCode::invalid_engine, "the normalise family has no operator \"{}\"", step.op);
}

}  // namespace tenrec::cpu
