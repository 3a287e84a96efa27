// SPDX-License-Identifier: Apache-2.0
// The family "reduce". A reduction is done by one thread in one order: results do not depend on how
// many there are.
#include <cmath>
#include <limits>

#include "ops/reduce.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/row_loops.h"
#include "targets/cpu/run/runners.h"
#include "targets/cpu/run/value_watch.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t column_tile = 64;
constexpr int64_t parallel_elements = 64 << 10;

// Loops that are kept, or reduced, as sizes and strides; never empty.
struct Loops {
  PerAxis sizes{}, strides{};
  int64_t count() const {
    int64_t n = 1;
    for (const int64_t size : sizes) n *= size;
    return n;
  }
  // Offset of iteration `i` of all loops but the last `skip`.
  int64_t offset(int64_t i, size_t skip = 0) const {
    int64_t at = 0;
    for (size_t axis = sizes.size() - skip; axis-- > 0;) {
      at += i % sizes[axis] * strides[axis];
      i /= sizes[axis];
    }
    return at;
  }
  void add(int64_t size, int64_t stride, bool merge) {
    if (merge && !sizes.empty() && strides.back() == size * stride) {
      sizes.back() *= size;
      strides.back() = stride;
      return;
    }
    sizes.push_back(size);
    strides.push_back(stride);
  }
};

bool sums(ReduceKind kind) {
  return kind != ReduceKind::max && kind != ReduceKind::min && kind != ReduceKind::prod &&
         kind != ReduceKind::log_sum_exp;
}

RowMap map_of(ReduceKind kind) {
  if (kind == ReduceKind::l1) return RowMap::absolute;
  return kind == ReduceKind::l2 || kind == ReduceKind::sum_square ? RowMap::square
                                                                  : RowMap::identity;
}

double finished(ReduceKind kind, double sum, int64_t count) {
  switch (kind) {
    case ReduceKind::mean: return sum / static_cast<double>(count);
    case ReduceKind::l2: return std::sqrt(sum);
    case ReduceKind::log_sum: return std::log(sum);
    default: return sum;
  }
}

class Reduction : public StepRunner {
 public:
  Reduction(const plan::Step& step, RunEnvironment& environment)
      : op_(step_op<Reduce>(step)),
        threads_(environment.threads),
        rows_(row_loops(environment.isa)) {}

  void reshape(const StepArgs& args) override {
    const TensorView& in = args.inputs[0];
    TENREC_CHECK(in.dtype == DType::f32 || in.dtype == DType::f64 || in.dtype == DType::i32 ||
                     in.dtype == DType::i64,
                 invalid_engine, "a reduction of {}", tenrec::name(in.dtype));
    const Layout layout = layout_of(in);
    PerAxis listed;
    if (given(args.inputs, 1)) listed = ints_of(args.inputs[1]);
    const auto logical = op_.reduced_axes(static_cast<int64_t>(in.dims.size()), listed);
    Reduce::ByAxis reduced = logical;
    if (layout.channels_last && in.dims.size() > 2) {
      reduced.move_to_back(1);
    } else if (layout.block_axis >= 0) {
      TENREC_CHECK(!logical[static_cast<size_t>(layout.block_axis)], invalid_engine,
                   "a reduction over channel blocks");
      reduced.push_back(0);
    }
    split_loops(physical_dims(in.dims, layout), reduced);
    const auto outputs = static_cast<int64_t>(physical_elements(args.outputs[0]));
    TENREC_CHECK(kept_.count() == outputs, invalid_engine,
                 "a reduction of {} gives {} values, the plan has {}", tenrec::to_string(in.dims),
                 kept_.count(), outputs);
    watch_.remember(args.inputs);
  }

  void run(const StepArgs& args) override {
    if (watch_.changed(args.inputs)) reshape(args);
    const TensorView& in = args.inputs[0];
    switch (in.dtype) {
      case DType::f32:
        if (op_.kind == ReduceKind::prod || op_.kind == ReduceKind::log_sum_exp)
          return scalars<float, double>(args);
        if (last_reduced_) return by_row(args);
        return has_few_rows() ? by_short_column(args) : by_column(args);
      case DType::f64: return scalars<double, double>(args);
      case DType::i32: return scalars<int32_t, int64_t>(args);
      case DType::i64: return scalars<int64_t, int64_t>(args);
      default: TENREC_ASSERT(false, "a reduction of {}", tenrec::name(in.dtype));
    }
  }

 private:
  void split_loops(std::span<const int64_t> dims, const Reduce::ByAxis& reduced) {
    const PerAxis strides = dense_strides(dims);
    kept_ = reduced_ = Loops{};
    int previous = -1;
    for (size_t i = 0; i < dims.size(); ++i) {
      if (dims[i] == 1) continue;
      (reduced[i] ? reduced_ : kept_).add(dims[i], strides[i], previous == (reduced[i] ? 1 : 0));
      previous = reduced[i] ? 1 : 0;
    }
    last_reduced_ = previous != 0;
    if (kept_.sizes.empty()) kept_.add(1, 1, false);
    if (reduced_.sizes.empty()) reduced_.add(1, 1, false);
  }

  template <class Each>
  void parallel(int64_t units, Each&& each) const {
    const int64_t work = kept_.count() * reduced_.count();
    const int tasks = work < parallel_elements
                          ? 1
                          : static_cast<int>(std::clamp<int64_t>(units, 1, threads_.count()));
    threads_.parallel(tasks, [&](int task, int) {
      for (int64_t unit = units * task / tasks; unit < units * (task + 1) / tasks; ++unit)
        each(unit);
    });
  }

  // The innermost loop is reduced: one output from rows that lie together.
  void by_row(const StepArgs& args) const {
    const auto* x = args.inputs[0].as<float>();
    auto* y = args.outputs[0].as<float>();
    const int64_t row = reduced_.sizes.back(), rows = row == 0 ? 0 : reduced_.count() / row;
    parallel(kept_.count(), [&](int64_t out) {
      const float* base = x + kept_.offset(out);
      if (sums(op_.kind)) {
        double sum = 0;
        for (int64_t r = 0; r < rows; ++r)
          sum += rows_.sum(base + reduced_.offset(r, 1), row, map_of(op_.kind));
        y[out] = static_cast<float>(finished(op_.kind, sum, reduced_.count()));
        return;
      }
      const bool larger = op_.kind == ReduceKind::max;
      float best =
          larger ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
      for (int64_t r = 0; r < rows; ++r) {
        const float of_row = (larger ? rows_.max : rows_.min)(base + reduced_.offset(r, 1), row);
        if (std::isnan(best)) break;
        if (std::isnan(of_row) || (larger ? of_row > best : of_row < best)) best = of_row;
      }
      y[out] = best;
    });
  }

  // Sums of a few values need no double in between: channels of a picture, or a small picture.
  bool has_few_rows() const {
    const bool sums_up =
        sums(op_.kind) && op_.kind != ReduceKind::l2 && op_.kind != ReduceKind::log_sum;
    return sums_up && reduced_.sizes.size() == 1 && reduced_.count() <= few_rows &&
           reduced_.count() > 0;
  }

  void by_short_column(const StepArgs& args) const {
    const auto* x = args.inputs[0].as<float>();
    auto* y = args.outputs[0].as<float>();
    const int64_t tile = reduced_.count() <= 16 ? 1024 : column_tile;
    const int64_t width = kept_.sizes.back(), tiles = (width + tile - 1) / tile;
    const int64_t outer = width == 0 ? 0 : kept_.count() / width;
    const auto divisor = op_.kind == ReduceKind::mean ? static_cast<float>(reduced_.count()) : 1.0F;
    parallel(outer * tiles, [&](int64_t unit) {
      const int64_t first = unit % tiles * tile;
      rows_.short_columns(x + kept_.offset(unit / tiles, 1) + first, reduced_.count(),
                          reduced_.strides.back(), std::min(tile, width - first), map_of(op_.kind),
                          divisor, y + unit / tiles * width + first);
    });
  }

  // The innermost loop is kept: outputs side by side.
  void by_column(const StepArgs& args) const {
    const auto* x = args.inputs[0].as<float>();
    auto* y = args.outputs[0].as<float>();
    const int64_t width = kept_.sizes.back(), tiles = (width + column_tile - 1) / column_tile;
    const int64_t outer = width == 0 ? 0 : kept_.count() / width;
    const int64_t depth = reduced_.sizes.back(), stride = reduced_.strides.back();
    const int64_t slabs = depth == 0 ? 0 : reduced_.count() / depth;
    parallel(outer * tiles, [&](int64_t unit) {
      const int64_t first = unit % tiles * column_tile, used = std::min(column_tile, width - first);
      const float* base = x + kept_.offset(unit / tiles, 1) + first;
      float* out = y + unit / tiles * width + first;
      if (sums(op_.kind)) {
        double into[column_tile] = {};
        for (int64_t s = 0; s < slabs; ++s) {
          rows_.column_sum(base + reduced_.offset(s, 1), depth, stride, used, map_of(op_.kind),
                           into);
        }
        for (int64_t i = 0; i < used; ++i)
          out[i] = static_cast<float>(finished(op_.kind, into[i], reduced_.count()));
        return;
      }
      const bool larger = op_.kind == ReduceKind::max;
      const float start = std::numeric_limits<float>::infinity();
      std::fill(out, out + used, larger ? -start : start);
      for (int64_t s = 0; s < slabs; ++s) {
        (larger ? rows_.column_max : rows_.column_min)(base + reduced_.offset(s, 1), depth, stride,
                                                       used, out);
      }
    });
  }

  template <class T, class Sum>
  void scalars(const StepArgs& args) const {
    const auto* x = args.inputs[0].as<T>();
    auto* y = args.outputs[0].as<T>();
    const int64_t count = reduced_.count(), row = reduced_.sizes.back(),
                  step = reduced_.strides.back();
    parallel(kept_.count(), [&](int64_t out) {
      const T* base = x + kept_.offset(out);
      const auto fold = [&](Sum start, auto&& combine) {
        Sum total = start;
        for (int64_t i = 0; i < count; i += row) {
          const T* at = base + reduced_.offset(i / row, 1);
          for (int64_t k = 0; k < row; ++k) total = combine(total, static_cast<Sum>(at[k * step]));
        }
        return total;
      };
      y[out] = static_cast<T>(scalar<T, Sum>(fold, count));
    });
  }

  // Integers wrap; their sums are made in uint64_t.
  template <class T, class Sum, class Fold>
  Sum scalar(Fold&& fold, int64_t count) const {
    using Wrap = std::conditional_t<std::is_floating_point_v<Sum>, Sum, uint64_t>;
    const auto wrap = [](auto value) { return static_cast<Wrap>(value); };
    const auto larger = [](Sum a, Sum b) { return b > a || b != b ? b : a; };
    switch (op_.kind) {
      case ReduceKind::max:
        return fold(std::numeric_limits<T>::has_infinity
                        ? -std::numeric_limits<Sum>::infinity()
                        : static_cast<Sum>(std::numeric_limits<T>::lowest()),
                    larger);
      case ReduceKind::min:
        return fold(std::numeric_limits<T>::has_infinity
                        ? std::numeric_limits<Sum>::infinity()
                        : static_cast<Sum>(std::numeric_limits<T>::max()),
                    [](Sum a, Sum b) { return b < a || b != b ? b : a; });
      case ReduceKind::prod:
        return fold(1, [&](Sum a, Sum b) { return static_cast<Sum>(wrap(a) * wrap(b)); });
      case ReduceKind::log_sum_exp: {
        const Sum top = fold(-std::numeric_limits<Sum>::infinity(), larger);
        if (std::isinf(static_cast<double>(top))) return top;
        return static_cast<Sum>(static_cast<double>(top) +
                                std::log(static_cast<double>(fold(0, [&](Sum a, Sum b) {
                                  return static_cast<Sum>(static_cast<double>(a) +
                                                          std::exp(static_cast<double>(b - top)));
                                }))));
      }
      default: break;
    }
    const RowMap map = map_of(op_.kind);
    const Sum sum = fold(0, [&](Sum a, Sum b) {
      if (map == RowMap::square) return static_cast<Sum>(wrap(a) + wrap(b) * wrap(b));
      if (map == RowMap::absolute && b < 0) return static_cast<Sum>(wrap(a) - wrap(b));
      return static_cast<Sum>(wrap(a) + wrap(b));
    });
    if constexpr (std::is_floating_point_v<Sum>) return finished(op_.kind, sum, count);
    return sum;
  }

  Reduce op_;
  const Threads& threads_;
  const RowLoops& rows_;
  ValueWatch watch_;
  Loops kept_, reduced_;
  bool last_reduced_ = true;
};

}  // namespace

Runner prepare_reduce(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<Reduction>(step, environment);
}

}  // namespace tenrec::cpu
