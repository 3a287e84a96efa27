// SPDX-License-Identifier: Apache-2.0
#include "targets/cpu/run/pointwise.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/wire.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/nest.h"
#include "targets/cpu/run/runners.h"
#include "targets/cpu/run/tile_program.h"

namespace tenrec::cpu {
namespace {

constexpr int64_t long_row = 128;         // shorter rows share a tile
constexpr double parallel_cost = 131072;  // simple operations worth waking the other threads for

// How an input reaches the tile's registers.
enum class Access : uint8_t {
  unused,
  direct,   // runs through memory as the output does
  splat,    // one value a tile
  gather,   // copied to a buffer first
  pattern,  // short runs that repeat along a row: a tile of them is made once a row
};

struct Input {
  Access access = Access::unused;
  bool same_rows = false;                 // every row has the same content
  size_t size = 4;                        // bytes an element
  int64_t elements = 0;                   // of the tensor in memory
  int64_t period = 0, period_stride = 0;  // of a pattern: its length and the step through memory
};

// What one thread writes to; allocated when the step is prepared.
struct Worker {
  std::unique_ptr<std::byte[]> memory;
  std::byte* workspace = nullptr;
  std::byte* buffers = nullptr;  // an input each
  std::byte* ends = nullptr;     // an input or output each: a group of elements
  TileProgram::Registers registers;
  RowCursor cursor;
  std::vector<const std::byte*> data;  // of each input for the tile at hand
  std::vector<int> step;
  std::vector<bool> filled;  // `same_rows` inputs: the buffer holds them
  int64_t pattern_row = -1;  // the row whose patterns the buffers hold
};

constexpr size_t buffer_bytes = (tile_elements + tile_group) * 8;
constexpr size_t end_bytes = tile_group * 8;

// Copies `count` elements that lie `stride` apart.
template <class T>
void gather_row(std::byte* to, const std::byte* from, int64_t count, int64_t stride) {
  auto* out = reinterpret_cast<T*>(to);
  const auto* in = reinterpret_cast<const T*>(from);
  for (int64_t i = 0; i < count; ++i) out[i] = in[i * stride];
}
void gather_row(std::byte* to, const std::byte* from, int64_t count, int64_t stride, size_t size) {
  if (stride == 1) {
    // The rows of 8-blocked tensors: a constant size compiles to one move.
    if (count == 8 && size == 4) std::memcpy(to, from, 32);
    else std::memcpy(to, from, static_cast<size_t>(count) * size);
    return;
  }
  switch (size) {
    case 1: return gather_row<uint8_t>(to, from, count, stride);
    case 2: return gather_row<uint16_t>(to, from, count, stride);
    case 4: return gather_row<uint32_t>(to, from, count, stride);
    default: return gather_row<uint64_t>(to, from, count, stride);
  }
}

class Pointwise : public StepRunner {
 public:
  Pointwise(const plan::Step& step, RunEnvironment& environment)
      : program_(decode<PointwiseParams>(step.params).program, environment.isa),
        threads_(environment.threads),
        keep_(tile_extra(environment.isa, TileExtra::keep, DType::f32)) {
    TENREC_CHECK(
        static_cast<size_t>(program_.inputs()) == step.inputs.size() &&
            static_cast<size_t>(program_.outputs()) == step.outputs.size() && !step.outputs.empty(),
        invalid_engine, "a pointwise program of {} inputs and {} outputs on a step of {} and {}",
        program_.inputs(), program_.outputs(), step.inputs.size(), step.outputs.size());
    for (int i = 0; i < threads_.count(); ++i) workers_.push_back(make_worker());
  }

  void reshape(const StepArgs& args) override {
    const TensorView& first = args.outputs[0];
    const std::span<const int64_t> dims = first.dims;
    layout_ = layout_of(first);
    for (size_t i = 0; i < args.outputs.size(); ++i) {
      const TensorView& view = args.outputs[i];
      TENREC_CHECK(same_dims(view.dims, dims) && layout_of(view) == layout_ &&
                       view.dtype == program_.output_type(static_cast<int>(i)),
                   invalid_engine, "outputs of a pointwise program differ in shape or type");
    }
    channels_ = layout_.block_axis >= 0 ? dims[static_cast<size_t>(layout_.block_axis)] : 0;
    const PerAxis physical = physical_dims(dims, layout_);
    elements_ = static_cast<int64_t>(element_count(physical));
    if (layout_.block_axis >= 0) {
      plane_ = layout_.block;
      TENREC_CHECK(tile_elements % layout_.block == 0, invalid_engine,
                   "a layout in blocks of {}; rebuild the engine", layout_.block);
      const int64_t used = channels_ % layout_.block;
      kept_lanes_.resize(tile_elements);
      for (int64_t i = 0; i < tile_elements; ++i)
        kept_lanes_[static_cast<size_t>(i)] = i % layout_.block < used ? -1 : 0;
      for (size_t i = static_cast<size_t>(layout_.block_axis) + 1; i + 1 < physical.size(); ++i)
        plane_ *= physical[i];
    }
    nest_.sizes = physical;
    nest_.strides.clear();
    inputs_.assign(args.inputs.size(), {});
    for (size_t i = 0; i < args.inputs.size(); ++i) add_input(args.inputs[i], i, dims);
    // The output's own strides, so that loops are merged only where it too is even.
    nest_.strides.push_back(dense_strides(physical));
    nest_.collapse();
    const PerAxis dense = nest_.strides.back();
    nest_.strides.pop_back();
    if (!merge_short_rows(dense)) {
      for (size_t i = 0; i < inputs_.size(); ++i) classify(i, dense);
    }
    plan_tiles();
    for (Worker& worker : workers_) worker.cursor.reserve(nest_);
  }

  void run(const StepArgs& args) override {
    if (elements_ == 0) return;
    threads_.parallel(tasks_, [&](int task, int index) {
      Worker& worker = workers_[static_cast<size_t>(index)];
      std::fill(worker.filled.begin(), worker.filled.end(), false);
      worker.pattern_row = -1;
      const int64_t begin = tiles_ * task / tasks_, end = tiles_ * (task + 1) / tasks_;
      if (begin < end) run_tiles(args, worker, begin, end);
    });
  }

 private:
  Worker make_worker() const {
    Worker worker;
    const auto inputs = static_cast<size_t>(program_.inputs());
    const auto outputs = static_cast<size_t>(program_.outputs());
    const size_t workspace = (program_.workspace_bytes() + 63) / 64 * 64;
    worker.memory = std::make_unique<std::byte[]>(workspace + inputs * buffer_bytes +
                                                  (inputs + outputs) * end_bytes + 64);
    auto address = reinterpret_cast<uintptr_t>(worker.memory.get());
    worker.workspace = worker.memory.get() + (64 - address % 64) % 64;
    worker.buffers = worker.workspace + workspace;
    worker.ends = worker.buffers + inputs * buffer_bytes;
    worker.registers = program_.registers(worker.workspace);
    worker.data.assign(inputs, nullptr);
    worker.step.assign(inputs, 0);
    worker.filled.assign(inputs, false);
    return worker;
  }

  void add_input(const TensorView& view, size_t i, std::span<const int64_t> dims) {
    const DType expected = program_.input_type(static_cast<int>(i));
    if (expected == DType::undefined) {
      nest_.strides.emplace_back(nest_.sizes.size(), 0);
      return;
    }
    TENREC_CHECK(view.dtype == expected, invalid_engine,
                 "input {} of a pointwise program is {}, expected {}", i, tenrec::name(view.dtype),
                 tenrec::name(expected));
    nest_.strides.push_back(broadcast_strides(view.dims, layout_of(view), dims, layout_));
    inputs_[i].size = byte_size(expected, 1);
    inputs_[i].elements = static_cast<int64_t>(physical_elements(view));
    inputs_[i].access = Access::gather;
  }

  void classify(size_t i, const PerAxis& dense) {
    Input& input = inputs_[i];
    if (input.access == Access::unused) return;
    const PerAxis& strides = nest_.strides[i];
    const size_t last = strides.size() - 1;
    const bool row_tiles = nest_.sizes[last] >= long_row || last == 0;
    const bool outer_zero =
        std::all_of(strides.begin(), strides.end() - 1, [](int64_t s) { return s == 0; });
    const bool even = row_tiles ? strides[last] == 1 : strides == dense;
    input.same_rows = outer_zero;
    if (even) input.access = Access::direct;
    else if (strides[last] == 0 && (row_tiles || outer_zero)) input.access = Access::splat;
  }

  // Lanes of blocked tensors under an operand by channel: the two innermost loops become one long
  // row when every input runs through both, stands still, or repeats the inner one. False: not so.
  bool merge_short_rows(const PerAxis& dense) {
    const size_t last = nest_.sizes.size() - 1;
    const int64_t inner = nest_.sizes[last];
    if (last == 0 || inner >= long_row || inner <= 0 || tile_elements % inner != 0) return false;
    if (inner * nest_.sizes[last - 1] < long_row) return false;
    const auto runs_through = [&](const PerAxis& strides) {
      return strides[last] == 1 && strides[last - 1] == dense[last - 1];
    };
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const PerAxis& strides = nest_.strides[i];
      if (inputs_[i].access == Access::unused || runs_through(strides)) continue;
      if (strides[last - 1] != 0) return false;
    }
    for (size_t i = 0; i < inputs_.size(); ++i) {
      PerAxis& strides = nest_.strides[i];
      Input& input = inputs_[i];
      input.period = inner;
      input.period_stride = strides[last];
      if (input.access != Access::unused) {
        input.access = runs_through(strides) ? Access::direct
                       : strides[last] == 0  ? Access::splat
                                             : Access::pattern;
      }
      strides.pop_back();
      strides.back() = input.access == Access::direct ? 1 : 0;
    }
    nest_.sizes.pop_back();
    nest_.sizes.back() *= inner;
    return true;
  }

  void plan_tiles() {
    const int64_t row = nest_.sizes.back();
    row_tiles_ = row >= long_row || nest_.sizes.size() == 1;
    if (row_tiles_) {
      tiles_a_row_ = (row + tile_elements - 1) / tile_elements;
      tiles_ = nest_.rows() * tiles_a_row_;
    } else {
      rows_a_tile_ = std::max<int64_t>(1, tile_elements / std::max<int64_t>(row, 1));
      tiles_ = (nest_.rows() + rows_a_tile_ - 1) / rows_a_tile_;
    }
    const double cost = static_cast<double>(elements_) * (2 + program_.cost());
    tasks_ =
        cost < parallel_cost ? 1 : static_cast<int>(std::min<int64_t>(threads_.count(), tiles_));
    tasks_ = std::max(tasks_, 1);
  }

  void run_tiles(const StepArgs& args, Worker& worker, int64_t begin, int64_t end) const {
    const int64_t row_size = nest_.sizes.back();
    if (row_tiles_) {
      worker.cursor.start(nest_, begin / tiles_a_row_);
      for (int64_t tile = begin; tile < end; ++tile) {
        fill_patterns(args, worker, tile / tiles_a_row_);
        const int64_t column = tile % tiles_a_row_ * tile_elements;
        const int64_t count = std::min<int64_t>(tile_elements, row_size - column);
        for (size_t i = 0; i < inputs_.size(); ++i)
          fetch_in_row(args.inputs[i], worker, i, column, count);
        compute(args, worker, tile / tiles_a_row_ * row_size + column, static_cast<int>(count));
        if (column + count == row_size) worker.cursor.next();
      }
      return;
    }
    worker.cursor.start(nest_, begin * rows_a_tile_);
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t row = tile * rows_a_tile_;
      const int64_t rows = std::min(rows_a_tile_, nest_.rows() - row);
      fetch_rows(args, worker, row, rows);
      compute(args, worker, row * row_size, static_cast<int>(rows * row_size));
    }
  }

  void fill_patterns(const StepArgs& args, Worker& worker, int64_t row) const {
    if (worker.pattern_row == row) return;
    worker.pattern_row = row;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const Input& input = inputs_[i];
      if (input.access != Access::pattern) continue;
      std::byte* to = buffer(worker, i);
      copy_inside(args.inputs[i].data, input, worker.cursor.offset(i), input.period,
                  input.period_stride, to);
      // What is there is doubled until a tile, or a shorter row, is full.
      const auto wanted = static_cast<size_t>(std::min<int64_t>(tile_elements, nest_.sizes.back()) *
                                              static_cast<int64_t>(input.size));
      size_t there = static_cast<size_t>(input.period) * input.size;
      for (; there < wanted; there *= 2)
        std::memcpy(to + there, to, std::min(there, wanted - there));
    }
  }

  // Zeros behind the end: a plain operand of a blocked result ends inside the last block.
  static void copy_inside(const std::byte* data, const Input& input, int64_t offset, int64_t count,
                          int64_t stride, std::byte* to) {
    const int64_t inside =
        stride <= 0
            ? count
            : std::clamp<int64_t>((input.elements - offset + stride - 1) / stride, 0, count);
    gather_row(to, data + static_cast<size_t>(offset) * input.size, inside, stride, input.size);
    if (inside < count) {
      std::memset(to + static_cast<size_t>(inside) * input.size, 0,
                  static_cast<size_t>(count - inside) * input.size);
    }
  }

  void fetch_in_row(const TensorView& view, Worker& worker, size_t i, int64_t column,
                    int64_t count) const {
    const Input& input = inputs_[i];
    if (input.access == Access::unused) return;
    const int64_t stride = nest_.strides[i].back();
    const std::byte* from =
        view.data + static_cast<size_t>(worker.cursor.offset(i) + column * stride) * input.size;
    if (input.access == Access::direct) {
      set(worker, i, from, 1);
    } else if (input.access == Access::splat) {
      splat(worker, i, from, input.size);
    } else if (input.access == Access::pattern) {
      set(worker, i, buffer(worker, i), 1);
    } else {
      gather_row(buffer(worker, i), from, count, stride, input.size);
      set(worker, i, buffer(worker, i), 1);
    }
  }

  // Rows [row, row + rows) of every input, next to each other; moves the cursor past them.
  void fetch_rows(const StepArgs& args, Worker& worker, int64_t row, int64_t rows) const {
    const int64_t row_size = nest_.sizes.back();
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const Input& input = inputs_[i];
      const std::byte* data = args.inputs[i].data;
      if (input.access == Access::direct) {
        set(worker, i, data + static_cast<size_t>(row * row_size) * input.size, 1);
      } else if (input.access == Access::splat) {
        splat(worker, i, data, input.size);
      } else if (input.access == Access::gather) {
        set(worker, i, buffer(worker, i), 1);
      }
    }
    for (int64_t r = 0; r < rows; ++r) {
      for (size_t i = 0; i < inputs_.size(); ++i) {
        if (inputs_[i].access != Access::gather || worker.filled[i]) continue;
        fetch_row(args.inputs[i].data, worker, i, r);
      }
      worker.cursor.next();
    }
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].same_rows && rows == rows_a_tile_) worker.filled[i] = true;
    }
  }

  void fetch_row(const std::byte* data, Worker& worker, size_t i, int64_t r) const {
    const Input& input = inputs_[i];
    const int64_t row_size = nest_.sizes.back();
    copy_inside(data, input, worker.cursor.offset(i), row_size, nest_.strides[i].back(),
                buffer(worker, i) + static_cast<size_t>(r * row_size) * input.size);
  }

  static std::byte* buffer(Worker& worker, size_t i) { return worker.buffers + i * buffer_bytes; }
  static void set(Worker& worker, size_t i, const std::byte* data, int step) {
    worker.data[i] = data;
    worker.step[i] = step;
  }
  static void splat(Worker& worker, size_t i, const std::byte* value, size_t size) {
    std::byte* to = buffer(worker, i);
    for (size_t at = 0; at < tile_splat_bytes; at += size) std::memcpy(to + at, value, size);
    set(worker, i, to, 0);
  }

  // The tile whose output starts at element `start`.
  void compute(const StepArgs& args, Worker& worker, int64_t start, int count) const {
    const int whole = count / tile_group * tile_group;
    if (whole > 0) {
      for (size_t i = 0; i < inputs_.size(); ++i) {
        worker.registers.set_input(static_cast<int>(i), worker.data[i], worker.step[i]);
      }
      for (size_t i = 0; i < args.outputs.size(); ++i) {
        const size_t size = byte_size(args.outputs[i].dtype, 1);
        worker.registers.set_output(static_cast<int>(i),
                                    args.outputs[i].data + static_cast<size_t>(start) * size);
      }
      program_.run(worker.registers, whole);
    }
    if (whole < count) compute_end(args, worker, start, whole, count - whole);
    if (layout_.block_axis >= 0 && channels_ % layout_.block != 0)
      clear_pad_lanes(args, start, count);
  }

  // Less than a group: through buffers, so that no loop touches memory behind a tensor.
  void compute_end(const StepArgs& args, Worker& worker, int64_t start, int done, int count) const {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].access == Access::unused) continue;
      std::byte* end = worker.ends + i * end_bytes;
      const size_t size = inputs_[i].size;
      if (worker.step[i] == 0) {
        worker.registers.set_input(static_cast<int>(i), worker.data[i], 0);
        continue;
      }
      std::memset(end, 0, tile_group * size);
      std::memcpy(end, worker.data[i] + static_cast<size_t>(done) * size,
                  static_cast<size_t>(count) * size);
      worker.registers.set_input(static_cast<int>(i), end, 1);
    }
    const auto end_of = [&](size_t output) {
      return worker.ends + (inputs_.size() + output) * end_bytes;
    };
    for (size_t i = 0; i < args.outputs.size(); ++i)
      worker.registers.set_output(static_cast<int>(i), end_of(i));
    program_.run(worker.registers, tile_group);
    for (size_t i = 0; i < args.outputs.size(); ++i) {
      const size_t size = byte_size(args.outputs[i].dtype, 1);
      std::memcpy(args.outputs[i].data + static_cast<size_t>(start + done) * size, end_of(i),
                  static_cast<size_t>(count) * size);
    }
  }

  // Pad lanes of a blocked tensor stay zero, whatever the program makes of zeros. Tiles are whole
  // blocks.
  void clear_pad_lanes(const StepArgs& args, int64_t start, int64_t count) const {
    const int64_t blocks = (channels_ + layout_.block - 1) / layout_.block;
    for (int64_t at = start; at < start + count;) {
      const int64_t plane = at / plane_;
      const int64_t next = std::min((plane + 1) * plane_, start + count);
      if (plane % blocks == blocks - 1) {
        for (const TensorView& view : args.outputs) clear_pad_lanes(view, at, next);
      }
      at = next;
    }
  }

  void clear_pad_lanes(const TensorView& view, int64_t begin, int64_t end) const {
    const size_t size = byte_size(view.dtype, 1);
    if (view.dtype == DType::f32) {
      // A call for each block would take most of a small program's time.
      std::byte* to = view.data + static_cast<size_t>(begin) * size;
      const auto whole = static_cast<int>((end - begin) / tile_group * tile_group);
      keep_({.a = {to, 1}, .b = {kept_lanes_.data(), 1}, .c = {}, .to = to, .n = whole});
      begin += whole;
    }
    const int64_t used = channels_ % layout_.block;
    for (; begin < end; begin += layout_.block) {
      std::memset(view.data + static_cast<size_t>(begin + used) * size, 0,
                  static_cast<size_t>(layout_.block - used) * size);
    }
  }

  TileProgram program_;
  const Threads& threads_;
  std::vector<Worker> workers_;
  Nest nest_;
  std::vector<Input> inputs_;
  Layout layout_;
  TileFn keep_;
  std::vector<int32_t> kept_lanes_;  // of the last block, a tile of them: all bits of a channel
  int64_t channels_ = 0, plane_ = 1, elements_ = 0;
  bool row_tiles_ = true;
  int64_t tiles_a_row_ = 1, rows_a_tile_ = 1, tiles_ = 0;
  int tasks_ = 1;
};

}  // namespace

Runner prepare_pointwise(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  return std::make_unique<Pointwise>(step, environment);
}

}  // namespace tenrec::cpu
