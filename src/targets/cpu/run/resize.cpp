// SPDX-License-Identifier: Apache-2.0
// The family "resize". Which input elements make an output element comes from the operator's own
// tables (ops/resize.h); nearest is a table copy. The weighted modes resize each input row once,
// along its columns, and mix the rows that an output row needs in whole vectors.
#include <cmath>

#include "ops/resize.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/caches.h"
#include "targets/cpu/run/row_split.h"
#include "targets/cpu/run/runners.h"
#include "targets/cpu/run/spatial_loops.h"
#include "targets/cpu/run/strided_copy.h"
#include "targets/cpu/run/value_watch.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t parallel_work = 32 << 10;  // output elements
constexpr int64_t strip_floats = 4 << 10;    // of resized rows that wait in the first-level cache

// Of the cache: vectors across two of them would cost a third of a large resize.
struct alignas(64) Line {
  float floats[16];
};

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
        loops_(spatial_loops(environment.isa)),
        block_(block_of(environment.isa)) {}

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
    } else if (way_ == Way::blocks) {
      run_blocks(in.as<float>(), args.outputs[0].as<float>());
    } else {
      Tensors inputs;
      for (const TensorView& view : args.inputs) inputs.push_back(tensor_of(view));
      store_tensor(op_.eval(inputs)[0], args.outputs[0]);
    }
  }

 private:
  enum class Way { table, rows, blocks, reference };

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
    past_ = leaves_caches(static_cast<uint64_t>(planes_ * out_height_ * out_width_ * lanes_) *
                          sizeof(float));
    way_ = lanes_ == block_ && rows_->width == 2 && columns_->width == 2 ? Way::blocks : Way::rows;
    if (way_ == Way::rows) make_buffers();
  }

  void make_buffers() {
    make_windows();
    const int64_t fit = strip_floats / (rows_->width * lanes_) / loops_.vector * loops_.vector;
    strip_ = std::min(std::max(fit, loops_.vector), out_width_);
    // Rows are read and written in whole vectors, from the beginning of a line on.
    buffer_ = (strip_ * lanes_ + 15) / 16 * 16 + 16;
    const auto slots = static_cast<size_t>(threads_.count() * rows_->width);
    buffers_.resize(slots * static_cast<size_t>(buffer_) / (sizeof(Line) / sizeof(float)));
    pointers_.resize(slots);
    held_.resize(slots);
  }

  // The tables of ResizeColumns' windows, or none.
  void make_windows() {
    windows_.clear();
    for (window_vectors_ = 1; lanes_ == 1 && window_vectors_ <= 4; window_vectors_ *= 2) {
      if (make_windows_of(window_vectors_ * loops_.vector)) return;
    }
  }

  // Windows of so many inputs; false, and none, where they are too few.
  bool make_windows_of(int64_t inputs) {
    windows_.clear();
    if (in_width_ < inputs) return false;
    const int64_t vector = loops_.vector, taps = columns_->width;
    const int64_t vectors = (out_width_ + vector - 1) / vector;
    window_places_.assign(static_cast<size_t>(vectors * vector * taps), 0);
    window_weights_.assign(window_places_.size(), 0);
    for (int64_t v = 0; v < vectors; ++v) {
      const int64_t begin = v * vector, end = std::min(begin + vector, out_width_);
      const auto [low, high] = std::minmax_element(columns_->index.begin() + begin * taps,
                                                   columns_->index.begin() + end * taps);
      const int64_t window = std::min(*low, in_width_ - inputs);
      if (*high - window >= inputs) {
        windows_.clear();
        return false;
      }
      windows_.push_back(static_cast<int32_t>(window));
      for (int64_t i = begin * taps; i < end * taps; ++i) {
        const auto from = static_cast<size_t>(i);
        const auto to = static_cast<size_t>((v * taps + i % taps) * vector + i / taps - begin);
        window_places_[to] = static_cast<int32_t>(columns_->index[from] - window);
        window_weights_[to] = column_weights_[from];
      }
    }
    return true;
  }

  ResizeColumns strip(int64_t first) const {
    const int64_t taps = columns_->width;
    ResizeColumns strip;
    strip.width = std::min(strip_, out_width_ - first);
    strip.lanes = lanes_;
    strip.taps = taps;
    strip.places = columns_->index.data() + first * taps;
    strip.weights = column_weights_.data() + first * taps;
    if (windows_.empty()) return strip;
    strip.window_vectors = window_vectors_;
    strip.windows = windows_.data() + first / loops_.vector;
    strip.window_places = window_places_.data() + first * taps;
    strip.window_weights = window_weights_.data() + first * taps;
    return strip;
  }

  RowSplit split() const {
    const int64_t rows = planes_ * out_height_;
    const bool small = rows * out_width_ * lanes_ < parallel_work;
    return {planes_, out_height_,
            small ? 1 : static_cast<int>(std::min<int64_t>(rows, threads_.count()))};
  }

  // Output rows between the same two input rows are made together.
  void run_blocks(const float* x, float* y) {
    const RowSplit split = this->split();
    ResizeColumns columns;
    columns.width = out_width_;
    columns.lanes = lanes_;
    columns.taps = 2;
    columns.places = columns_->index.data();
    columns.weights = column_weights_.data();
    const int64_t in_row = in_width_ * lanes_, out_row = out_width_ * lanes_;
    threads_.parallel(split.tasks, [&](int task, int) {
      split.each_part(task, [&](int64_t plane, int64_t begin, int64_t end) {
        const float* from = x + plane * in_height_ * in_row;
        for (int64_t r = begin, count = 1; r < end; r += count) {
          const int64_t* places = rows_->index.data() + 2 * r;
          count = r + 1 < end && places[0] == places[2] && places[1] == places[3] ? 2 : 1;
          loops_.resize_blocks({.columns = &columns,
                                .upper = from + places[0] * in_row,
                                .lower = from + places[1] * in_row,
                                .weights = row_weights_.data() + 2 * r,
                                .rows = count,
                                .row_step = out_row,
                                .past = past_},
                               y + (plane * out_height_ + r) * out_row);
        }
      });
      if (past_) loops_.flush_stream();
    });
  }

  void run_rows(const float* x, float* y) {
    const RowSplit split = this->split();
    threads_.parallel(split.tasks, [&](int task, int worker) {
      for (int64_t first = 0; first < out_width_; first += strip_) {
        ResizeColumns columns = strip(first);
        std::fill_n(held_.begin() + worker * rows_->width, rows_->width, -1);
        split.each_part(task, [&](int64_t plane, int64_t begin, int64_t end) {
          for (int64_t r = plane * out_height_ + begin; r < plane * out_height_ + end; ++r)
            run_row(x, columns, r, worker, y + (r * out_width_ + first) * lanes_);
        });
      }
      if (past_) loops_.flush_stream();
    });
  }

  // Taps of a row follow each other, so that each input row has a slot of its own among as many as
  // there are taps; most of them are there already from the output row before.
  void run_row(const float* x, ResizeColumns& columns, int64_t row, int worker, float* to) {
    const int64_t taps = rows_->width, slots = worker * taps;
    const int64_t plane = row / out_height_ * in_height_, first = row % out_height_ * taps;
    const float** pointers = pointers_.data() + slots;
    for (int64_t k = 0; k < taps; ++k) {
      const int64_t wanted = plane + rows_->index[static_cast<size_t>(first + k)];
      const int64_t slot = slots + wanted % taps;
      float* buffer = reinterpret_cast<float*>(buffers_.data()) + slot * buffer_;
      if (int64_t& held = held_[static_cast<size_t>(slot)]; held != wanted) {
        columns.ahead = row_after(first + k) * in_width_ * lanes_;
        loops_.resize_columns(columns, x + wanted * in_width_ * lanes_, buffer);
        held = wanted;
      }
      pointers[k] = buffer;
    }
    loops_.mix_rows(pointers, row_weights_.data() + first, taps, columns.width * lanes_, past_, to);
  }

  // How many input rows further the same tap of the next output row is.
  int64_t row_after(int64_t tap) const {
    const auto at = static_cast<size_t>(tap), next = at + static_cast<size_t>(rows_->width);
    return next < rows_->index.size() ? rows_->index[next] - rows_->index[at] : 0;
  }

  Resize op_;
  const Threads& threads_;
  const SpatialLoops& loops_;
  const int64_t block_;
  ValueWatch watch_;
  bool empty_ = false, past_ = false;  // past_: written past the caches
  Way way_ = Way::reference;
  TableCopy copy_;
  std::vector<ResizeTaps> taps_;  // of each axis
  const ResizeTaps one_row_{1, {0}, {1.0}, {}};
  const ResizeTaps *rows_ = nullptr, *columns_ = nullptr;
  std::vector<float> row_weights_, column_weights_;
  std::vector<Line> buffers_;
  int window_vectors_ = 1;
  std::vector<int32_t> windows_, window_places_;
  std::vector<float> window_weights_;
  std::vector<const float*> pointers_;  // of each thread: a row's taps
  std::vector<int64_t> held_;           // of each thread: the input rows in its buffers
  int64_t strip_ = 1, buffer_ = 16;     // output pixels resized at a time; floats of a buffer
  int64_t lanes_ = 1, planes_ = 1, in_height_ = 1, in_width_ = 1, out_height_ = 1, out_width_ = 1;
};

}  // namespace

Runner prepare_resize(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<ResizeRunner>(step, environment);
}

}  // namespace tenrec::cpu
