// SPDX-License-Identifier: Apache-2.0
// The family "copy": operators that only move elements, as strided copies worked out in reshape.
#include "ops/concat.h"
#include "ops/constant_of_shape.h"
#include "ops/depth_space.h"
#include "ops/expand.h"
#include "ops/fused.h"
#include "ops/pad.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/tile.h"
#include "ops/transpose.h"
#include "ops/trilu.h"
#include "targets/common/run/memory_layout.h"
#include "targets/cpu/run/lane_copy.h"
#include "targets/cpu/run/nest.h"
#include "targets/cpu/run/runners.h"
#include "targets/cpu/run/strided_copy.h"
#include "targets/cpu/run/value_watch.h"

namespace tenrec::cpu {
namespace {

alignas(64) constexpr std::byte zero_source[16] = {};

struct Move {
  int input = 0;  // -1: zeros
  size_t output = 0;
  StridedCopy copy;
};
struct Moves {
  std::vector<Move> whole;
  LaneCopies lanes;
  void push_back(const Move& move) { whole.push_back(move); }
};

// One side of a copy: its memory as an array.
struct Side {
  std::span<const int64_t> dims;  // logical
  Layout layout;
  PerAxis physical;
  PerAxis strides;  // of `physical`

  explicit Side(const TensorView& view)
      : dims(view.dims),
        layout(layout_of(view)),
        physical(physical_dims(dims, layout)),
        strides(dense_strides(physical)) {}
  bool blocked() const { return layout.block_axis >= 0; }
  // Where logical axis `axis` is among the physical ones; lanes are behind all.
  size_t place(size_t axis) const {
    if (!layout.channels_last || dims.size() <= 2 || axis == 0) return axis;
    return axis == 1 ? dims.size() - 1 : axis - 1;
  }
};

void check_same_layout(const Side& in, const Side& out) {
  TENREC_CHECK(in.layout == out.layout && in.dims.size() == out.dims.size(), invalid_engine,
               "a copy between {} and {} in different layouts", tenrec::to_string(in.dims),
               tenrec::to_string(out.dims));
}

void check_plain(const Side& in, const Side& out) {
  TENREC_CHECK(in.layout.is_plain() && out.layout.is_plain(), invalid_engine,
               "this copy needs row-major tensors");
}

StridedCopy strided(const TensorView& view, const PerAxis& sizes, const PerAxis& from,
                    const PerAxis& to) {
  StridedCopy copy;
  copy.element = byte_size(view.dtype, 1);
  copy.sizes = sizes;
  copy.from_strides = from;
  copy.to_strides = to;
  return copy;
}

// All but `axis` (SIZE_MAX: all axes) are the same on both sides.
void check_sizes(std::string_view what, const Side& in, const Side& out, size_t axis = SIZE_MAX) {
  bool same = in.dims.size() == out.dims.size();
  for (size_t i = 0; same && i < in.dims.size(); ++i) same = i == axis || in.dims[i] == out.dims[i];
  TENREC_CHECK(same, invalid_engine, "{} between {} and {}", what, tenrec::to_string(in.dims),
               tenrec::to_string(out.dims));
}

void plain_copy(const StepArgs& args, Moves& moves) {
  const TensorView& in = args.inputs[0];
  const TensorView& out = args.outputs[0];
  const auto bytes_of = [](const TensorView& view) {
    return static_cast<int64_t>(byte_size(view.dtype, physical_elements(view)));
  };
  const int64_t bytes = bytes_of(in);
  TENREC_CHECK(in.elements() == out.elements() && bytes == bytes_of(out), invalid_engine,
               "a copy of {} elements to {}", in.elements(), out.elements());
  StridedCopy copy = strided(in, {bytes}, {1}, {1});
  copy.element = 1;
  moves.push_back({0, 0, copy});
}

// Zeros in the last block of channels, whose lanes are not all channels.
void clear_last_block(const TensorView& view, const Side& side, size_t output, Moves& moves) {
  const auto axis = static_cast<size_t>(side.layout.block_axis);
  if (side.dims[axis] % side.layout.block == 0) return;
  PerAxis sizes = side.physical;
  sizes[axis] = 1;
  StridedCopy zeros = strided(view, sizes, PerAxis(sizes.size(), 0), side.strides);
  zeros.to_offset = side.dims[axis] / side.layout.block * side.strides[axis];
  moves.push_back({-1, output, zeros});
}

// `out` begins at `first` along `axis` of `in`. `move` says all about the other axes.
void cut(Move move, const Side& in, const Side& out, size_t axis, int64_t first, Moves& moves) {
  const bool along_blocks = static_cast<int>(axis) == in.layout.block_axis;
  const int64_t block = along_blocks ? in.layout.block : 1;
  // Of a last block the zero lanes come along.
  if (!along_blocks || (first % block == 0 && first + out.dims[axis] == in.dims[axis])) {
    move.copy.from_offset += first / block * in.strides[in.place(axis)];
    return moves.push_back(move);
  }
  LaneCopy& lanes = moves.lanes.next();
  lanes.start(move.output, move.copy.element, out.physical, axis, block);
  lanes.add(0, move.copy.from_strides, move.copy.from_offset, first, 0, out.dims[axis]);
}

void concat(const Concat& op, const StepArgs& args, Moves& moves) {
  const TensorView& view = args.outputs[0];
  const Side out(view);
  const auto axis =
      static_cast<size_t>(normalise_axis(op.axis, static_cast<int64_t>(out.dims.size())));
  const bool along_blocks = static_cast<int>(axis) == out.layout.block_axis;
  LaneCopy* lanes = along_blocks ? &moves.lanes.next() : nullptr;
  if (lanes) lanes->start(0, byte_size(view.dtype, 1), out.physical, axis, out.layout.block);
  int64_t offset = 0;
  for (size_t i = 0; i < args.inputs.size(); ++i) {
    const Side in(args.inputs[i]);
    check_same_layout(in, out);
    check_sizes("Concat", in, out, axis);
    const int64_t first = offset;
    offset += in.dims[axis];
    TENREC_CHECK(offset <= out.dims[axis], invalid_engine, "Concat of {} into {}", offset,
                 out.dims[axis]);
    if (lanes) {
      lanes->add(i, in.strides, 0, 0, first, in.dims[axis]);
      continue;
    }
    Move move{static_cast<int>(i), 0,
              strided(args.inputs[i], in.physical, in.strides, out.strides)};
    move.copy.to_offset = first * out.strides[out.place(axis)];
    moves.push_back(move);
  }
  TENREC_CHECK(offset == out.dims[axis], invalid_engine, "Concat of {} into {}", offset,
               out.dims[axis]);
}

void split(const Split& op, const StepArgs& args, Moves& moves) {
  const Side in(args.inputs[0]);
  const auto axis =
      static_cast<size_t>(normalise_axis(op.axis, static_cast<int64_t>(in.dims.size())));
  PerAxis sizes;
  if (given(args.inputs, 1)) sizes = ints_of(args.inputs[1]);
  const int64_t size = in.dims[axis];
  for (int64_t i = 0; sizes.size() < static_cast<size_t>(op.num_outputs); ++i) {
    const int64_t chunk =
        op.even ? size / op.num_outputs : (size + op.num_outputs - 1) / op.num_outputs;
    sizes.push_back(std::max<int64_t>(std::min(chunk, size - chunk * i), 0));
  }
  int64_t offset = 0;
  for (size_t i = 0; i < sizes.size() && i < args.outputs.size(); offset += sizes[i++]) {
    if (!args.outputs[i].data) continue;
    const Side out(args.outputs[i]);
    check_same_layout(in, out);
    check_sizes("Split", in, out, axis);
    TENREC_CHECK(out.dims[axis] == sizes[i] && sizes[i] <= size - offset, invalid_input,
                 "Split of {} by {}", size, tenrec::to_string(sizes));
    const StridedCopy copy = strided(args.inputs[0], out.physical, in.strides, out.strides);
    cut({0, i, copy}, in, out, axis, offset, moves);
  }
}

// Steps past the end are all the same: the sums that follow stay small.
int64_t clamped_step(int64_t step, int64_t size) {
  TENREC_CHECK(step != 0, invalid_input, "Slice by a step of 0");
  return std::clamp(step, -size - 1, size + 1);
}

void slice(const StepArgs& args, Moves& moves) {
  const Side in(args.inputs[0]), out(args.outputs[0]);
  const PerAxis starts = ints_of(args.inputs[1]), ends = ints_of(args.inputs[2]);
  PerAxis axes, steps;
  if (given(args.inputs, 3)) axes = ints_of(args.inputs[3]);
  if (given(args.inputs, 4)) steps = ints_of(args.inputs[4]);
  check_same_layout(in, out);
  StridedCopy copy = strided(args.inputs[0], out.physical, in.strides, out.strides);
  int64_t channel = 0;
  SmallVector<uint8_t, 10> sliced(in.dims.size(), 0);
  TENREC_CHECK(ends.size() == starts.size() && (axes.empty() || axes.size() == starts.size()) &&
                   (steps.empty() || steps.size() == starts.size()),
               invalid_input, "Slice with {} starts, {} ends, {} axes and {} steps", starts.size(),
               ends.size(), axes.size(), steps.size());
  for (size_t i = 0; i < starts.size(); ++i) {
    const auto axis = static_cast<size_t>(normalise_axis(
        axes.empty() ? static_cast<int64_t>(i) : axes[i], static_cast<int64_t>(in.dims.size())));
    const int64_t size = in.dims[axis], step = clamped_step(steps.empty() ? 1 : steps[i], size);
    TENREC_CHECK(!sliced[axis], invalid_input, "Slice of axis {} twice", axis);
    TENREC_CHECK(step == 1 || static_cast<int>(axis) != in.layout.block_axis, invalid_engine,
                 "a slice with steps through channel blocks");
    sliced[axis] = 1;
    // ONNX: going backwards a start is at least 0, an end at least -1 (before the first element).
    const auto bound = [&](int64_t value, int64_t least) {
      const int64_t front = value < 0 ? value + size : value;
      const int64_t most = step > 0 ? size : size - 1;
      return std::clamp(front, std::min(least, most), most);
    };
    const int64_t first = bound(starts[i], 0), last = bound(ends[i], step > 0 ? 0 : -1);
    const int64_t count = step > 0 ? std::max<int64_t>((last - first + step - 1) / step, 0)
                                   : std::max<int64_t>((first - last - step - 1) / -step, 0);
    TENREC_CHECK(count == out.dims[axis], invalid_input,
                 "Slice gives {} on axis {}, the plan has {}", count, axis, out.dims[axis]);
    if (count == 0) return;
    if (static_cast<int>(axis) == in.layout.block_axis) channel = first;
    else copy.from_offset += first * in.strides[in.place(axis)];
    copy.from_strides[in.place(axis)] *= step;
  }
  for (size_t axis = 0; axis < sliced.size(); ++axis) {
    TENREC_CHECK(sliced[axis] || in.dims[axis] == out.dims[axis], invalid_input,
                 "Slice keeps {} on axis {}, the plan has {}", in.dims[axis], axis, out.dims[axis]);
  }
  if (!in.blocked()) return moves.push_back({0, 0, copy});
  cut({0, 0, copy}, in, out, static_cast<size_t>(in.layout.block_axis), channel, moves);
}

void expand(const StepArgs& args, Moves& moves) {
  const Side in(args.inputs[0]), out(args.outputs[0]);
  check_plain(in, out);
  const PerAxis from = broadcast_strides(in.dims, {}, out.dims, {});
  moves.push_back({0, 0, strided(args.inputs[0], PerAxis(out.dims), from, out.strides)});
}

void tile(const StepArgs& args, Moves& moves) {
  const Side in(args.inputs[0]), out(args.outputs[0]);
  check_plain(in, out);
  TENREC_CHECK(in.dims.size() == out.dims.size(), invalid_engine, "Tile of {} to {}",
               tenrec::to_string(in.dims), tenrec::to_string(out.dims));
  PerAxis sizes, from, to;
  for (size_t axis = 0; axis < in.dims.size(); ++axis) {
    TENREC_CHECK(in.dims[axis] == 0 ? out.dims[axis] == 0 : out.dims[axis] % in.dims[axis] == 0,
                 invalid_engine, "Tile of {} to {}", tenrec::to_string(in.dims),
                 tenrec::to_string(out.dims));
    sizes.append({in.dims[axis] == 0 ? 0 : out.dims[axis] / in.dims[axis], in.dims[axis]});
    from.append({0, in.strides[axis]});
    to.append({in.dims[axis] * out.strides[axis], out.strides[axis]});
  }
  moves.push_back({0, 0, strided(args.inputs[0], sizes, from, to)});
}

// `deep` has the channels of `wide` times the square of the block.
void check_blocks(const Side& deep, const Side& wide, int64_t block) {
  check_plain(deep, wide);
  TENREC_CHECK(deep.dims.size() == 4 && wide.dims.size() == 4 && block > 0 &&
                   deep.dims[0] == wide.dims[0] && deep.dims[1] == wide.dims[1] * block * block &&
                   wide.dims[2] == deep.dims[2] * block && wide.dims[3] == deep.dims[3] * block,
               invalid_engine, "blocks of {} between {} and {}", block,
               tenrec::to_string(deep.dims), tenrec::to_string(wide.dims));
}

void depth_to_space(const DepthToSpace& op, const StepArgs& args, Moves& moves) {
  const Side in(args.inputs[0]), out(args.outputs[0]);
  check_blocks(in, out, op.blocksize);
  const int64_t b = op.blocksize, plane = in.strides[1];
  const int64_t depth = out.dims[1];
  const int64_t channel = op.column_row_depth ? b * b * plane : plane;
  const int64_t row = op.column_row_depth ? b * plane : b * depth * plane;
  const int64_t column = op.column_row_depth ? plane : depth * plane;
  moves.push_back(
      {0, 0,
       strided(args.inputs[0], {in.dims[0], depth, in.dims[2], b, in.dims[3], b},
               {in.strides[0], channel, in.strides[2], row, 1, column},
               {out.strides[0], out.strides[1], b * out.strides[2], out.strides[2], b, 1})});
}

void space_to_depth(const SpaceToDepth& op, const StepArgs& args, Moves& moves) {
  const Side in(args.inputs[0]), out(args.outputs[0]);
  check_blocks(out, in, op.blocksize);
  const int64_t b = op.blocksize, plane = out.strides[1];
  const int64_t depth = in.dims[1];
  const int64_t channel = op.column_row_depth ? b * b * plane : plane;
  const int64_t row = op.column_row_depth ? b * plane : b * depth * plane;
  const int64_t column = op.column_row_depth ? plane : depth * plane;
  moves.push_back({0, 0,
                   strided(args.inputs[0], {in.dims[0], b, b, depth, out.dims[2], out.dims[3]},
                           {in.strides[0], in.strides[2], 1, in.strides[1], b * in.strides[2], b},
                           {out.strides[0], row, column, channel, out.strides[2], 1})});
}

// Strides of a tensor's logical axes, a lane axis behind; `axis` then steps by `block` channels.
PerAxis with_lanes(PerAxis strides, size_t axis, int64_t block) {
  strides.push_back(strides[axis]);
  strides[axis] *= block;
  return strides;
}

PerAxis logical_strides(const Side& side) {
  PerAxis strides;
  for (size_t i = 0; i < side.dims.size(); ++i) strides.push_back(side.strides[side.place(i)]);
  return strides;
}

PerAxis lane_strides(const Side& side, size_t axis, int64_t block) {
  PerAxis strides = logical_strides(side);
  if (!side.blocked()) return with_lanes(std::move(strides), axis, block);
  strides.push_back(1);
  return strides;
}

// A tensor of these logical sizes between a blocked layout and another: whole blocks, then the
// lanes of the last one that are channels.
void move_lanes(const TensorView& view, PerAxis sizes, size_t axis, int64_t block,
                const PerAxis& from, const PerAxis& to, Moves& moves) {
  const int64_t whole = sizes[axis] / block, rest = sizes[axis] % block;
  sizes.push_back(block);
  sizes[axis] = whole;
  moves.push_back({0, 0, strided(view, sizes, from, to)});
  if (rest == 0) return;
  sizes[axis] = 1;
  sizes.back() = rest;
  StridedCopy last = strided(view, sizes, from, to);
  last.from_offset = whole * from[axis];
  last.to_offset = whole * to[axis];
  moves.push_back({0, 0, last});
}

void reformat(const StepArgs& args, Moves& moves) {
  const TensorView& view = args.inputs[0];
  const Side in(view), out(args.outputs[0]);
  check_sizes("a change of layout", in, out);
  if (in.layout == out.layout) return plain_copy(args, moves);
  if (!in.blocked() && !out.blocked()) {
    moves.push_back(
        {0, 0, strided(view, PerAxis(in.dims), logical_strides(in), logical_strides(out))});
    return;
  }
  TENREC_CHECK(!in.blocked() || !out.blocked(), invalid_engine,
               "a change between two blocked layouts");
  const Layout& blocked = in.blocked() ? in.layout : out.layout;
  const auto axis = static_cast<size_t>(blocked.block_axis);
  const int64_t rest = in.dims[axis] % blocked.block;
  // Without pixels to go through, zeros do not lie between runs.
  bool pixels = false;
  for (size_t i = 0; i < in.dims.size(); ++i) pixels |= i > axis && in.dims[i] > 1;
  const bool pads = out.blocked() && rest != 0;
  if (pads && !pixels) clear_last_block(args.outputs[0], out, 0, moves);
  move_lanes(view, PerAxis(in.dims), axis, blocked.block, lane_strides(in, axis, blocked.block),
             lane_strides(out, axis, blocked.block), moves);
  if (pads && pixels) moves.whole.back().copy.zeros_behind = blocked.block - rest;
}

// From any layout to row-major.
void transpose(const Transpose& op, const StepArgs& args, Moves& moves) {
  const TensorView& view = args.inputs[0];
  const Side in(view), out(args.outputs[0]);
  const size_t rank = in.dims.size();
  TENREC_CHECK(out.layout.is_plain() && out.dims.size() == rank &&
                   (op.perm.empty() || op.perm.size() == rank),
               invalid_engine, "Transpose of {} by {} axes to {}", tenrec::to_string(in.dims),
               op.perm.size(), tenrec::to_string(out.dims));
  PerAxis to(rank, 0);  // by the input's axes
  for (size_t i = 0; i < rank; ++i) {
    const auto axis = op.perm.empty() ? rank - 1 - i : static_cast<size_t>(op.perm[i]);
    TENREC_CHECK(axis < rank && in.dims[axis] == out.dims[i], invalid_engine,
                 "Transpose of {} gives axis {} of {}", tenrec::to_string(in.dims), i,
                 tenrec::to_string(out.dims));
    to[axis] = out.strides[i];
  }
  if (!in.blocked()) {
    moves.push_back({0, 0, strided(view, PerAxis(in.dims), logical_strides(in), to)});
    return;
  }
  const auto axis = static_cast<size_t>(in.layout.block_axis);
  move_lanes(view, PerAxis(in.dims), axis, in.layout.block, lane_strides(in, axis, in.layout.block),
             with_lanes(to, axis, in.layout.block), moves);
}

void add_moves(const Op& op, const StepArgs& args, Moves& moves) {
  if (const auto* transposed = op.as<Transpose>()) return transpose(*transposed, args, moves);
  if (const auto* joined = op.as<Concat>()) return concat(*joined, args, moves);
  if (const auto* parts = op.as<Split>()) return split(*parts, args, moves);
  if (op.as<Slice>()) return slice(args, moves);
  if (op.as<Expand>()) return expand(args, moves);
  if (op.as<Tile>()) return tile(args, moves);
  if (op.as<Reformat>()) return reformat(args, moves);
  if (const auto* depth = op.as<DepthToSpace>()) return depth_to_space(*depth, args, moves);
  if (const auto* space = op.as<SpaceToDepth>()) return space_to_depth(*space, args, moves);
  plain_copy(args, moves);  // the views: reshape, squeeze, flatten, identity, ...
}

class Copy : public StepRunner {
 public:
  Copy(Op op, RunEnvironment& environment)
      : op_(std::move(op)),
        threads_(environment.threads),
        loops_(copy_loops(environment.isa)),
        watch_(op_.as<Concat>() ? SIZE_MAX : 1) {}

  void reshape(const StepArgs& args) override {
    moves_.whole.clear();
    moves_.lanes.clear();
    add_moves(op_, args, moves_);
    for (Move& move : moves_.whole) move.copy.prepare(loops_);
    for (LaneCopy& copy : moves_.lanes.all()) copy.prepare(loops_);
    watch_.remember(args.inputs);
  }

  void run(const StepArgs& args) override {
    if (watch_.changed(args.inputs)) reshape(args);
    for (const Move& move : moves_.whole) {
      const std::byte* from =
          move.input < 0 ? zero_source : args.inputs[static_cast<size_t>(move.input)].data;
      move.copy.run(from, args.outputs[move.output].data, threads_);
    }
    for (const LaneCopy& copy : moves_.lanes.all()) copy.run(args.inputs, args.outputs, threads_);
  }

 private:
  Op op_;
  const Threads& threads_;
  const CopyLoops& loops_;
  ValueWatch watch_;
  Moves moves_;
};

// ------------------------------------------------------------------------------------------- pad

int64_t positive_remainder(int64_t a, int64_t b) { return (a % b + b) % b; }

// Where place `i` of an axis reads, 0 being its first kept element of `size`; -1: the constant.
int64_t padded_place(const std::string& mode, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  if (mode == "constant") return -1;
  if (mode == "edge" || size == 1) return std::clamp<int64_t>(i, 0, size - 1);
  if (mode == "wrap") return positive_remainder(i, size);
  const int64_t folded = positive_remainder(i, 2 * size - 2);
  return folded < size ? folded : 2 * size - 2 - folded;
}

class Padding : public StepRunner {
 public:
  Padding(const plan::Step& step, RunEnvironment& environment)
      : op_(step_op<Pad>(step)), threads_(environment.threads) {}

  void reshape(const StepArgs& args) override {
    const Side in(args.inputs[0]), out(args.outputs[0]);
    check_same_layout(in, out);
    TENREC_CHECK(!in.layout.channels_last &&
                     (!given(args.inputs, 2) || (args.inputs[2].dtype == args.inputs[0].dtype &&
                                                 args.inputs[2].elements() >= 1)),
                 invalid_engine, "a pad with a fill value of {}",
                 given(args.inputs, 2) ? tenrec::name(args.inputs[2].dtype) : "nothing");
    const size_t rank = in.dims.size();
    const PerAxis pads = ints_of(args.inputs[1]);
    PerAxis axes;
    if (given(args.inputs, 3)) axes = ints_of(args.inputs[3]);
    else
      for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
    TENREC_CHECK(pads.size() == 2 * axes.size(), invalid_input, "Pad of {} axes with {} pads",
                 axes.size(), pads.size());
    PerAxis begin(rank, 0), end(rank, 0);
    for (size_t i = 0; i < axes.size(); ++i) {
      const auto axis = static_cast<size_t>(normalise_axis(axes[i], static_cast<int64_t>(rank)));
      begin[axis] = pads[i];
      end[axis] = pads[i + axes.size()];
    }
    // Untouched inner axes move as one.
    size_t tables = rank;
    while (tables > 1 && begin[tables - 1] == 0 && end[tables - 1] == 0) --tables;
    copy_.start(byte_size(args.inputs[0].dtype, 1), in.blocked() ? in.layout.block : 1, tables);
    for (size_t axis = 0; axis < rank; ++axis) {
      check_axis(in, out, axis, begin[axis], end[axis]);
      if (axis < tables) fill_table(copy_.tables[axis], in, axis, begin[axis], end[axis]);
      else copy_.block *= in.physical[axis];
    }
    copy_.prepare();
    watch_.remember(args.inputs);
  }

  void run(const StepArgs& args) override {
    if (watch_.changed(args.inputs)) reshape(args);
    const std::byte* fill = given(args.inputs, 2) ? args.inputs[2].data : nullptr;
    if (args.outputs[0].elements() > 0)
      copy_.run(args.inputs[0].data, args.outputs[0].data, fill, threads_);
  }

 private:
  void check_axis(const Side& in, const Side& out, size_t axis, int64_t begin, int64_t end) const {
    const int64_t size = in.physical[axis];
    constexpr int64_t most = int64_t{1} << 48;
    const bool blocked = in.layout.block_axis == static_cast<int>(axis);
    TENREC_CHECK(std::max(std::abs(begin), std::abs(end)) < most &&
                     size + begin + end == out.physical[axis] &&
                     (!blocked || (begin == 0 && end == 0)),
                 invalid_input, "Pad of axis {}: {} + {} + {} is not {}", axis, size, begin, end,
                 out.physical[axis]);
    const int64_t low = std::max<int64_t>(-begin, 0), high = size + std::min<int64_t>(end, 0);
    TENREC_CHECK(op_.mode == "constant" || high > low || size + begin + end == 0, invalid_input,
                 "Pad mode {} of an empty axis", op_.mode);
  }

  void fill_table(std::vector<int64_t>& places, const Side& in, size_t axis, int64_t begin,
                  int64_t end) const {
    const int64_t size = in.physical[axis];
    const int64_t low = std::max<int64_t>(-begin, 0), high = size + std::min<int64_t>(end, 0);
    for (int64_t i = -begin; i < size + end; ++i) {
      const int64_t place = padded_place(op_.mode, i - low, high - low);
      places.push_back(place < 0 ? -1 : (place + low) * in.strides[axis]);
    }
  }

  Pad op_;
  const Threads& threads_;
  ValueWatch watch_;
  TableCopy copy_;
};

// ----------------------------------------------------------------------------------------- fills

class Fill : public StepRunner {
 public:
  explicit Fill(const plan::Step& step) : value_(step_op<ConstantOfShape>(step).value) {
    TENREC_CHECK(value_ && value_.elements() == 1, invalid_engine, "a fill without one value");
  }
  void run(const StepArgs& args) override {
    const TensorView& out = args.outputs[0];
    fill_elements(out.data, value_.data(), byte_size(out.dtype, 1), out.elements());
  }

 private:
  Tensor value_;
};

class Triangle : public StepRunner {
 public:
  explicit Triangle(const plan::Step& step) : op_(step_op<Trilu>(step)) {}
  void reshape(const StepArgs& args) override {
    const Side in(args.inputs[0]), out(args.outputs[0]);
    check_plain(in, out);
    check_sizes("a triangle", in, out);
    TENREC_CHECK(args.inputs[0].dims.size() >= 2 &&
                     (!given(args.inputs, 1) ||
                      (args.inputs[1].dtype == DType::i64 && args.inputs[1].elements() == 1)),
                 invalid_engine, "a triangle of {}", tenrec::to_string(dims_of(args.inputs[0])));
  }
  void run(const StepArgs& args) override {
    const TensorView& in = args.inputs[0];
    int64_t shift = 0;
    if (given(args.inputs, 1)) shift = *args.inputs[1].as<int64_t>();
    const int64_t columns = in.dims.back(), rows = in.dims[in.dims.size() - 2];
    const auto size = static_cast<int64_t>(byte_size(in.dtype, 1));
    const int64_t total = columns == 0 ? 0 : in.elements() / columns;
    for (int64_t row = 0; row < total; ++row) {
      // Columns from `cut` on are on or above the diagonal (lower: above it).
      const int64_t diagonal =
          std::clamp<int64_t>(shift, -columns - rows, columns + rows) + row % rows;
      const int64_t cut = std::clamp<int64_t>(op_.upper ? diagonal : diagonal + 1, 0, columns);
      const int64_t first = op_.upper ? cut : 0, last = op_.upper ? columns : cut;
      const std::byte* from = in.data + row * columns * size;
      std::byte* to = args.outputs[0].data + row * columns * size;
      std::memset(to, 0, static_cast<size_t>(first * size));
      std::memcpy(to + first * size, from + first * size,
                  static_cast<size_t>((last - first) * size));
      std::memset(to + last * size, 0, static_cast<size_t>((columns - last) * size));
    }
  }

 private:
  Trilu op_;
};

}  // namespace

Runner prepare_copy(const plan::Plan&, const plan::Step& step, RunEnvironment& environment) {
  TENREC_CHECK(!step.inputs.empty() && !step.outputs.empty(), invalid_engine, "a copy of nothing");
  if (step.op == "pad") return std::make_unique<Padding>(step, environment);
  if (step.op == "constant_of_shape") return std::make_unique<Fill>(step);
  if (step.op == "trilu") return std::make_unique<Triangle>(step);
  return std::make_unique<Copy>(decode_step_op(step), environment);
}

}  // namespace tenrec::cpu
