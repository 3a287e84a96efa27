// SPDX-License-Identifier: Apache-2.0
// The family "order": where the greatest elements along an axis are, and sums up to each.
#include <cmath>
#include <numeric>

#include "ops/arg_reduce.h"
#include "ops/cum_sum.h"
#include "ops/topk.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/runners.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t parallel_elements = 32 << 10;

// Calls each(T{}) with the element type.
template <class Each>
void with_type(DType dtype, Each&& each) {
  switch (dtype) {
    case DType::f32: return each(float{});
    case DType::f64: return each(double{});
    case DType::i32: return each(int32_t{});
    case DType::i64: return each(int64_t{});
    default: fail(ErrorCode::invalid_engine, "no elements of {}", tenrec::name(dtype));
  }
}

void check_type(const TensorView& view) {
  with_type(view.dtype, [](auto) {});
}

// The lines of a tensor along an axis.
struct Lines {
  int64_t outer = 1, length = 1, inner = 1;

  Lines() = default;
  Lines(std::span<const int64_t> dims, int64_t axis) {
    const auto at = static_cast<size_t>(normalise_axis(axis, static_cast<int64_t>(dims.size())));
    length = dims[at];
    for (size_t i = 0; i < dims.size(); ++i) {
      if (i != at) (i < at ? outer : inner) *= dims[i];
    }
  }
  int64_t count() const { return outer * inner; }
  int64_t start(int64_t line, int64_t size) const {
    return line / inner * size * inner + line % inner;
  }
};

// The output has `length` elements a line.
void check_lines(const TensorView& out, const Lines& lines, int64_t length) {
  TENREC_CHECK(out.elements() == lines.count() * length, invalid_engine,
               "{} lines of {} elements do not make {}", lines.count(), length,
               tenrec::to_string(out.dims));
}

template <class Each>
void each_line(const Lines& lines, const Threads& threads, Each&& each) {
  const int64_t count = lines.count();
  const bool small = count * lines.length < parallel_elements;
  const int tasks = small ? 1 : static_cast<int>(std::clamp<int64_t>(count, 1, threads.count()));
  threads.parallel(tasks, [&](int task, int worker) {
    for (int64_t line = count * task / tasks; line < count * (task + 1) / tasks; ++line)
      each(line, worker);
  });
}

class ArgRunner : public StepRunner {
 public:
  ArgRunner(ArgReduce op, const Threads& threads) : op_(op), threads_(threads) {}
  void reshape(const StepArgs& args) override {
    check_type(args.inputs[0]);
    lines_ = Lines(args.inputs[0].dims, op_.axis);
    TENREC_CHECK(lines_.length > 0 || lines_.count() == 0, invalid_input,
                 "the largest or smallest of no elements");
    check_lines(args.outputs[0], lines_, 1);
  }
  void run(const StepArgs& args) override {
    with_type(args.inputs[0].dtype, [&]<class T>(T) {
      const T* x = args.inputs[0].as<T>();
      auto* y = args.outputs[0].as<int64_t>();
      each_line(lines_, threads_, [&](int64_t line, int) {
        const T* at = x + lines_.start(line, lines_.length);
        int64_t best = 0;
        T champion = *at;
        for (int64_t k = 1; k < lines_.length; ++k) {
          const T value = at[k * lines_.inner];
          const bool better = op_.largest ? value > champion : value < champion;
          if (!better && !(op_.select_last_index && value == champion)) continue;
          best = k;
          champion = value;
        }
        y[line] = best;
      });
    });
  }

 private:
  ArgReduce op_;
  const Threads& threads_;
  Lines lines_;
};

class TopKRunner : public StepRunner {
 public:
  TopKRunner(TopK op, const Threads& threads) : op_(std::move(op)), threads_(threads) {}

  void reshape(const StepArgs& args) override {
    check_type(args.inputs[0]);
    TENREC_CHECK(args.outputs[0].data || (args.outputs.size() > 1 && args.outputs[1].data),
                 invalid_engine, "neither values nor places are wanted");
    lines_ = Lines(args.inputs[0].dims, op_.axis);
    const TensorView& out = args.outputs[0].data ? args.outputs[0] : args.outputs[1];
    k_ = Lines(out.dims, op_.axis).length;
    TENREC_CHECK(k_ <= lines_.length, invalid_input, "k is {}, the axis has {} elements", k_,
                 lines_.length);
    for (const TensorView& view : args.outputs) {
      if (view.data) check_lines(view, lines_, k_);
    }
    order_.resize(static_cast<size_t>(threads_.count() * lines_.length));
  }

  void run(const StepArgs& args) override {
    with_type(args.inputs[0].dtype, [&]<class T>(T) {
      each_line(lines_, threads_, [&](int64_t line, int worker) {
        select(args.inputs[0].as<T>() + lines_.start(line, lines_.length),
               order_.data() + worker * lines_.length);
        write(args, line, args.inputs[0].as<T>(), order_.data() + worker * lines_.length);
      });
    });
  }

 private:
  // NaN counts as greater than every number.
  template <class T>
  static bool greater(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
    }
    return a > b;
  }

  template <class T>
  void select(const T* at, int64_t* order) const {
    std::iota(order, order + lines_.length, int64_t{0});
    const auto before = [&](int64_t a, int64_t b) {
      const T left = at[a * lines_.inner], right = at[b * lines_.inner];
      if (op_.largest ? greater(left, right) : greater(right, left)) return true;
      if (op_.largest ? greater(right, left) : greater(left, right)) return false;
      return a < b;
    };
    // The order is total, so that finding the k first and sorting only those changes nothing.
    if (k_ < lines_.length) std::nth_element(order, order + k_, order + lines_.length, before);
    std::sort(order, order + k_, before);
  }

  template <class T>
  void write(const StepArgs& args, int64_t line, const T* x, const int64_t* order) const {
    const int64_t from = lines_.start(line, lines_.length), to = lines_.start(line, k_);
    T* values = args.outputs[0].as<T>();
    int64_t* places = args.outputs.size() > 1 ? args.outputs[1].as<int64_t>() : nullptr;
    for (int64_t i = 0; i < k_; ++i) {
      if (values) values[to + i * lines_.inner] = x[from + order[i] * lines_.inner];
      if (places) places[to + i * lines_.inner] = order[i];
    }
  }

  TopK op_;
  const Threads& threads_;
  Lines lines_;
  int64_t k_ = 0;
  std::vector<int64_t> order_;
};

class CumSumRunner : public StepRunner {
 public:
  CumSumRunner(CumSum op, const Threads& threads) : op_(op), threads_(threads) {}
  void reshape(const StepArgs& args) override {
    check_type(args.inputs[0]);
    const TensorView& axis = args.inputs[1];
    TENREC_CHECK((axis.dtype == DType::i32 || axis.dtype == DType::i64) && axis.elements() == 1,
                 invalid_engine, "the axis is {} elements of {}", axis.elements(),
                 tenrec::name(axis.dtype));
    TENREC_CHECK(same_dims(args.inputs[0].dims, args.outputs[0].dims), invalid_engine,
                 "sums of {} in {}", tenrec::to_string(args.inputs[0].dims),
                 tenrec::to_string(args.outputs[0].dims));
  }
  void run(const StepArgs& args) override {
    const TensorView& axis = args.inputs[1];
    const Lines lines(args.inputs[0].dims,
                      axis.dtype == DType::i32 ? *axis.as<int32_t>() : *axis.as<int64_t>());
    with_type(args.inputs[0].dtype, [&]<class T>(T) {
      // Floats in double, integers wrapping.
      using Sum = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
      each_line(lines, threads_, [&](int64_t line, int) {
        const T* x = args.inputs[0].as<T>() + lines.start(line, lines.length);
        T* y = args.outputs[0].as<T>() + lines.start(line, lines.length);
        Sum sum = 0;
        for (int64_t k = 0; k < lines.length; ++k) {
          const int64_t at = (op_.reverse ? lines.length - 1 - k : k) * lines.inner;
          const Sum before = sum;
          sum += static_cast<Sum>(x[at]);
          y[at] = static_cast<T>(op_.exclusive ? before : sum);
        }
      });
    });
  }

 private:
  CumSum op_;
  const Threads& threads_;
};

}  // namespace

Runner prepare_order(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  const Op op = decode_step_op(step);
  if (const auto* arg = op.as<ArgReduce>())
    return std::make_unique<ArgRunner>(*arg, environment.threads);
  if (const auto* top = op.as<TopK>())
    return std::make_unique<TopKRunner>(*top, environment.threads);
  if (const auto* sums = op.as<CumSum>())
    return std::make_unique<CumSumRunner>(*sums, environment.threads);
  fail(ErrorCode::invalid_engine, "the order family has no operator \"{}\"", step.op);
}

}  // namespace tenrec::cpu
