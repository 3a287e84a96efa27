// SPDX-License-Identifier: Apache-2.0
// The family "resize". Which input elements make an output element comes from the operator's own
// tables (ops/resize.h); nearest is a table copy, the weighted modes go row by row.
#include <cmath>

#include "ops/resize.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/runners.h"
#include "targets/cpu/run/spatial_loops.h"
#include "targets/cpu/run/strided_copy.h"
#include "targets/cpu/run/value_watch.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t parallel_work = 32 << 10;  // output elements

using Doubles = SmallVector<double, 16>;

Doubles doubles_of(const TensorView& view) {
  Doubles values;
  if (view.data && view.dtype == DType::f32) {
    for (int64_t i = 0; i < view.elements(); ++i)
      values.push_back(static_cast<double>(view.as<float>()[i]));
  } else if (const Tensor tensor = tensor_of(view)) {
    for (const double value : tensor.to_doubles()) values.push_back(value);
  }
  return values;
}

bool is_identity(const ResizeTaps& taps, int64_t in) {
  if (taps.width != 1 || static_cast<int64_t>(taps.index.size()) != in) return false;
  for (int64_t i = 0; i < in; ++i) {
    if (taps.index[static_cast<size_t>(i)] != i) return false;
  }
  return true;
}

class ResizeRunner : public StepRunner {
 public:
  ResizeRunner(const plan::Step& step, RunEnvironment& environment)
      : op_(step_op<Resize>(step)),
        threads_(environment.threads),
        loops_(spatial_loops(environment.isa)) {}

  void reshape(const StepArgs& args) override {
    const TensorView& in = args.inputs[0];
    const std::span<const int64_t> out = args.outputs[0].dims;
    TENREC_CHECK(layout_of(in) == layout_of(args.outputs[0]) && in.dims.size() == out.size(),
                 invalid_engine, "a resize between layouts or ranks");
    Doubles roi, scales;
    PerAxis sizes;
    if (given(args.inputs, 1)) roi = doubles_of(args.inputs[1]);
    if (given(args.inputs, 2)) scales = doubles_of(args.inputs[2]);
    if (given(args.inputs, 3)) sizes = ints_of(args.inputs[3]);
    const ResizeAxes axes = resize_axes(op_, in.dims, roi, scales, sizes);
    taps_.resize(axes.size());
    for (size_t i = 0; i < axes.size(); ++i) {
      TENREC_CHECK(axes[i].out == out[i], invalid_input,
                   "Resize gives {} on axis {}, the plan has {}", axes[i].out, i, out[i]);
      resize_taps(op_, axes[i], taps_[i]);
    }
    empty_ = args.outputs[0].elements() == 0;
    if (!empty_) choose(in.dims, layout_of(in), in.dtype);
    watch_.remember(args.inputs);
  }

  void run(const StepArgs& args) override {
    if (watch_.changed(args.inputs)) reshape(args);
    if (empty_) return;
    const TensorView& in = args.inputs[0];
    if (way_ == Way::table) {
      copy_.run(in.data, args.outputs[0].data,
                reinterpret_cast<const std::byte*>(&op_.extrapolation_value), threads_);
    } else if (way_ == Way::rows) {
      run_rows(in.as<float>(), args.outputs[0].as<float>());
    } else {
      Tensors inputs;
      for (const TensorView& view : args.inputs) inputs.push_back(tensor_of(view));
      store_tensor(op_.eval(inputs)[0], args.outputs[0]);
    }
  }

 private:
  enum class Way { table, rows, reference };

  void choose(std::span<const int64_t> dims, const Layout& layout, DType dtype) {
    const size_t rank = dims.size();
    const bool blocked = layout.block_axis >= 0, last = layout.channels_last && rank > 2;
    const auto fixed = static_cast<size_t>(blocked ? layout.block_axis : 1);
    way_ = Way::reference;
    if ((blocked || last) && !is_identity(taps_[fixed], dims[fixed])) return;
    if (op_.mode == ResizeMode::nearest) return make_table(dims, layout, dtype);
    if (dtype != DType::f32 || op_.coordinate == ResizeCoordinate::tf_crop_and_resize || rank < 1)
      return;
    const size_t column = rank - 1, row = rank >= 2 ? rank - 2 : rank;
    for (size_t i = 0; i + 2 < rank; ++i) {
      if (!is_identity(taps_[i], dims[i])) return;
    }
    if ((blocked || last) && rank < 4) return;
    make_rows(dims, layout, row, column);
  }

  void make_table(std::span<const int64_t> dims, const Layout& layout, DType dtype) {
    const bool fills = op_.coordinate == ResizeCoordinate::tf_crop_and_resize;
    if (fills && dtype != DType::f32) return;
    way_ = Way::table;
    const PerAxis physical = physical_dims(dims, layout), strides = dense_strides(physical);
    const bool last = layout.channels_last && dims.size() > 2;
    // What makes the elements of a physical axis; null: each comes from its own place.
    const auto taps_at = [&](size_t place) -> const ResizeTaps* {
      const size_t axis = !last || place == 0 ? place : place + 1 == dims.size() ? 1 : place + 1;
      const bool lane = place >= dims.size();
      if (lane || static_cast<int>(axis) == layout.block_axis) return nullptr;
      const ResizeTaps& taps = taps_[axis];
      return is_identity(taps, physical[place]) && taps.outside.empty() ? nullptr : &taps;
    };
    // Untouched inner axes move as one.
    size_t tables = physical.size();
    while (tables > 1 && !taps_at(tables - 1)) --tables;
    copy_.start(byte_size(dtype, 1), 1, tables);
    for (size_t place = 0; place < physical.size(); ++place) {
      if (place < tables)
        fill_table(copy_.tables[place], taps_at(place), physical[place], strides[place]);
      else copy_.block *= physical[place];
    }
    copy_.prepare();
  }

  static void fill_table(std::vector<int64_t>& table, const ResizeTaps* taps, int64_t size,
                         int64_t stride) {
    const int64_t count = taps ? static_cast<int64_t>(taps->index.size()) : size;
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      const bool outside = taps && !taps->outside.empty() && taps->outside[at];
      table.push_back(outside ? -1 : (taps ? taps->index[at] : i) * stride);
    }
  }

  void make_rows(std::span<const int64_t> dims, const Layout& layout, size_t row, size_t column) {
    way_ = Way::rows;
    const bool blocked = layout.block_axis >= 0, last = layout.channels_last && dims.size() > 2;
    lanes_ = blocked ? layout.block : last ? dims[1] : 1;
    planes_ = 1;
    for (size_t i = 0; i < dims.size(); ++i) {
      if (i == row || i == column || (last && i == 1)) continue;
      planes_ *=
          static_cast<int>(i) == layout.block_axis ? (dims[i] + lanes_ - 1) / lanes_ : dims[i];
    }
    in_height_ = row < dims.size() ? dims[row] : 1;
    in_width_ = dims[column];
    rows_ = row < dims.size() ? &taps_[row] : &one_row_;
    columns_ = &taps_[column];
    row_weights_.assign(rows_->weight.begin(), rows_->weight.end());
    column_weights_.assign(columns_->weight.begin(), columns_->weight.end());
    out_height_ = static_cast<int64_t>(rows_->index.size()) / rows_->width;
    out_width_ = static_cast<int64_t>(columns_->index.size()) / columns_->width;
    buffers_.resize(static_cast<size_t>(threads_.count() * in_width_ * lanes_));
    pointers_.resize(static_cast<size_t>(threads_.count() * rows_->width));
  }

  void run_rows(const float* x, float* y) {
    const int64_t rows = planes_ * out_height_;
    const int tasks = rows * out_width_ * lanes_ < parallel_work
                          ? 1
                          : static_cast<int>(std::min<int64_t>(rows, threads_.count()));
    threads_.parallel(tasks, [&](int task, int worker) {
      const float** pointers = pointers_.data() + worker * rows_->width;
      ResizeRow row;
      row.rows = pointers;
      row.row_count = rows_->width;
      row.columns = columns_->index.data();
      row.column_weights = column_weights_.data();
      row.taps = columns_->width;
      row.in_width = in_width_;
      row.out_width = out_width_;
      row.lanes = lanes_;
      row.buffer = buffers_.data() + worker * in_width_ * lanes_;
      for (int64_t r = rows * task / tasks; r < rows * (task + 1) / tasks; ++r) {
        const float* plane = x + r / out_height_ * in_height_ * in_width_ * lanes_;
        const int64_t first = r % out_height_ * rows_->width;
        for (int64_t k = 0; k < rows_->width; ++k) {
          pointers[k] = plane + rows_->index[static_cast<size_t>(first + k)] * in_width_ * lanes_;
        }
        row.row_weights = row_weights_.data() + first;
        loops_.resize(row, y + r * out_width_ * lanes_);
      }
    });
  }

  Resize op_;
  const Threads& threads_;
  const SpatialLoops& loops_;
  ValueWatch watch_;
  bool empty_ = false;
  Way way_ = Way::reference;
  TableCopy copy_;
  std::vector<ResizeTaps> taps_;  // of each axis
  const ResizeTaps one_row_{1, {0}, {1.0}, {}};
  const ResizeTaps *rows_ = nullptr, *columns_ = nullptr;
  std::vector<float> row_weights_, column_weights_, buffers_;
  std::vector<const float*> pointers_;
  int64_t lanes_ = 1, planes_ = 1, in_height_ = 1, in_width_ = 1, out_height_ = 1, out_width_ = 1;
};

}  // namespace

Runner prepare_resize(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<ResizeRunner>(step, environment);
}

}  // namespace tenrec::cpu
